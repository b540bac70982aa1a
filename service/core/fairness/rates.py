"""Rates of one group and impact ratios of two, as 6 RCNY 5-300 defines them, with their intervals."""

from __future__ import annotations

import math
from enum import StrEnum
from fractions import Fraction
from statistics import NormalDist

from service.core.fairness.counts import GroupCounts, Share, check_counts
from service.core.fairness.figure import Figure, Reason, not_computable, number_text
from service.core.fairness.statistics import CONFIDENCE, Interval


class RateKind(StrEnum):
    """Which rate of a group is compared."""

    SELECTION = "selection"
    SCORING = "scoring"

    def share(self, counts: GroupCounts) -> Share:
        return counts.selection if self is RateKind.SELECTION else counts.scoring

    def rate(self, counts: GroupCounts) -> Figure:
        share = self.share(counts)
        if share.n == 0:
            lacking = self is RateKind.SCORING and counts.n > 0
            return not_computable(Reason.NO_SCORES if lacking else Reason.NO_PEOPLE)
        return Figure(share.rate, share.n, wilson_interval(share))

    @property
    def nobody(self) -> Reason:
        """Why there is no ratio where every rate is 0."""
        return Reason.NOBODY_SELECTED if self is RateKind.SELECTION else Reason.NOBODY_ABOVE_MEDIAN


def selection_rate(counts: GroupCounts) -> Figure:
    """Selected / people. In [0, 1]; no value is ideal. Wilson interval.

    Not computable without people. Raises `ImpossibleCountsError`. Source: 6 RCNY 5-300.
    """
    check_counts({"group": counts})
    return RateKind.SELECTION.rate(counts)


def scoring_rate(counts: GroupCounts) -> Figure:
    """People who scored strictly above the sample's median / people with a score. In [0, 1]. Wilson interval.

    About 0.5 for a group that scores as the sample does. Not computable without scores. Raises
    `ImpossibleCountsError`. Source: 6 RCNY 5-300.
    """
    check_counts({"group": counts})
    return RateKind.SCORING.rate(counts)


def normal_quantile(confidence: float) -> float:
    """How many standard errors a two-sided interval of `confidence` reaches to each side."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson_interval(share: Share, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's (1927) score interval of a proportion, within [0, 1]; `share.n` must not be 0."""
    z = normal_quantile(confidence)
    rate = share.rate
    stretch = 1 + z * z / share.n
    centre = (rate + z * z / (2 * share.n)) / stretch
    half = z * math.sqrt(rate * (1 - rate) / share.n + (z / (2 * share.n)) ** 2) / stretch
    # At 0 and 1 the ends meet the rate exactly, but for rounding.
    low = 0.0 if share.count == 0 else min(centre - half, rate)
    high = 1.0 if share.count == share.n else max(centre + half, rate)
    return Interval(low, high)


FOUR_FIFTHS = Fraction(4, 5)
"""29 CFR 1607.4(D). A rule of thumb of federal agencies; Local Law 144 sets no line."""


def impact_ratio(group: Share, reference: Share, nobody: Reason = Reason.NOBODY_SELECTED) -> Figure:
    """Rate of `group` / rate of `reference`, with Katz's interval; `n` counts the people of both.

    In [0, inf), at most 1 if the reference has the highest rate; ideal 1. Not computable if one of the
    two has no people, or for the reason `nobody` if the reference's rate is 0. Source: 6 RCNY 5-300.
    """
    if group.n == 0 or reference.n == 0:
        return not_computable(Reason.NO_PEOPLE)
    n = group.n + reference.n
    if reference.count == 0:
        return not_computable(nobody, n)
    return Figure(float(group.exact / reference.exact), n, katz_interval(group, reference))


def is_below_four_fifths(group: Share, reference: Share) -> bool:
    """Is rate of `group` / rate of `reference` < 4/5? Exact: 64/100 against 80/100 is not below."""
    return group.exact < FOUR_FIFTHS * reference.exact


def katz_interval(group: Share, reference: Share, confidence: float = CONFIDENCE) -> Interval:
    """Log interval of a ratio of proportions (Katz et al. 1978); the reference's count must not be 0.

    ln ratio +- z sqrt(1/a - 1/n + 1/b - 1/m) for a of n against b of m. The logarithm of 0 does not exist:
    for a = 0 the lower end is 0 and the upper one comes from counts with one half added to each (Walter
    1975). If everybody of both groups counts, the formula's spread is 0, as if there were no chance at
    all; then half a person is taken from each count.
    """
    a, n, b, m = (float(x) for x in (group.count, group.n, reference.count, reference.n))
    if group.count == 0:
        a, n, b, m = a + 0.5, n + 0.5, b + 0.5, m + 0.5
        return Interval(0.0, a / n / (b / m) * math.exp(_half_width(a, n, b, m, confidence)))
    ratio = float(group.exact / reference.exact)
    if a == n and b == m:
        a, b = a - 0.5, b - 0.5
    factor = math.exp(_half_width(a, n, b, m, confidence))
    return Interval(ratio / factor, ratio * factor)


def ratio_text(ratio: float) -> str:
    """Three decimals, or more where it is small or rounding would move it to the other side of 0.8."""
    for decimals in (3, 5, 8):
        text = number_text(ratio, decimals)
        if (float(text) < 0.8) == (ratio < 0.8):
            return text
    return repr(ratio)


def _half_width(a: float, n: float, b: float, m: float, confidence: float) -> float:
    return normal_quantile(confidence) * math.sqrt(1 / a - 1 / n + 1 / b - 1 / m)
