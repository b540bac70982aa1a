"""Token ids -> unit vectors, for coroutines: deduplicated, cached, queued, computed by the worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.core.engines.engine import EngineInfo
from service.core.errors import WorkerDownError
from service.core.tenants import DEFAULT_TENANT
from service.core.tokenization import TokenIds
from service.runtime.embedding_cache import EmbeddingCache, Key
from service.runtime.inference_queue import EncodingRequest, Lane
from service.runtime.inference_worker import InferenceWorker
from service.runtime.observer import RuntimeObserver
from service.runtime.usage import tokens_used
from service.tracing import Spans, spans


class Embedder:
    """The one way to the engine. Its coroutines never block the event loop on inference."""

    def __init__(
        self,
        worker: InferenceWorker,
        cache: EmbeddingCache,
        info: EngineInfo,
        *,
        probe: TokenIds,
        observer: RuntimeObserver,
    ) -> None:
        self._worker = worker
        self._cache = cache
        self._probe = probe
        self._observer = observer
        self.info = info

    async def embed(
        self, texts: Sequence[TokenIds], *, lane: Lane = "live", tenant: str = DEFAULT_TENANT
    ) -> NDArray[np.float32]:
        """Vectors of `texts` in order, (N, D). Equal texts of one tenant are encoded once.

        Texts of another `lane` than live ones displace no vector in the cache and are not counted there.
        Raises a `CapacityError` if there is no room or no worker, an `EngineError` if inference fails.
        """
        live = lane == "live"
        keys = [self._cache.key(ids, tenant) for ids in texts]
        known: dict[Key, NDArray[np.float32]] = {}
        missing: dict[Key, TokenIds] = {}
        hits = 0
        for key, ids in zip(keys, texts, strict=True):
            if key in known or key in missing:
                hits += 1
            elif (vector := self._cache.get(key, recent=live)) is not None:
                known[key] = vector
                hits += 1
            else:
                missing[key] = ids
        traced, queued = spans(), time.time_ns()
        request = EncodingRequest(list(missing.values()), lane=lane, timed=traced is not None)
        if missing:
            self._worker.submit(request)
        tokens_used(sum(map(len, texts)))
        if live:  # not before: texts of a refused request are never encoded
            self._observer.cache_looked_up(hits, len(missing))
        if missing:
            try:
                computed = await asyncio.wrap_future(request.future)
            except asyncio.CancelledError:
                self._worker.forget(request)
                raise
            finally:
                if traced is not None:
                    _trace(traced, request, queued)
            for key, vector in zip(missing, computed, strict=True):
                self._cache.put(key, vector, recent=live)
                known[key] = vector
        if not keys:
            return np.empty((0, self.info.dimensions), dtype=np.float32)
        return np.stack([known[key] for key in keys])

    async def check(self, timeout: float) -> None:
        """Run a real forward pass of a short text, ahead of all that waits and past the cache.

        Raises `WorkerDownError` if it does not come back within `timeout` seconds.
        """
        request = EncodingRequest([self._probe])
        self._worker.submit(request, urgent=True)
        try:
            await asyncio.wait_for(asyncio.wrap_future(request.future), timeout)
        except TimeoutError:
            raise WorkerDownError(
                f"a forward pass did not come back within {timeout:g} s", retry_after=5
            ) from None


def _trace(traced: Spans, request: EncodingRequest, queued: int) -> None:
    """The time until the first text was taken, and from then on."""
    now = time.time_ns()
    begun = now if request.begun is None else request.begun
    numbers = {"texts": len(request.texts), "tokens": request.tokens}
    traced.past("evenmatch.queue", queued, begun, numbers)
    if request.begun is not None:
        traced.past("evenmatch.inference", begun, now, numbers)
