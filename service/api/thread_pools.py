"""Threads for each kind of work, so that no kind can take those of another.

A database that does not answer must not stop scoring, and neither of them readiness or a scrape: each kind
has so many places, and so many that may wait for one.
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Callable, Sized
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import checkpoint_if_cancelled

from service.core.errors import CallerGoneError, CapacityError, QueueFullError, StoreUnavailableError
from service.runtime.reader_pool import is_long

T = TypeVar("T")

_TEXT_PLACES = 2
"""Reading text is Python, of which one thread runs at a time: more threads only hold up the event loop."""

_STORE_PLACES = 4
"""Questions, and changes, to the database at a time: together they fit the connection pool."""

_PAUSE_SECONDS = 1.0
"""After a failure of the database nobody asks it for so long, and then one at a time."""


class ThreadPool:
    """Runs functions in threads, `places` at a time. For one event loop."""

    def __init__(self, places: int, waiting: float = math.inf) -> None:
        self._limiter = CapacityLimiter(places)
        self._waiting = waiting

    @property
    def is_full(self) -> bool:
        """Whether as many wait as may."""
        statistics = self._limiter.statistics()
        taken = statistics.borrowed_tokens >= statistics.total_tokens
        return taken and statistics.tasks_waiting >= self._waiting

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns.

        A caller who is cancelled waits for its end, since a thread cannot be stopped. Raises what `work`
        raises, and `QueueFullError` if too many wait already.
        """
        if self.is_full:
            raise self._no_place()
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        except CallerGoneError:
            # The thread saw the cancellation first. It is that, and no error to answer: nobody is there.
            await checkpoint_if_cancelled()
            raise

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for what runs no function here, but several in turn elsewhere. Raises as `run` does."""
        if self.is_full:
            raise self._no_place()
        async with self._limiter:
            yield

    def _no_place(self) -> CapacityError:
        return QueueFullError("too many requests of this kind wait already", retry_after=5)


class DatabasePool(ThreadPool):
    """For questions to the database. While it is away they fail at once, but for one that tries."""

    def __init__(self, places: int, waiting: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(places, waiting)
        self._clock = clock
        self._away_until: float | None = None
        self._trying = False

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns. Raises what it raises.

        Raises `StoreUnavailableError` without running it while the database is known to be away, or if too
        many wait already.
        """
        tries = self._is_away()
        self._trying |= tries

        def ask() -> T:
            if self._away_until is not None and not tries:  # found while this one waited for a place
                raise self._away()
            try:
                answer = work()
            except StoreUnavailableError:
                self._away_until = self._clock() + _PAUSE_SECONDS
                raise
            self._away_until = None
            return answer

        try:
            return await super().run(ask)
        finally:
            self._trying &= not tries

    def _is_away(self) -> bool:
        """Whether the database was away, and may be asked once more now; raises if it may not."""
        if self._away_until is None:
            return False
        if self._trying or self._clock() < self._away_until:
            raise self._away()
        return True

    def _away(self) -> StoreUnavailableError:
        left = 0.0 if self._away_until is None else self._away_until - self._clock()
        return StoreUnavailableError(
            "the database of decisions did not answer lately", retry_after=max(1, math.ceil(left))
        )

    def _no_place(self) -> CapacityError:
        return StoreUnavailableError("too many requests wait for the database of decisions", retry_after=5)


@dataclass(frozen=True)
class ThreadPools:
    """`parsing`: large bodies. `text`: short steps of work on texts and vectors. `audits`: whole audits.

    `long_text`: waiting for the process that reads long texts, which must not keep short ones waiting.
    `reading`, `writing`: the database. `upkeep`: metrics and what else must work while all others are full.
    """

    parsing: ThreadPool = field(default_factory=lambda: ThreadPool(1))
    text: ThreadPool = field(default_factory=lambda: ThreadPool(_TEXT_PLACES))
    long_text: ThreadPool = field(default_factory=lambda: ThreadPool(_TEXT_PLACES))
    audits: ThreadPool = field(default_factory=lambda: ThreadPool(1, waiting=8))
    reading: DatabasePool = field(default_factory=lambda: DatabasePool(_STORE_PLACES, waiting=32))
    writing: DatabasePool = field(default_factory=lambda: DatabasePool(_STORE_PLACES, waiting=256))
    upkeep: ThreadPool = field(default_factory=lambda: ThreadPool(2))

    def for_text(self, text: str | Sized) -> ThreadPool:
        """Where a text, or what else a caller gave in its place, is read."""
        return self.long_text if isinstance(text, str) and is_long(text) else self.text
