"""The keys that requests are checked against: a copy in memory, read anew every few seconds.

A check asks no database, so it costs microseconds, goes on while the database is away, and wrong keys cost
no more than right ones. The price is that a revocation takes effect within `refresh_seconds` and the time of
one question. A key that is not in the copy makes it be read at once, at most once a second, so that a new key
works immediately.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from anyio import to_thread

from service.access.key_storage import KeyStorage
from service.access.keys import KeySecret, KeyTable, id_of, utc_now
from service.access.principal import Principal
from service.core.errors import ConfigurationError, KeysUnavailableError, StoreError
from service.logs import OncePerMinute

log = logging.getLogger(__name__)

_UNKNOWN_KEY_PAUSE_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 2.0
"""A request whose key is not in the copy waits so long for a new one."""

_EXPIRY_NOTICE = timedelta(days=14)
_NOTICE_SECONDS = 24 * 3_600.0


class KeyRing:
    """For one event loop: `start` before use, `stop` after."""

    def __init__(
        self,
        storage: KeyStorage,
        secret: KeySecret,
        *,
        refresh_seconds: float,
        stale_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """`stale_seconds`: how old the copy may get while keys cannot be read; then nobody is let in."""
        self._storage = storage
        self._secret = secret
        self._refresh_seconds = refresh_seconds
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._now = now
        self._table = KeyTable(secret, ())
        self._read_at: float | None = None
        self._tried_at = -_UNKNOWN_KEY_PAUSE_SECONDS
        self._noticed_at: float | None = None
        self._reading: asyncio.Task[None] | None = None
        self._upkeep: asyncio.Task[None] | None = None
        self._digest = OncePerMinute(log)

    async def start(self) -> None:
        """Read the keys, and go on doing so. If they cannot be read now, nobody is let in until they can."""
        await self._read()
        self._upkeep = asyncio.create_task(self._keep_fresh())

    async def stop(self) -> None:
        for task in (self._upkeep, self._reading):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def check(self, text: str) -> Principal | None:
        """Who sent a key; None if it is not right. Raises `KeysUnavailableError`."""
        key_id = id_of(text)
        if key_id is not None and key_id not in self._table:
            await self._read_for_unknown()
        if self._read_at is None or self._clock() - self._read_at > self._stale_seconds:
            raise KeysUnavailableError("keys cannot be checked now: send the request again", retry_after=5)
        return self._table.check(text, self._now())

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(self._refresh_seconds)
            await self._read()

    async def _read_for_unknown(self) -> None:
        if self._clock() - self._tried_at >= _UNKNOWN_KEY_PAUSE_SECONDS or self._reading is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._begin()), _LONGEST_WAIT_SECONDS)

    async def _read(self) -> None:
        await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Task[None]:
        """The reading that is under way, or a new one: never two at a time."""
        if self._reading is None:
            self._tried_at = self._clock()
            self._reading = asyncio.create_task(self._read_once())
        return self._reading

    async def _read_once(self) -> None:
        began = self._clock()
        try:
            keys = await to_thread.run_sync(self._storage.all)
        except (StoreError, ConfigurationError) as error:
            self._digest.warning(f"keys cannot be read: {error.message}")
            return
        finally:
            self._reading = None
        self._table = KeyTable(self._secret, keys)
        self._read_at = began
        self._say_what_needs_a_person()

    def _say_what_needs_a_person(self) -> None:
        """Once a day."""
        now = self._clock()
        if self._noticed_at is not None and now - self._noticed_at < _NOTICE_SECONDS:
            return
        self._noticed_at = now
        if not len(self._table):
            log.warning("there is no key yet, so no request is let in: evenmatch keys create")
        if self._table.foreign:
            log.warning(
                "%d keys were made with another keys_secret than this service has: they do not work",
                self._table.foreign,
            )
        for key in self._table.expiring(self._now(), _EXPIRY_NOTICE):
            assert key.expires is not None
            log.warning("the key %s expires at %s: evenmatch keys rotate", key.shown, key.expires.isoformat())
