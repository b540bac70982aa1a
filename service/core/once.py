"""Values that are read when they are first needed, once, whichever thread comes first."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from service.core.errors import WarmingUpError

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE_SECONDS = 1.0
"""After a failed attempt everybody is told of it for so long before the next one is made."""


class LoadedOnce(Generic[T]):
    """Calls `load` for the first caller and gives everybody what it returned.

    `functools.cache` is no lock: of threads that come together, each would load by itself, in memory of its
    own. Here the others wait. If `load` fails, those who waited get that failure instead of trying one after
    the other, and a later call tries again: nothing that passes (a full disk, no file descriptor, no memory)
    is kept. `what` names the value in messages. `clock` counts seconds.
    """

    def __init__(
        self, what: str, load: Callable[[], T], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.what = what
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._value: tuple[T] | None = None
        self._attempts = 0
        self._reason = ""
        self._failed_at = 0.0

    def __call__(self) -> T:
        """The value. Raises `WarmingUpError` while it cannot be loaded."""
        value = self._value
        if value is not None:
            return value[0]
        seen = self._attempts
        with self._lock:
            if self._value is None:
                waited_in_vain = self._attempts > seen
                if self._reason and (waited_in_vain or self._clock() < self._failed_at + PAUSE_SECONDS):
                    raise self._failure()
                self._value = (self._try(),)
            return self._value[0]

    def _try(self) -> T:
        self._attempts += 1
        try:
            value = self._load()
        except Exception as error:  # whatever it is, nobody can be served without the value
            reason = reason_of(error)
            if reason != self._reason and not is_passing(error):  # the error below does not say where
                log.exception("%s cannot be loaded", self.what)
            self._reason, self._failed_at = reason, self._clock()
            raise self._failure() from None
        self._reason = ""
        return value

    def _failure(self) -> WarmingUpError:
        return WarmingUpError(f"{self.what} cannot be loaded now: {self._reason}")


def is_passing(error: BaseException) -> bool:
    """Is it something that time or the operator can fix, rather than a bug?"""
    return isinstance(error, OSError | MemoryError)


def reason_of(error: BaseException) -> str:
    """What went wrong, in words that name no file of this machine."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "out of memory" if isinstance(error, MemoryError) else type(error).__name__
