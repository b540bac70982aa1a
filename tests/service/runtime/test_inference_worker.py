from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from service.core.errors import EngineError, QueueFullError, ShuttingDownError, WorkerDownError
from service.core.tokenization import TokenIds
from service.runtime.inference_queue import EncodingRequest, InferenceQueue
from service.runtime.inference_worker import InferenceWorker
from service.runtime.observer import RuntimeObserver
from tests.support.fakes import FakeEngine, WorkerKilled
from tests.support.patience import PATIENCE, wait_until

POISON = (2, 666, 3)


class Heard(RuntimeObserver):
    def __init__(self) -> None:
        self.restarts = 0
        self.batches: list[int] = []

    def batch_done(self, tokens: int, seconds: float) -> None:
        self.batches.append(tokens)

    def worker_restarted(self) -> None:
        self.restarts += 1


class Bench:
    """A worker with its engines, as many as were made."""

    def __init__(
        self, before: Callable[[Sequence[TokenIds]], object] | None = None, stall_seconds: float = PATIENCE
    ) -> None:
        self.engines: list[FakeEngine] = []
        self.before = before
        self.broken_factory = False
        self.heard = Heard()
        self.queue = InferenceQueue(1000, lambda _: None)
        self.worker = InferenceWorker(
            self._make(),
            self._make,
            self.queue,
            batch_tokens=100,
            stall_seconds=stall_seconds,
            observer=self.heard,
        )

    def _make(self) -> FakeEngine:
        if self.broken_factory:
            raise EngineError("no memory")
        self.engines.append(FakeEngine(self.before))
        return self.engines[-1]

    def send(self, *texts: TokenIds) -> EncodingRequest:
        request = EncodingRequest(texts)
        self.worker.submit(request)
        return request


Run = Callable[..., Bench]


@pytest.fixture
def run() -> Iterator[Run]:
    benches: list[Bench] = []

    def start(
        before: Callable[[Sequence[TokenIds]], object] | None = None, stall_seconds: float = PATIENCE
    ) -> Bench:
        bench = Bench(before, stall_seconds)
        bench.worker.start()
        benches.append(bench)
        return bench

    yield start
    for bench in benches:
        bench.worker.stop(PATIENCE)


def fail_on_poison(batch: Sequence[TokenIds]) -> None:
    if POISON in batch:
        raise RuntimeError("engine exception that quotes the text")


def die_on_poison(batch: Sequence[TokenIds]) -> None:
    if POISON in batch:
        raise WorkerKilled


def test_vectors_are_computed_by_one_thread(run: Run) -> None:
    bench = run()
    requests = [bench.send((2, i, 3)) for i in range(20)]
    vectors = [request.future.result(PATIENCE) for request in requests]
    assert all(v.shape == (1, 384) for v in vectors)
    assert len(bench.engines[0].threads) == 1
    assert threading.get_ident() not in bench.engines[0].threads
    assert sum(bench.heard.batches) == 60


def test_an_engine_exception_fails_only_its_own_request(run: Run) -> None:
    release = threading.Event()

    def hold_the_first(batch: Sequence[TokenIds]) -> None:
        if batch[0] == (1,):
            release.wait(PATIENCE)
        fail_on_poison(batch)

    bench = run(hold_the_first)
    first = bench.send((1,))
    wait_until(lambda: bool(bench.engines[0].batches))
    good, bad, other = bench.send((2, 5, 3)), bench.send(POISON, (2, 9, 3)), bench.send((2, 6, 3))
    release.set()
    assert first.future.result(PATIENCE).shape == (1, 384)
    assert good.future.result(PATIENCE).shape == other.future.result(PATIENCE).shape == (1, 384)
    with pytest.raises(EngineError) as caught:
        bad.future.result(PATIENCE)
    assert "quotes" not in str(caught.value)
    assert bench.worker.state == "running"
    assert bench.heard.restarts == 0


def test_an_engine_that_runs_out_of_memory_fails_that_request_and_serves_the_next(run: Run) -> None:
    def need_too_much(batch: Sequence[TokenIds]) -> None:
        if batch[0] == POISON:
            raise MemoryError

    bench = run(need_too_much)
    with pytest.raises(EngineError):
        bench.send(POISON).future.result(PATIENCE)
    assert bench.send((2, 5, 3)).future.result(PATIENCE).shape == (1, 384)


def test_a_dead_worker_is_replaced_and_what_waits_is_served(run: Run) -> None:
    bench = run(die_on_poison)
    doomed = bench.send(POISON)
    with pytest.raises(WorkerDownError):
        doomed.future.result(PATIENCE)
    wait_until(lambda: bench.heard.restarts == 1)
    assert bench.send((2, 5, 3)).future.result(PATIENCE).shape == (1, 384)
    assert bench.engines[0].closed
    assert len(bench.engines) == 2


def test_while_the_worker_is_down_requests_are_refused_at_once(run: Run) -> None:
    bench = run(die_on_poison)
    bench.broken_factory = True
    with pytest.raises(WorkerDownError):
        bench.send(POISON).future.result(PATIENCE)
    wait_until(lambda: bench.worker.state == "down")
    with pytest.raises(WorkerDownError) as caught:
        bench.send((2, 5, 3))
    assert caught.value.retry_after >= 1
    bench.broken_factory = False
    wait_until(lambda: bench.heard.restarts == 1)
    assert bench.send((2, 5, 3)).future.result(PATIENCE).shape == (1, 384)


def test_a_hanging_engine_call_is_given_up_and_replaced(run: Run) -> None:
    release = threading.Event()

    def hang_on_poison(batch: Sequence[TokenIds]) -> None:
        if POISON in batch:
            release.wait(PATIENCE)

    bench = run(hang_on_poison, stall_seconds=0.5)
    hung = bench.send(POISON)
    with pytest.raises(WorkerDownError, match="hangs"):
        hung.future.result(PATIENCE)
    wait_until(lambda: bench.heard.restarts == 1)
    assert bench.send((2, 5, 3)).future.result(PATIENCE).shape == (1, 384)
    release.set()


def test_a_full_queue_says_when_to_come_back(run: Run) -> None:
    release = threading.Event()
    bench = run(lambda batch: time.sleep(0.05))
    bench.send(tuple(range(100))).future.result(PATIENCE)  # now it knows how fast it is
    bench.engines[0].before = lambda batch: release.wait(PATIENCE)
    waiting = [bench.send(tuple(range(100))) for _ in range(10)]
    with pytest.raises(QueueFullError) as caught:
        bench.send(tuple(range(300)))
    assert 1 <= caught.value.retry_after <= 600
    release.set()
    assert all(request.future.result(PATIENCE).shape == (1, 384) for request in waiting)


def test_stopping_serves_what_waits_first(run: Run) -> None:
    bench = run(lambda batch: time.sleep(0.05))
    requests = [bench.send(tuple(range(90))) for _ in range(5)]
    bench.worker.stop(PATIENCE)
    assert all(request.future.result(0).shape == (1, 384) for request in requests)
    with pytest.raises(ShuttingDownError):
        bench.send((1,))
    assert bench.worker.state == "stopped"
    assert bench.engines[0].closed


def test_stopping_out_of_time_fails_what_is_left(run: Run) -> None:
    release = threading.Event()
    bench = run(lambda batch: release.wait(PATIENCE))
    requests = [bench.send(tuple(range(90))) for _ in range(3)]
    bench.worker.stop(0.05)
    with pytest.raises(WorkerDownError):
        requests[-1].future.result(PATIENCE)
    release.set()
