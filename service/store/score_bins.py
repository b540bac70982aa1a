"""Bins of the calibrated probability, to know in which one the median of many decisions lies.

As wide as an eighth in log-odds, since probabilities crowd at 0: equal steps would have most of them in one
bin.
"""

from __future__ import annotations

import math
from bisect import bisect_right

from service.store.tables import BINS

# Rounded, so that every machine has the very same ones.
_INNER = tuple(round(1 / (1 + math.exp(-(i - BINS / 2) / 8)), 6) for i in range(1, BINS))

EDGES = (-math.inf, *_INNER, math.inf)
"""Bin `i` holds `EDGES[i] <= probability < EDGES[i + 1]`. Never changed: counts stand by them."""


def bin_of(probability: float) -> int:
    """The bin that holds `probability`."""
    return bisect_right(_INNER, probability)
