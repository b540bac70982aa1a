"""Postings that look for the same people: whoever fits one of them is no non-match of another.

Of one family are postings of one occupation, of one `job_family`, and those whose texts are nearly the same:
a company posts a job again with another date, for another site, or cuts a paragraph.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from service.core.tokenization import TokenIds

SHINGLE = 5
"""Tokens in a row that two postings share or not."""

NEARLY_SAME = 0.5
"""Jaccard similarity of shingles (Broder 1997) from which on two postings are one: a posting less a
quarter of its text keeps 0.7 of them."""

_ROWS = 512


def families_of(texts: Sequence[Sequence[TokenIds]], names: Sequence[Sequence[Hashable]]) -> list[int]:
    """The number of each posting's family; equal numbers are one family.

    `texts`: passages of each posting, as token ids. `names`: of each, whatever makes it one with others that
    have the same (an occupation, a job family).
    """
    if not texts:
        return []
    pairs = [*_of_one_name(names), *_nearly_same(texts)]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    graph = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(texts), len(texts)))
    _, numbers = connected_components(graph, directed=False)
    return [int(number) for number in numbers]


def _of_one_name(names: Sequence[Sequence[Hashable]]) -> Iterator[tuple[int, int]]:
    first: dict[Hashable, int] = {}
    for number, of in enumerate(names):
        for name in of:
            yield first.setdefault(name, number), number


def _nearly_same(texts: Sequence[Sequence[TokenIds]]) -> Iterator[tuple[int, int]]:
    """Pairs of postings whose shingles overlap so far; a block of rows at a time, to bound the memory."""
    columns: dict[tuple[int, ...], int] = {}
    indices: list[int] = []
    ends = [0]
    for passages in texts:
        tokens = [token for ids in passages for token in ids]
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
        for i in np.flatnonzero((similar >= NEARLY_SAME) & (one < other)):
            yield int(one[i]), int(other[i])
