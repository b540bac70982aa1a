"""A copy in memory of what is kept elsewhere and changes now and then, for one event loop.

Requests read the copy and wait for nothing. It is read anew every few seconds, and once more, not too often,
when a request needs what is not in it. While it cannot be read the last one counts, until it is stale.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from anyio import to_thread

from service.core.errors import ConfigurationError, KeysUnavailableError, StoreError
from service.logs import OncePerMinute

log = logging.getLogger(__name__)

_LONGEST_WAIT_SECONDS = 2.0
"""A request that needs what is not in the copy waits so long for a new one."""

T = TypeVar("T")


class FreshCopy(Generic[T]):
    """`start` before use, `stop` after."""

    def __init__(
        self,
        read: Callable[[], T],
        *,
        what: str,
        refresh_seconds: float,
        pause_seconds: float,
        stale_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        then: Callable[[T], object] = lambda _: None,
    ) -> None:
        """`read` blocks, and raises `StoreError` or `ConfigurationError` if it cannot be done now.

        Args:
            read: Makes a new copy, in a thread.
            what: Its name in messages, in the plural.
            refresh_seconds: Between two readings.
            pause_seconds: Least time between readings that requests ask for.
            stale_seconds: Greatest age of a copy that counts.
            clock: Seconds that only grow.
            then: Told of each copy.
        """
        self._read = read
        self._what = what
        self._refresh_seconds = refresh_seconds
        self._pause_seconds = pause_seconds
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._then = then
        self._copy: T | None = None
        self._read_at = 0.0
        self._tried_at = -pause_seconds
        self._reading: asyncio.Task[None] | None = None
        self._upkeep: asyncio.Task[None] | None = None
        self._digest = OncePerMinute(log)

    async def start(self) -> None:
        """Read it, and go on doing so."""
        await self._wait()
        self._upkeep = asyncio.create_task(self._keep_fresh())

    async def stop(self) -> None:
        for task in (self._upkeep, self._reading):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def get(self) -> T:
        """The copy. Raises `KeysUnavailableError` if there is none, or only a stale one."""
        if self._copy is None or self._clock() - self._read_at > self._stale_seconds:
            raise KeysUnavailableError(
                f"{self._what} cannot be checked now: send the request again", retry_after=5
            )
        return self._copy

    async def get_with(self, has: Callable[[T], bool]) -> T:
        """As `get`, but read anew if the copy has not what is asked for and the last try was not just now."""
        if self._copy is None or not has(self._copy):
            idle = self._clock() - self._tried_at
            if self._reading is not None or idle >= self._pause_seconds:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wait(), _LONGEST_WAIT_SECONDS)
        return self.get()

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(self._refresh_seconds)
            await self._wait()

    async def _wait(self) -> None:
        """For the reading that is under way, or a new one: never two at a time."""
        if self._reading is None:
            self._tried_at = self._clock()
            self._reading = asyncio.create_task(self._read_once())
        await asyncio.shield(self._reading)

    async def _read_once(self) -> None:
        began = self._clock()
        try:
            copy = await to_thread.run_sync(self._read)
        except (StoreError, ConfigurationError) as error:
            self._digest.warning(f"{self._what} cannot be read: {error.message}")
            return
        except Exception as error:  # a bug: it must not end the upkeep, by which revocations are noticed
            log.exception("%s cannot be read: unexpected %s", self._what, type(error).__name__)
            return
        finally:
            self._reading = None
        self._copy, self._read_at = copy, began
        self._then(copy)
