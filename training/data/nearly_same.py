"""Which texts are nearly the same: by the share of the shingles that two of them have in common."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

SHINGLE = 5
"""Tokens in a row that two texts share or not."""

_ROWS = 512


def shingles_of(tokens: Sequence[Hashable]) -> NDArray[np.int64]:
    """Hashes of the shingles of a text, sorted, each once. They are equal within one process."""
    runs = (tuple(tokens[i : i + SHINGLE]) for i in range(max(1, len(tokens) - SHINGLE + 1)))
    return np.unique(np.fromiter((hash(run) for run in runs), np.int64))


def nearly_same(texts: Iterable[Sequence[Hashable]], least: float) -> Iterator[tuple[int, int]]:
    """Pairs (i, j), i < j, of texts whose shingles have a Jaccard similarity of `least` or more.

    Broder (1997). `texts`: each as its tokens, of which 64-bit hashes of the shingles are kept. A block of
    rows at a time, to bound the memory.
    """
    found = [shingles_of(tokens) for tokens in texts]
    if not found:
        return
    sizes = np.array([len(shingles) for shingles in found])
    hashes, columns = np.unique(np.concatenate(found), return_inverse=True)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    matrix = csr_matrix((np.ones(len(columns), np.int32), columns, ends), shape=(len(sizes), len(hashes)))
    del found, hashes, columns
    # What stands in one text only is shared by no pair.
    shared_columns = np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]) > 1)
    matrix = matrix[:, shared_columns]
    transposed = matrix.T.tocsr()
    for start in range(0, len(sizes), _ROWS):
        shared = (matrix[start : start + _ROWS] @ transposed).tocoo()
        one, other, both = shared.row + start, shared.col, shared.data
        similar = both / (sizes[one] + sizes[other] - both)
        for i in np.flatnonzero((similar >= least) & (one < other)):
            yield int(one[i]), int(other[i])
