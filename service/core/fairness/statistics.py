"""Confidence, the tests of two rates, and the correction for many tests."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.core.fairness.counts import Share

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """[low, high] at `CONFIDENCE`."""

    low: float
    high: float


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p-values, in the order given: the family-wise error rate is kept."""
    order = np.argsort(p_values, kind="stable")
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[int(index)] = highest
    return adjusted


SMALL_CELL = 5
"""An expected count below it asks for the exact test (Cochran 1954)."""


@dataclass(frozen=True, slots=True)
class RateTest:
    """A two-sided test of "both groups have the same rate"; `p_value` is in (0, 1]."""

    name: Literal["fisher_exact", "two_proportion_z"]
    p_value: float


def significance(first: Share, second: Share) -> RateTest:
    """Fisher's exact test if an expected count is under 5, else the pooled two-proportion z test.

    Neither group may be empty. The test takes each person as one independent decision.
    """
    total = first.n + second.n
    counted = first.count + second.count
    smallest_margins = min(first.n, second.n) * min(counted, total - counted)
    if smallest_margins < SMALL_CELL * total:
        return RateTest("fisher_exact", _fisher_exact(first, second))
    return RateTest("two_proportion_z", _two_proportion_z(first, second))


def _two_proportion_z(first: Share, second: Share) -> float:
    pooled = (first.count + second.count) / (first.n + second.n)
    error = math.sqrt(pooled * (1 - pooled) * (1 / first.n + 1 / second.n))
    z = abs(first.rate - second.rate) / error
    return max(math.erfc(z / math.sqrt(2)), sys.float_info.min)


def _fisher_exact(first: Share, second: Share) -> float:
    """The hypergeometric chance of all tables with these margins that are no likelier than the one seen.

    Written out because importing scipy.stats takes a second of every start; the tests compare with it.
    """
    counted, total = first.count + second.count, first.n + second.n
    cells = np.arange(max(0, counted - second.n), min(counted, first.n) + 1)  # of the first group
    weights = _log_choose(first.n, cells) + _log_choose(second.n, counted - cells)
    chances = np.exp(weights - _log_choose(total, np.asarray(counted)))
    seen = chances[first.count - cells[0]]
    # Equally likely tables may differ by rounding.
    p_value = float(chances[chances <= seen * (1 + 1e-7)].sum())
    return min(1.0, max(p_value, sys.float_info.min))


def _log_choose(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    from scipy.special import gammaln  # takes 0.3 s: not before the first report, or the warm-up

    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))
