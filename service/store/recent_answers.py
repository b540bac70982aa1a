"""The last answers in memory, for a retry that comes when the database cannot be asked any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from service.store.answers import Answer

RECENT_SECONDS = 30.0
"""No longer, since no erasure reaches an answer here."""

RECENT_CHARACTERS = 16 * 2**20


class RecentAnswers:
    """Thread-safe. The oldest go first, above `most` characters of content and after `seconds`."""

    def __init__(
        self,
        seconds: float = RECENT_SECONDS,
        most: int = RECENT_CHARACTERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: dict[str, tuple[float, Answer]] = {}  # by key, the oldest first
        self._characters = 0

    def put(self, answer: Answer) -> None:
        """Remember an answer, in place of another one under the same key."""
        with self._lock:
            self._drop(answer.key)
            self._answers[answer.key] = self._clock(), answer
            self._characters += len(answer.content or "")
            while self._characters > self._most:
                self._drop(next(iter(self._answers)))
            self._drop_old()

    def get(self, key: str) -> Answer | None:
        """The answer under a key, unless it is too old."""
        with self._lock:
            self._drop_old()
            found = self._answers.get(key)
            return None if found is None else found[1]

    def _drop_old(self) -> None:
        oldest_kept = self._clock() - self._seconds
        while self._answers:
            key, (put, _) = next(iter(self._answers.items()))
            if put > oldest_kept:
                return
            self._drop(key)

    def _drop(self, key: str) -> None:
        found = self._answers.pop(key, None)
        if found is not None:
            self._characters -= len(found[1].content or "")
