"""The keys that requests are checked against: a copy in memory, read anew every few seconds.

A check asks no database, so it costs microseconds, goes on while the database is away, and wrong keys cost
no more than right ones. The price is that a revocation takes effect within `refresh_seconds` and the time of
one question. A key that is not in the copy makes it be read at once, at most once a second, so that a new key
works immediately.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from service.access.fresh_copy import FreshCopy
from service.access.key_storage import KeyStorage
from service.access.keys import ApiKey, KeySecret, KeyTable, id_of, utc_now
from service.access.principal import Principal

log = logging.getLogger(__name__)

_UNKNOWN_KEY_PAUSE_SECONDS = 1.0
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
        self._clock = clock
        self._now = now
        self._noticed_at: float | None = None
        self._table = FreshCopy(
            lambda: KeyTable(secret, storage.all()),
            what="keys",
            refresh_seconds=refresh_seconds,
            pause_seconds=_UNKNOWN_KEY_PAUSE_SECONDS,
            stale_seconds=stale_seconds,
            clock=clock,
            then=self._say_what_needs_a_person,
        )

    async def start(self) -> None:
        """Read the keys, and go on doing so. If they cannot be read now, nobody is let in until they can."""
        await self._table.start()

    async def stop(self) -> None:
        await self._table.stop()

    async def check(self, text: str) -> Principal | None:
        """Who sent a key; None if it is not right. Raises `KeysUnavailableError`."""
        key_id = id_of(text)
        table = await self._table.get_with(lambda table: key_id is None or key_id in table)
        return table.check(text, self._now())

    def keys(self) -> list[ApiKey]:
        """All that were read last. Raises `KeysUnavailableError`."""
        return self._table.get().keys()

    def _say_what_needs_a_person(self, table: KeyTable) -> None:
        """Once a day."""
        now = self._clock()
        if self._noticed_at is not None and now - self._noticed_at < _NOTICE_SECONDS:
            return
        self._noticed_at = now
        if not len(table):
            log.warning("there is no key yet, so no key is let in: evenmatch keys create")
        if table.foreign:
            log.warning(
                "%d keys were made with another keys_secret than this service has: they do not work",
                table.foreign,
            )
        for key in table.expiring(self._now(), _EXPIRY_NOTICE):
            assert key.expires is not None
            log.warning("the key %s expires at %s: evenmatch keys rotate", key.shown, key.expires.isoformat())
