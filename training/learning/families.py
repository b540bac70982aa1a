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
from training.data.nearly_same import nearly_same

NEARLY_SAME = 0.5
"""Jaccard similarity of shingles (Broder 1997) from which on two postings are one: a posting less a
quarter of its text keeps 0.7 of them."""


def families_of(texts: Sequence[Sequence[TokenIds]], names: Sequence[Sequence[Hashable]]) -> list[int]:
    """The number of each posting's family; equal numbers are one family.

    `texts`: passages of each posting, as token ids. `names`: of each, whatever makes it one with others that
    have the same (an occupation, a job family).
    """
    if not texts:
        return []
    tokens = [[token for ids in passages for token in ids] for passages in texts]
    pairs = [*_of_one_name(names), *nearly_same(tokens, NEARLY_SAME)]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    graph = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(texts), len(texts)))
    _, numbers = connected_components(graph, directed=False)
    return [int(number) for number in numbers]


def _of_one_name(names: Sequence[Sequence[Hashable]]) -> Iterator[tuple[int, int]]:
    first: dict[Hashable, int] = {}
    for number, of in enumerate(names):
        for name in of:
            yield first.setdefault(name, number), number
