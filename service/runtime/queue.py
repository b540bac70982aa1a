"""The bounded queue in front of the inference thread.

Requests wait here as lists of texts. A batch takes texts from the waiting requests in turn until
the token budget is full, so one request with a hundred resumes does not hold up one with a single
text, and hands them over sorted by length.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.core.errors import QueueFullError, RequestTooLargeError, ShuttingDownError
from service.core.tokenization import TokenIds


class EmbedRequest:
    """The texts of one request and the future of their vectors, (N, D) in order."""

    def __init__(self, texts: Sequence[TokenIds]) -> None:
        self.texts = texts
        self.tokens = sum(map(len, texts))
        self.future: Future[NDArray[np.float32]] = Future()
        self._waiting = deque(range(len(texts)))
        self._missing = len(texts)
        self._vectors: NDArray[np.float32] | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def next_length(self) -> int:
        """Tokens of the next text that no batch holds yet."""
        return len(self.texts[self._waiting[0]])

    def take(self) -> int:
        """Index of the next text that no batch holds yet."""
        return self._waiting.popleft()

    def deliver(self, index: int, vector: NDArray[np.float32]) -> None:
        if self._vectors is None:
            self._vectors = np.empty((len(self.texts), vector.shape[0]), dtype=np.float32)
        self._vectors[index] = vector
        self._missing -= 1
        if self._missing == 0:
            self._settle(lambda: self.future.set_result(self._vectors))  # type: ignore[arg-type]  # not None here

    def fail(self, error: BaseException) -> None:
        """Fail the whole request; its remaining texts are dropped by the queue."""
        self._settle(lambda: self.future.set_exception(error))

    def _settle(self, action: Callable[[], None]) -> None:
        with contextlib.suppress(InvalidStateError):  # failed or cancelled before: the first word counts
            action()


@dataclass(frozen=True, slots=True)
class Item:
    """One text of a request, in a batch."""

    request: EmbedRequest
    index: int

    @property
    def ids(self) -> TokenIds:
        return self.request.texts[self.index]


class InferenceQueue:
    """Bounded by tokens. Thread-safe; any number of producers, one consumer at a time."""

    def __init__(self, max_tokens: int, on_change: Callable[[int], None]) -> None:
        self._max_tokens = max_tokens
        self._on_change = on_change
        self._requests: deque[EmbedRequest] = deque()
        self._tokens = 0
        self._texts = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def tokens(self) -> int:
        return self._tokens

    @property
    def is_drained(self) -> bool:
        """True once the queue is closed and nothing waits."""
        return self._closed and not self._requests

    def put(self, request: EmbedRequest, *, urgent: bool = False, retry_after: int = 1) -> None:
        """Add a request. `urgent` ones (health probes) go first and are not counted against the bound.

        Raises `RequestTooLargeError` if the request could never fit, `QueueFullError` if it does not
        fit now, `ShuttingDownError` after `close`.
        """
        if request.tokens > self._max_tokens and not urgent:
            raise RequestTooLargeError(
                f"the request has {request.tokens:,} tokens; the limit is {self._max_tokens:,}: split it",
                limit=self._max_tokens,
                actual=request.tokens,
            )
        with self._changed:
            if self._closed:
                raise ShuttingDownError("the service is shutting down and takes no new work")
            if not urgent and self._tokens + request.tokens > self._max_tokens:
                raise QueueFullError(
                    f"the inference queue holds {self._tokens:,} of {self._max_tokens:,} tokens; "
                    f"{request.tokens:,} more do not fit now",
                    retry_after=retry_after,
                    limit=self._max_tokens,
                    actual=self._tokens + request.tokens,
                )
            if urgent:
                self._requests.appendleft(request)
            else:
                self._requests.append(request)
            self._tokens += request.tokens
            self._texts += request.waiting
            self._announce()

    def take(self, budget: int) -> list[Item] | None:
        """Wait for work and return a batch of at most `budget` tokens (one text at least), longest first.

        Returns None once the queue is closed and empty.
        """
        with self._changed:
            while True:
                self._drop_settled()
                if self._requests:
                    break
                if self._closed:
                    return None
                self._changed.wait()
            batch: list[Item] = []
            used = 0
            while self._requests:
                request = self._requests.popleft()
                item = Item(request, request.take())
                batch.append(item)
                used += len(item.ids)
                self._tokens -= len(item.ids)
                self._texts -= 1
                if request.waiting:
                    self._requests.append(request)
                if used >= budget or (self._requests and used + self._requests[0].next_length > budget):
                    break
            self._announce()
        return sorted(batch, key=lambda item: len(item.ids), reverse=True)

    def close(self) -> None:
        """Take no more requests; those that wait are still served."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def fail_all(self, error: BaseException) -> None:
        """Fail every waiting request."""
        with self._changed:
            for request in self._requests:
                request.fail(error)
            self._requests.clear()
            self._tokens = self._texts = 0
            self._announce()

    def _drop_settled(self) -> None:
        """Forget requests that failed or were given up by their caller while part of them waited."""
        kept: deque[EmbedRequest] = deque()
        for request in self._requests:
            if request.future.done():
                while request.waiting:
                    self._tokens -= len(request.texts[request.take()])
                    self._texts -= 1
            else:
                kept.append(request)
        self._requests = kept

    def _announce(self) -> None:
        self._on_change(self._texts)
        self._changed.notify_all()
