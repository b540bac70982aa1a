"""Which texts are nearly the same: by the share of the shingles that two of them have in common."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
from scipy.sparse import csr_matrix

SHINGLE = 5
"""Tokens in a row that two texts share or not."""

_ROWS = 512


def nearly_same(texts: Sequence[Sequence[Hashable]], least: float) -> Iterator[tuple[int, int]]:
    """Pairs (i, j), i < j, of texts whose shingles have a Jaccard similarity of `least` or more.

    Broder (1997). `texts`: each as its tokens. A block of rows at a time, to bound the memory.
    """
    columns: dict[tuple[Hashable, ...], int] = {}
    indices: list[int] = []
    ends = [0]
    for tokens in texts:
        shingles = {tuple(tokens[i : i + SHINGLE]) for i in range(max(1, len(tokens) - SHINGLE + 1))}
        indices += [columns.setdefault(shingle, len(columns)) for shingle in shingles]
        ends.append(len(indices))
    matrix = csr_matrix((np.ones(len(indices), np.int32), indices, ends), shape=(len(texts), len(columns)))
    sizes = np.diff(matrix.indptr)
    transposed = matrix.T.tocsr()
    for start in range(0, len(texts), _ROWS):
        shared = (matrix[start : start + _ROWS] @ transposed).tocoo()
        one, other, both = shared.row + start, shared.col, shared.data
        similar = both / (sizes[one] + sizes[other] - both)
        for i in np.flatnonzero((similar >= least) & (one < other)):
            yield int(one[i]), int(other[i])
