"""Rates of one group, as 6 RCNY 5-300 defines them."""

from __future__ import annotations

import math
from enum import StrEnum
from statistics import NormalDist

from service.core.fairness.counts import GroupCounts, Share, check_counts
from service.core.fairness.figure import Figure, Reason, not_computable
from service.core.statistics import CONFIDENCE, Interval


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
