"""What every inference engine offers, and the padding and checks that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from service.core.errors import EngineError
from service.core.tokenization import TokenIds

EngineName = Literal["openvino", "torch"]
Precision = Literal["f32", "bf16", "f16"]
Device = Literal["cpu", "cuda", "mps"]

LENGTH_STEP = 8
"""On a CPU texts are padded to a multiple of this many tokens and batched with equals only, so that a
text's padding never depends on what travels beside it (see docs/adr/0004)."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """`batch_invariant`: tried at load; a text's vector does not depend on its batch, bit for bit."""

    name: EngineName
    device: Device
    precision: Precision
    dimensions: int
    threads: int
    batch_invariant: bool


class Engine(Protocol):
    """Turns token ids into unit vectors. Used by one thread at a time."""

    @property
    def info(self) -> EngineInfo: ...

    def embed(self, batch: Sequence[TokenIds]) -> NDArray[np.float32]:
        """Vectors of `batch`, (B, D), rows of length 1, in the order given.

        Raises `EngineError` if a vector is not finite.
        """
        ...

    def close(self) -> None:
        """Free the model. The engine is not used after that."""
        ...


Ids = NDArray[np.int64]


def padded(batch: Sequence[TokenIds], length: int) -> tuple[Ids, Ids]:
    """input_ids and attention_mask, both (B, length). Padding is id 0 under a zero mask."""
    ids = np.zeros((len(batch), length), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return ids, mask


def same_length_groups(
    batch: Sequence[TokenIds], *, step: int, rows: int, tokens: int, positions: int
) -> Iterator[tuple[int, list[int]]]:
    """Group texts whose length rounds up to the same multiple of `step`; longest first.

    Yields (padded length, indices into `batch`) with at most `rows` texts and about `tokens`
    padded tokens each. The padded length never exceeds `positions`.
    """
    by_length: dict[int, list[int]] = {}
    for index, ids in enumerate(batch):
        length = min(-(-len(ids) // step) * step, positions)
        by_length.setdefault(max(length, len(ids)), []).append(index)
    for length in sorted(by_length, reverse=True):
        indices = by_length[length]
        size = max(1, min(rows, tokens // length))
        for start in range(0, len(indices), size):
            yield length, indices[start : start + size]


def checked(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `vectors` if all are finite; a NaN must never become somebody's score."""
    if not np.isfinite(vectors).all():
        raise EngineError("the model produced a vector that is not finite")
    return vectors


def is_batch_invariant(
    embed: Callable[[Sequence[TokenIds]], NDArray[np.float32]], texts: Sequence[TokenIds]
) -> bool:
    """Encode each text alone and all together, repeated and reversed: are the vectors equal bit for bit?"""
    alone = np.concatenate([embed([ids]) for ids in texts])
    together = embed([*texts, *reversed(texts), *texts])
    n = len(texts)
    expected = np.concatenate([alone, alone[::-1], alone])
    return together.shape == (3 * n, alone.shape[1]) and bool(np.array_equal(together, expected))
