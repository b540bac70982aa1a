"""Decisions on their way from the requests to the writer: a bounded queue.

When it fills up, answers first wait for the writer; beyond that requests are refused.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from service.core.errors import ShuttingDownError, StoreDownError
from service.store.decisions import Answer, Decision


@dataclass(eq=False, slots=True)
class Submission:
    """The decisions of one request.

    `safe` is done when they are kept, with None; or with the answer of an earlier request with the same
    `Idempotency-Key`, if they are left out because of it.

    `waiting`: the request's answer is held back until `safe` is done. Otherwise it goes out at once, and the
    decisions count as acknowledged from then on.
    """

    decisions: Sequence[Decision]
    waiting: bool = False
    safe: Future[Answer | None] = field(default_factory=Future)

    def earlier(self, answers: Mapping[str, Answer]) -> Answer | None:
        """Of the answers that count, by key, the one that counts instead of this submission's."""
        keyed = self.decisions[0].keyed if self.decisions else None
        answer = None if keyed is None else answers.get(keyed.key)
        return answer if keyed is not None and answer and answer.submission != keyed.submission else None


class WriteQueue:
    """Thread-safe. Above `limit` decisions answers wait for the writer; above twice as many it refuses."""

    def __init__(self, limit: int, changed: Callable[[int], None]) -> None:
        """`changed` is called with the number of decisions that wait, under the queue's lock."""
        self._limit = limit
        self._changed = changed
        self._condition = threading.Condition()
        self._submissions: deque[Submission] = deque()
        self._decisions = 0
        self._oldest = 0.0
        self._woken = False
        self._closed = False

    def put(self, submission: Submission) -> None:
        """Raises `StoreDownError` if there is no room, `ShuttingDownError` after `close`."""
        with self._condition:
            if self._closed:
                raise ShuttingDownError("the service is shutting down and records no more decisions")
            count = self._decisions + len(submission.decisions)
            if count > 2 * self._limit:
                most = 2 * self._limit
                raise StoreDownError(
                    f"{self._decisions:,} decisions wait to be recorded; there is room for {most:,}",
                    limit=most,
                    actual=count,
                )
            submission.waiting |= count > self._limit
            if not self._submissions:
                self._oldest = time.monotonic()
            self._submissions.append(submission)
            self._set_decisions(count)
            self._condition.notify_all()

    def take(self, patience: float | None, gather: float, most: int) -> list[Submission] | None:
        """The next submissions, of `most` decisions unless the first has more; None once closed and empty.

        Waits for something to arrive for `patience` seconds (None: forever), then up to `gather` seconds for
        more, unless an answer waits. Returns an empty list if nothing arrived, or `wake` was called.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._submissions or self._woken or self._closed, patience)
            if self._submissions:
                # Counted from when the oldest came: while the writer was busy with the last batch, these have
                # gathered already.
                left = self._oldest + gather - time.monotonic()
                self._condition.wait_for(lambda: self._urgent(most), max(0.0, left))
            elif self._closed:
                return None
            self._woken = False
            batch: list[Submission] = []
            count = 0
            while self._submissions and (not batch or count + len(self._submissions[0].decisions) <= most):
                batch.append(self._submissions.popleft())
                count += len(batch[-1].decisions)
            self._set_decisions(self._decisions - count)
            return batch

    def wake(self) -> None:
        """Let `take` return at once."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def close(self) -> None:
        """Accept nothing more; what is in the queue can still be taken out."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _urgent(self, most: int) -> bool:
        return self._closed or self._decisions >= most or any(s.waiting for s in self._submissions)

    def _set_decisions(self, count: int) -> None:
        self._decisions = count
        self._changed(count)
