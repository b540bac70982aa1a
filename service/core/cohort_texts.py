"""Which texts make a cohort: a seeded sample of them, and of near-duplicates one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.core.vectors import Vectors

_NEAR_MEANS = 0.9
_NEAR = 0.95
"""Mean cosine of each passage to the nearest of the other text, both ways, from which two texts are one: the
same resume sent twice with another date, the same posting for another town."""


def drawn(count: int, most: int, seed: int) -> list[int]:
    """Indexes of `most` out of `count` texts, or all, in an order that the seed alone decides.

    Shuffled also where all are taken: the first of a cohort's postings are those that resumes are scored
    against, and files are often sorted.
    """
    return [int(i) for i in np.random.default_rng(seed).permutation(count)[:most]]


def without_near_duplicates(texts: Sequence[Vectors]) -> list[int]:
    """Indexes of the texts that are no near-duplicate of an earlier one; of each its vectors, (P, D)."""
    if not texts:
        return []
    means = np.stack([text.mean(axis=0) for text in texts])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    kept: list[int] = []
    for i, text in enumerate(texts):
        cosines = means[kept] @ means[i]
        if not any(_is_nearly(text, texts[kept[k]]) for k in np.flatnonzero(cosines >= _NEAR_MEANS)):
            kept.append(i)
    return kept


def _is_nearly(one: Vectors, other: Vectors) -> bool:
    cosines: NDArray[np.float32] = one @ other.T
    return min(float(cosines.max(axis=1).mean()), float(cosines.max(axis=0).mean())) >= _NEAR
