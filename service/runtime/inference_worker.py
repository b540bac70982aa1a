"""The inference thread and its supervisor.

One thread at a time calls the engine. An exception of the engine fails the requests that cause it
and nobody else's. A thread that dies, or that hangs in one call for `stall_seconds`, is replaced by
a new one with a freshly loaded engine; its requests fail with `WorkerDownError`, those that still
wait in the queue are kept for the new thread.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from service.core.engines.engine import Engine
from service.core.errors import EngineError, EvenmatchError, WorkerDownError
from service.runtime.inference_queue import EncodingRequest, InferenceQueue, QueuedText
from service.runtime.observer import RuntimeObserver

log = logging.getLogger(__name__)

WorkerState = Literal["running", "down", "stopped"]

_POLL_SECONDS = 0.1
_FIRST_BACKOFF_SECONDS = 0.5
_LAST_BACKOFF_SECONDS = 30.0


@dataclass
class _Inference:
    """One inference thread and its engine. `abandoned`: it hangs, and another one took its place."""

    engine: Engine
    thread: threading.Thread | None = None
    batch: list[QueuedText] = field(default_factory=list)
    busy_since: float | None = None
    abandoned: bool = False


class InferenceWorker:
    """Runs the queue's batches on an engine made by `factory`, and keeps doing so."""

    def __init__(
        self,
        engine: Engine,
        factory: Callable[[], Engine],
        queue: InferenceQueue,
        *,
        batch_tokens: int,
        stall_seconds: float,
        observer: RuntimeObserver,
    ) -> None:
        self._factory = factory
        self._queue = queue
        self._batch_tokens = batch_tokens
        self._stall_seconds = stall_seconds
        self._observer = observer
        self._current = _Inference(engine)
        self._stopping = threading.Event()
        self._tokens_per_second = 0.0
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self.state: WorkerState = "running"

    def start(self) -> None:
        self._begin(self._current)
        self._supervisor.start()

    def submit(self, request: EncodingRequest, *, urgent: bool = False) -> None:
        """Queue a request. Raises a `CapacityError` if the worker is down or the queue is full."""
        self.check()
        self._queue.put(request, urgent=urgent, retry_after=self.seconds_to_drain())

    def check(self) -> None:
        """Raise `WorkerDownError` if the worker is being restarted."""
        if self.state == "down":
            raise WorkerDownError("the inference worker is down and being restarted", retry_after=5)

    def forget(self, request: EncodingRequest) -> None:
        """Encode no more texts of a request for which nobody waits."""
        self._queue.forget(request)

    def seconds_to_drain(self, tokens: int = 0) -> int:
        """Estimated seconds, 1 to 600, until the engine has done what waits and `tokens` more."""
        if not self._tokens_per_second:
            return 1
        return max(1, min(600, math.ceil((self._queue.tokens + tokens) / self._tokens_per_second)))

    def stop(self, timeout: float) -> None:
        """Serve what waits, for up to `timeout` seconds, then stop."""
        self._queue.close()
        thread = self._current.thread
        if thread is not None:
            thread.join(timeout)
        self._stopping.set()
        self._supervisor.join(timeout=5)
        self.state = "stopped"
        self._queue.fail_all(WorkerDownError("the service stopped before this request was served"))
        if thread is None or not thread.is_alive():
            self._current.engine.close()

    def _begin(self, current: _Inference) -> None:
        current.thread = threading.Thread(target=self._run, args=(current,), name="inference", daemon=True)
        self._current = current
        current.thread.start()
        self.state = "running"

    def _run(self, current: _Inference) -> None:
        try:
            while not current.abandoned:
                batch = self._queue.take(self._batch_tokens)
                if batch is None:
                    return
                current.batch, current.busy_since = batch, time.monotonic()
                self._serve(current.engine, batch)
                current.batch, current.busy_since = [], None
        except BaseException as error:
            # Only the type: a message could quote what was being encoded.
            log.error("inference worker died: %s", type(error).__name__)
            if current is self._current:
                self.state = "down"
            _fail(current.batch, WorkerDownError("the inference worker died on this request", retry_after=5))

    def _serve(self, engine: Engine, batch: list[QueuedText]) -> None:
        started = time.perf_counter()
        tokens = sum(len(item.ids) for item in batch)
        try:
            vectors = engine.embed([item.ids for item in batch])
        except Exception as error:
            self._isolate(engine, batch, error)
            return
        for item, vector in zip(batch, vectors, strict=True):
            item.request.deliver(item.index, vector)
        seconds = time.perf_counter() - started
        self._observer.batch_done(tokens, seconds)
        rate = tokens / max(seconds, 1e-6)
        self._tokens_per_second = (
            rate if not self._tokens_per_second else 0.9 * self._tokens_per_second + 0.1 * rate
        )

    def _isolate(self, engine: Engine, batch: list[QueuedText], error: Exception) -> None:
        """Find whose texts the engine fails on: run each request's share alone."""
        requests = list(dict.fromkeys(item.request for item in batch))
        if len(requests) > 1:
            for request in requests:
                self._serve(engine, [item for item in batch if item.request is request])
            return
        log.error("engine failed on a batch of %d texts: %s", len(batch), type(error).__name__)
        reason = (
            error if isinstance(error, EvenmatchError) else EngineError("inference failed on this request")
        )
        requests[0].fail(reason)

    def _supervise(self) -> None:
        backoff = _FIRST_BACKOFF_SECONDS
        while not self._stopping.wait(_POLL_SECONDS):
            current = self._current
            if self.state == "running" and self._is_healthy(current):
                continue
            self.state = "down"
            current.abandoned = True
            _fail(current.batch, WorkerDownError("the inference worker hangs on this request", retry_after=5))
            if self._stopping.wait(backoff):
                return
            if current.thread is not None and not current.thread.is_alive():
                current.engine.close()  # before the next one is loaded, so that memory holds one
            try:
                fresh = _Inference(self._factory())
            except Exception as error:
                log.error("inference worker could not be restarted: %s", type(error).__name__)
                self._queue.fail_all(
                    WorkerDownError("the inference worker cannot be restarted", retry_after=30)
                )
                backoff = min(2 * backoff, _LAST_BACKOFF_SECONDS)
                continue
            self._begin(fresh)
            self._observer.worker_restarted()
            log.warning("inference worker restarted")
            backoff = _FIRST_BACKOFF_SECONDS

    def _is_healthy(self, current: _Inference) -> bool:
        if current.thread is not None and not current.thread.is_alive():
            return self._queue.is_drained
        busy_since = current.busy_since
        return busy_since is None or time.monotonic() - busy_since < self._stall_seconds


def _fail(batch: list[QueuedText], error: EvenmatchError) -> None:
    for item in batch:
        item.request.fail(error)
