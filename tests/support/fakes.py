"""A tiny encoder without weights, so that the real app runs in tests in milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from service.core.engines.engine import EngineInfo
from service.core.tokenization import TokenIds

DIMENSIONS = 384


@lru_cache(maxsize=100_000)
def _direction(token: int) -> NDArray[np.float64]:
    return np.random.default_rng(token).standard_normal(DIMENSIONS)


class FakeEngine:
    """A bag of words: each token has a random direction, a text is the sum of its tokens.

    `before` is called with every batch; it can block, raise, or kill the worker's thread.
    """

    def __init__(self, before: Callable[[Sequence[TokenIds]], object] | None = None) -> None:
        self.before = before
        self.batches: list[list[TokenIds]] = []
        self.closed = False
        self.threads: set[int] = set()
        self.info = EngineInfo(
            name="openvino",
            device="cpu",
            precision="f32",
            dimensions=DIMENSIONS,
            threads=1,
            batch_invariant=True,
        )

    def embed(self, batch: Sequence[TokenIds]) -> NDArray[np.float32]:
        assert not self.closed, "used after close"
        self.threads.add(threading.get_ident())
        self.batches.append(list(batch))
        if self.before is not None:
            self.before(batch)
        vectors = np.stack([np.sum([_direction(token) for token in ids], axis=0) for ids in batch])
        unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(
            np.float32
        )
        return unit

    def close(self) -> None:
        self.closed = True


class WorkerKilled(BaseException):
    """What a thread dies of that is no exception of the engine: out of memory, an interpreter exit."""
