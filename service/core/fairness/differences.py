"""Parity differences between groups: largest minus smallest rate.

A group takes part in a rate that stands on `minimum` of its people. Intervals are simultaneous: every pair of
groups gets Newcombe's (1998, method 10) interval of the difference of two proportions at a confidence of
1 - 0.05 / pairs (Bonferroni), and the largest lower and upper ends bound the largest difference. Which two
groups are furthest apart is then no longer picked from the data without a price. It is cautious with many
groups. All differences are in [0, 1], ideal 0, and grow with chance alone: read the interval.

Who is not compared is said with each difference (`Difference.left_out`): a difference of 0 between two groups
is no news of a third one.

All functions raise `ImpossibleCountsError`. Not computable, with the reason, if fewer than two groups can be
compared, or if nobody is selected: then all rates are 0, which is no parity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from service.core.fairness.counts import GroupCounts, OutcomeCounts, Share, check_counts, known
from service.core.fairness.figure import Figure, Reason
from service.core.fairness.findings import MINIMUM
from service.core.fairness.rates import wilson_interval
from service.core.fairness.statistics import CONFIDENCE, Interval
from service.core.groups import UNKNOWN

Groups = Mapping[str, GroupCounts]


@dataclass(frozen=True, slots=True)
class Difference(Figure):
    """`left_out`: groups that have people and are not compared, with how many of them the rate is about.

    Of equalized odds, which compares two rates, the smaller of the two numbers. `unknown` is among them.
    """

    left_out: Mapping[str, int] = field(default_factory=dict)


def demographic_parity_difference(
    groups: Groups, *, minimum: int = MINIMUM, apart: Collection[str] = ()
) -> Difference:
    """Difference of the selection rates (Dwork et al. 2012); `n` counts the people of the compared groups."""
    check_counts(groups)
    return _difference([_selections(groups)], groups, minimum, apart)


def equal_opportunity_difference(
    groups: Groups, *, minimum: int = MINIMUM, apart: Collection[str] = ()
) -> Difference:
    """Difference of the true positive rates (Hardt et al. 2016); `n` counts positive outcomes."""
    check_counts(groups)
    return _difference([_of_outcomes(groups, lambda o: o.positive)], groups, minimum, apart)


def equalized_odds_difference(
    groups: Groups, *, minimum: int = MINIMUM, apart: Collection[str] = ()
) -> Difference:
    """The larger of the differences of true and of false positive rates (Hardt et al. 2016).

    `n` counts the outcomes of both kinds. One interval for both: the pairs of both rates share the price.
    """
    check_counts(groups)
    rates = [_of_outcomes(groups, lambda o: o.positive), _of_outcomes(groups, lambda o: o.negative)]
    return _difference(rates, groups, minimum, apart)


def predictive_parity_difference(
    groups: Groups, *, minimum: int = MINIMUM, apart: Collection[str] = ()
) -> Difference:
    """Difference of the precisions, positive outcomes / selected (Chouldechova 2017).

    `n` counts the selected whose outcome is known.
    """
    check_counts(groups)
    return _difference(
        [_of_outcomes(groups, lambda o: o.selected)], groups, minimum, apart, about_selected=True
    )


def parity_differences(
    groups: Groups, *, minimum: int = MINIMUM, apart: Collection[str] = ()
) -> dict[str, Difference]:
    """All four, by name. Groups in `apart` are not compared, however large they are."""
    functions = (
        demographic_parity_difference,
        equal_opportunity_difference,
        equalized_odds_difference,
        predictive_parity_difference,
    )
    return {function.__name__: function(groups, minimum=minimum, apart=apart) for function in functions}


def newcombe_interval(first: Share, second: Share, confidence: float = CONFIDENCE) -> Interval:
    """Interval of rate of `first` - rate of `second` (Newcombe 1998, method 10); neither may be empty."""
    a, b = wilson_interval(first, confidence), wilson_interval(second, confidence)
    difference = first.rate - second.rate
    return Interval(
        difference - math.hypot(first.rate - a.low, b.high - second.rate),
        difference + math.hypot(a.high - first.rate, second.rate - b.low),
    )


def _selections(groups: Groups) -> dict[str, Share]:
    return {group: counts.selection for group, counts in groups.items()}


def _of_outcomes(groups: Groups, rate: Callable[[OutcomeCounts], Share]) -> dict[str, Share]:
    return {
        group: Share(0, 0) if counts.outcomes is None else rate(counts.outcomes)
        for group, counts in groups.items()
    }


def _difference(
    rates: list[dict[str, Share]],
    groups: Groups,
    minimum: int,
    apart: Collection[str],
    *,
    about_selected: bool = False,
) -> Difference:
    """The largest difference within any of `rates`, which share one interval."""
    there = {group: counts for group, counts in known(groups).items() if group not in apart}
    compared = [{group: share for group, share in shares.items() if group in there} for shares in rates]
    kept = [{group: s for group, s in shares.items() if s.n >= max(minimum, 1)} for shares in compared]
    n = sum(share.n for shares in kept for share in shares.values())
    left_out = {
        group: min(shares[group].n for shares in rates)
        for group, counts in groups.items()
        if counts.n and not all(group in shares for shares in kept)
    }
    with_unknown = there | {group: counts for group, counts in groups.items() if group == UNKNOWN}
    reason = _reason(compared, kept, with_unknown, about_selected=about_selected)
    if reason is not None:
        return Difference(None, n, reason=reason, left_out=left_out)
    pairs = [pair for shares in kept for pair in combinations(shares.values(), 2)]
    confidence = 1 - (1 - CONFIDENCE) / len(pairs)
    value = low = high = 0.0
    for first, second in pairs:
        interval = newcombe_interval(first, second, confidence)
        value = max(value, abs(first.rate - second.rate))
        low = max(low, interval.low, -interval.high)
        high = max(high, interval.high, -interval.low)
    interval = Interval(min(low, value), max(high, value))
    return Difference(value, n, interval, left_out=left_out)


def _reason(
    rates: list[dict[str, Share]], kept: list[dict[str, Share]], groups: Groups, *, about_selected: bool
) -> Reason | None:
    there = known(groups)
    if not any(counts.n for counts in groups.values()):
        return Reason.NO_DECISIONS
    if not any(counts.n for counts in there.values()):
        return Reason.ONLY_UNKNOWN
    if sum(counts.n > 0 for counts in there.values()) < 2:
        return Reason.ONE_GROUP
    if not any(counts.selected for counts in there.values()):
        return Reason.NOBODY_SELECTED
    for shares, enough in zip(rates, kept, strict=True):
        if not any(share.n for share in shares.values()):
            return Reason.NO_OUTCOMES
        if len(enough) < 2:
            return Reason.TOO_FEW_PEOPLE
    # Precision may be 0 everywhere; the rates of being selected may not, at least not the first one.
    if not about_selected and not any(share.count for share in kept[0].values()):
        return Reason.NOBODY_SELECTED
    return None
