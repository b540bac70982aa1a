"""Token ids as padded arrays, and checks that all engines share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from service.core.errors import EngineError
from service.core.tokenization import TokenIds

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
    embed: Callable[[Sequence[TokenIds]], NDArray[np.float32]], probes: Sequence[TokenIds]
) -> bool:
    """Encode each probe alone and all together, repeated and reversed: are the vectors equal bit for bit?"""
    alone = np.concatenate([embed([ids]) for ids in probes])
    together = embed([*probes, *reversed(probes), *probes])
    n = len(probes)
    expected = np.concatenate([alone, alone[::-1], alone])
    return together.shape == (3 * n, alone.shape[1]) and bool(np.array_equal(together, expected))
