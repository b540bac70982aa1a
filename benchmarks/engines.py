"""The raw engine beside plain torch, and the arithmetic that the processor could do at best."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from service.core.base_model import find_verified
from service.core.bundle import Bundle
from service.core.encoder import load_encoder
from service.core.engines.engine import padded
from service.core.engines.loading import EngineOptions, LoadedModel, load_model
from service.core.tokenization import TokenIds
from service.runtime.devices import choose_engine

TORCH_BATCH = 32
Embed = Callable[[Sequence[TokenIds]], NDArray[np.float32]]


@dataclass(frozen=True)
class Engines:
    """What is compared: the engine that `auto` chooses, and torch in fp32 as one would write it."""

    chosen: LoadedModel
    plain_torch: Embed


def load(bundle: Bundle, cache: Path, threads: int) -> Engines:
    torch.set_num_threads(threads)
    choice = choose_engine("auto")
    chosen = load_model(bundle, EngineOptions(choice.name, choice.device, threads, cache))
    base = find_verified(bundle.manifest.base_model)
    encoder = load_encoder(base, bundle.manifest.pooling, bundle.adapter_path, bundle.eraser)

    def plain_torch(texts: Sequence[TokenIds]) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(texts), TORCH_BATCH):
            batch = texts[start : start + TORCH_BATCH]
            ids, mask = padded(batch, max(map(len, batch)))
            with torch.inference_mode():
                parts.append(encoder(torch.from_numpy(ids), torch.from_numpy(mask)).numpy())
        return np.concatenate(parts)

    return Engines(chosen, plain_torch)


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def model_gflop(bundle: Bundle, tokens: int) -> float:
    """Multiplications and additions of one text: 6 BERT layers of width h = dimensions, in 1e9.

    Per token and layer 24 h^2 for the projections and the feed-forward part, 4 h T for attention.
    """
    layers, h = 6, bundle.manifest.base_model.dimensions
    return layers * tokens * (24 * h * h + 4 * h * tokens) / 1e9


def peak_gflops(threads: int) -> float:
    """The fastest fp32 matrix product that this processor was seen to do, in 1e9 operations a second."""
    torch.set_num_threads(threads)
    n = 2_048
    a, b = torch.randn(n, n), torch.randn(n, n)
    return max(2 * n**3 / 1e9 / seconds(lambda: a @ b) for _ in range(8))
