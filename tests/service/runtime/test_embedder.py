from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from service.core.errors import RequestTooLargeError, WorkerDownError
from service.runtime.embedder import Embedder
from service.runtime.embedding_cache import EmbeddingCache
from service.runtime.inference_queue import InferenceQueue
from service.runtime.inference_worker import InferenceWorker
from service.runtime.observer import RuntimeObserver
from tests.support.fakes import FakeEngine
from tests.support.patience import PATIENCE


class Lookups(RuntimeObserver):
    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def cache_looked_up(self, hits: int, misses: int) -> None:
        self.seen.append((hits, misses))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def lookups() -> Lookups:
    return Lookups()


@pytest.fixture
def embedder(engine: FakeEngine, lookups: Lookups) -> Iterator[Embedder]:
    worker = InferenceWorker(
        engine,
        lambda: engine,
        InferenceQueue(10_000, lambda _: None),
        batch_tokens=1000,
        stall_seconds=60,
        observer=lookups,
    )
    worker.start()
    cache = EmbeddingCache(2**20, engine.info.dimensions)
    yield Embedder(worker, cache, engine.info, probe=(2, 7, 3), observer=lookups)
    worker.stop(5)


async def test_texts_of_a_refused_request_are_not_counted(embedder: Embedder, lookups: Lookups) -> None:
    """The queue's length in seconds divides by this count: callers who try again must not shorten it."""
    with pytest.raises(RequestTooLargeError):
        await embedder.embed([tuple(range(10_001))])
    assert lookups.seen == []


async def test_equal_texts_are_encoded_once(embedder: Embedder, engine: FakeEngine, lookups: Lookups) -> None:
    vectors = await embedder.embed([(2, 5, 3), (2, 6, 3), (2, 5, 3)])
    assert np.array_equal(vectors[0], vectors[2])
    assert sum(map(len, engine.batches)) == 2
    again = await embedder.embed([(2, 6, 3), (2, 8, 3)])
    assert np.array_equal(again[0], vectors[1])
    assert sum(map(len, engine.batches)) == 3
    assert lookups.seen == [(1, 2), (1, 1)]


async def test_no_texts_have_no_vectors(embedder: Embedder) -> None:
    assert (await embedder.embed([])).shape == (0, 384)


async def test_the_event_loop_turns_while_the_engine_works(embedder: Embedder, engine: FakeEngine) -> None:
    turned = threading.Event()
    engine.before = lambda batch: turned.wait(PATIENCE)
    task = asyncio.create_task(embedder.embed([(2, 5, 3)]))
    for _ in range(10):
        await asyncio.sleep(0.01)
    assert not task.done()
    turned.set()
    await task


async def test_a_check_runs_the_engine_every_time(embedder: Embedder, engine: FakeEngine) -> None:
    await embedder.check(PATIENCE)
    await embedder.check(PATIENCE)
    assert engine.batches == [[(2, 7, 3)], [(2, 7, 3)]]


async def test_a_check_does_not_wait_for_ever(embedder: Embedder, engine: FakeEngine) -> None:
    release = threading.Event()
    engine.before = lambda batch: release.wait(PATIENCE)
    with pytest.raises(WorkerDownError, match=r"did not come back within 0\.05 s"):
        await embedder.check(0.05)
    release.set()


async def test_background_texts_use_the_cache_but_are_not_counted_there(
    embedder: Embedder, engine: FakeEngine, lookups: Lookups
) -> None:
    known = await embedder.embed([(2, 5, 3)])
    vectors = await embedder.embed([(2, 5, 3), (2, 6, 3)], lane="background")
    assert np.array_equal(vectors[0], known[0])
    assert sum(map(len, engine.batches)) == 2
    assert lookups.seen == [(0, 1)]
