"""The bounded queue in front of the inference thread.

Requests wait here as lists of texts. A batch takes texts from the waiting requests in turn until
the token budget is full, so one request with a hundred resumes does not hold up one with a single
text, and hands them over sorted by length.

Bulk requests (batch jobs) and background ones (shadow audits) wait apart, each within a bound of their own.
A batch is made of bulk texts only when no live one waits, and of background ones only when no other does.
It is a small one, since a text that comes meanwhile waits for it to end; of bulk texts only while live
requests come.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.core.errors import QueueFullError, RequestTooLargeError, ShuttingDownError
from service.core.tokenization import TokenIds

Lane = Literal["live", "bulk", "background"]
"""In the order in which they are served."""

BULK_BATCH_TOKENS = 128
"""Most tokens in one batch of bulk texts while live requests come now and then."""

QUIET_SECONDS = 5.0
"""After so long without a live request bulk texts are encoded in batches of full size."""

BACKGROUND_BATCH_TOKENS = 128
"""Most tokens in one batch of background texts (one text at least): what a live text may have to wait for."""


class EncodingRequest:
    """The texts of one request and the future of their vectors, (N, D) in order."""

    def __init__(self, texts: Sequence[TokenIds], *, lane: Lane = "live", timed: bool = False) -> None:
        """`timed`: `begun` is kept, when a batch took its first text, in nanoseconds since 1970."""
        self.texts = texts
        self.begun: int | None = None
        self._timed = timed
        self.lane = lane
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
        if self._timed and self.begun is None:
            self.begun = time.time_ns()
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
class QueuedText:
    """One text of a request, in a batch."""

    request: EncodingRequest
    index: int

    @property
    def ids(self) -> TokenIds:
        return self.request.texts[self.index]


class _WaitingTexts:
    """Requests of one priority, and how much of them waits."""

    def __init__(self) -> None:
        self.requests: deque[EncodingRequest] = deque()
        self.tokens = 0
        self.texts = 0

    def add(self, request: EncodingRequest, *, first: bool) -> None:
        if first:
            self.requests.appendleft(request)
        else:
            self.requests.append(request)
        self.tokens += request.tokens
        self.texts += request.waiting

    def take(self, budget: int) -> list[QueuedText]:
        """Texts of the requests in turn, up to `budget` tokens, one at least."""
        batch: list[QueuedText] = []
        used = 0
        while self.requests:
            request = self.requests.popleft()
            item = QueuedText(request, request.take())
            batch.append(item)
            used += len(item.ids)
            self.tokens -= len(item.ids)
            self.texts -= 1
            if request.waiting:
                self.requests.append(request)
            if used >= budget or (self.requests and used + self.requests[0].next_length > budget):
                break
        return batch

    def drop_settled(self) -> None:
        """Forget requests that failed or were given up by their caller while part of them waited."""
        kept: deque[EncodingRequest] = deque()
        for request in self.requests:
            if request.future.done():
                while request.waiting:
                    self.tokens -= len(request.texts[request.take()])
                    self.texts -= 1
            else:
                kept.append(request)
        self.requests = kept

    def fail_all(self, error: BaseException) -> None:
        for request in self.requests:
            request.fail(error)
        self.requests.clear()
        self.tokens = self.texts = 0


class InferenceQueue:
    """Bounded by tokens. Thread-safe; any number of producers, one consumer at a time."""

    def __init__(
        self,
        max_tokens: int,
        on_change: Callable[[int], None],
        *,
        margin: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`max_tokens`: of one request, and with `margin` more of all of its lane that wait."""
        self._max_tokens = max_tokens
        self._margin = margin
        self._on_change = on_change
        self._clock = clock
        self._live = _WaitingTexts()
        self._bulk = _WaitingTexts()
        self._background = _WaitingTexts()
        self._lanes = {"live": self._live, "bulk": self._bulk, "background": self._background}
        self._live_seen = -math.inf
        self._closed = False
        self._changed = threading.Condition()

    @property
    def tokens(self) -> int:
        """Tokens of live requests that wait."""
        return self._live.tokens

    @property
    def is_drained(self) -> bool:
        """True once the queue is closed and nothing waits."""
        return self._closed and not self._live.requests

    def put(self, request: EncodingRequest, *, urgent: bool = False, retry_after: int = 1) -> None:
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
            line = self._lanes[request.lane]
            if request.lane == "live" and not urgent:
                self._live_seen = self._clock()
            most = self._max_tokens + self._margin
            if line.tokens + request.tokens > most:
                line.drop_settled()
            if not urgent and line.tokens + request.tokens > most:
                raise QueueFullError(
                    f"the inference queue holds {line.tokens:,} of {most:,} tokens; "
                    f"{request.tokens:,} more do not fit now",
                    retry_after=retry_after,
                    limit=most,
                    actual=line.tokens + request.tokens,
                )
            line.add(request, first=urgent)
            self._announce()

    def take(self, budget: int) -> list[QueuedText] | None:
        """Wait for work and return a batch of at most `budget` tokens (one text at least), longest first.

        Of bulk texts it is at most `BULK_BATCH_TOKENS` where a live request came lately, of background texts
        at most `BACKGROUND_BATCH_TOKENS`. Returns None once the queue is closed and empty.
        """
        with self._changed:
            while True:
                for line in self._lanes.values():
                    line.drop_settled()
                if self._live.requests:
                    batch = self._live.take(budget)
                    break
                if self._closed:
                    return None
                if self._bulk.requests:
                    quiet = self._clock() - self._live_seen >= QUIET_SECONDS
                    batch = self._bulk.take(budget if quiet else min(budget, BULK_BATCH_TOKENS))
                    break
                if self._background.requests:
                    batch = self._background.take(min(budget, BACKGROUND_BATCH_TOKENS))
                    break
                self._changed.wait()
            self._announce()
        return sorted(batch, key=lambda item: len(item.ids), reverse=True)

    def forget(self, request: EncodingRequest) -> None:
        """Drop a request whose caller left: its texts make room at once."""
        request.future.cancel()
        with self._changed:
            self._lanes[request.lane].drop_settled()
            self._announce()

    def close(self) -> None:
        """Take no more requests; live ones that wait are still served, the others fail."""
        with self._changed:
            self._closed = True
            for line in (self._bulk, self._background):
                line.fail_all(ShuttingDownError("the service is shutting down"))
            self._changed.notify_all()

    def fail_all(self, error: BaseException) -> None:
        """Fail every waiting request."""
        with self._changed:
            for line in self._lanes.values():
                line.fail_all(error)
            self._announce()

    def _announce(self) -> None:
        self._on_change(self._live.texts)
        self._changed.notify_all()
