from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from service.core.errors import ImpossibleCountsError
from service.core.fairness.counts import GroupCounts, Share
from service.core.fairness.figure import Figure, Reason
from service.core.fairness.rates import (
    impact_ratio,
    is_below_four_fifths,
    katz_interval,
    ratio_text,
    scoring_rate,
    selection_rate,
    wilson_interval,
)


@st.composite
def shares(draw: st.DrawFn, least: int = 0) -> Share:
    n = draw(st.integers(1, 5_000))
    return Share(draw(st.integers(min(least, n), n)), n)


def test_the_rates_by_hand() -> None:
    counts = GroupCounts(40, 10, above_median=12, scored=30)
    assert selection_rate(counts) == Figure(0.25, 40, wilson_interval(Share(10, 40)))
    assert scoring_rate(counts) == Figure(0.4, 30, wilson_interval(Share(12, 30)))
    assert scoring_rate(GroupCounts(40, 10, above_median=12)).value == 0.3


def test_wilson_by_hand() -> None:
    # 1 of 4, z = 1.96: (0.25 + 0.4802 +- 1.96 sqrt(0.046875 + 0.060025)) / 1.9604
    assert wilson_interval(Share(1, 4)) == pytest.approx((0.0456, 0.6994), abs=1e-4)


@settings(deadline=None)
@given(shares())
def test_the_interval_is_wilsons_and_contains_the_rate(share: Share) -> None:
    low, high = wilson_interval(share)
    expected = stats.binomtest(share.count, share.n).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= low <= share.rate <= high <= 1


@pytest.mark.parametrize("rate", [selection_rate, scoring_rate])
def test_impossible_counts_are_named(rate: Callable[[GroupCounts], Figure]) -> None:
    with pytest.raises(ImpossibleCountsError, match=r"^counts\.group\.selected is 4; at most 3 is possible$"):
        rate(GroupCounts(3, 4, above_median=5))


def test_a_rate_without_people_or_scores_says_why() -> None:
    assert selection_rate(GroupCounts(0, 0)).reason is Reason.NO_PEOPLE
    assert scoring_rate(GroupCounts(0, 0)).reason is Reason.NO_PEOPLE
    without = scoring_rate(GroupCounts(5, 1))
    assert (without.value, without.reason) == (None, Reason.NO_SCORES)


@pytest.mark.parametrize(
    ("group", "reference", "below"),
    [
        (Share(64, 100), Share(80, 100), False),  # 0.64 / 0.8 is 0.7999... in floating point
        (Share(63, 100), Share(80, 100), True),
        (Share(4, 15), Share(1, 3), False),
        (Share(0, 10), Share(1, 10), True),
        (Share(3, 3), Share(1, 2), False),
    ],
)
def test_four_fifths_is_compared_exactly(group: Share, reference: Share, below: bool) -> None:
    assert is_below_four_fifths(group, reference) is below


@settings(deadline=None)
@given(shares(), shares(least=1))
def test_four_fifths_agrees_with_integers(group: Share, reference: Share) -> None:
    below = 5 * group.count * reference.n < 4 * reference.count * group.n
    assert is_below_four_fifths(group, reference) is below


@settings(deadline=None)
@given(shares(least=1), shares(least=1))
def test_the_interval_is_scipys(group: Share, reference: Share) -> None:
    assume(group.count < group.n or reference.count < reference.n)
    expected = stats.contingency.relative_risk(group.count, group.n, reference.count, reference.n)
    assert katz_interval(group, reference) == pytest.approx(expected.confidence_interval(), rel=1e-9)


@settings(deadline=None)
@given(shares(), shares(least=1))
def test_ratio_and_interval_are_finite_and_in_order(group: Share, reference: Share) -> None:
    ratio = impact_ratio(group, reference)
    assert ratio.value is not None
    assert ratio.interval is not None
    assert 0 <= ratio.interval.low <= ratio.value <= ratio.interval.high < math.inf
    assert ratio.interval.low < ratio.interval.high
    assert ratio.n == group.n + reference.n


def test_nobody_of_the_group_by_hand() -> None:
    # (0.5 / 10.5) / (5.5 / 10.5) = 1 / 11; 1.96 sqrt(1/0.5 - 1/10.5 + 1/5.5 - 1/10.5) = 2.7658
    assert katz_interval(Share(0, 10), Share(5, 10)) == pytest.approx((0, math.exp(2.7658) / 11), rel=1e-4)


def test_everybody_of_both_groups_is_no_certainty() -> None:
    low, high = katz_interval(Share(2, 2), Share(2, 2))
    assert low < 0.5
    assert high > 2
    narrow = katz_interval(Share(500, 500), Share(500, 500))
    assert narrow.high - narrow.low < 0.01


def test_the_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for a, b in zip(rng.binomial(80, 0.24, 2_000), rng.binomial(120, 0.4, 2_000), strict=True):
        low, high = katz_interval(Share(int(a), 80), Share(int(b), 120))
        covered += low <= 0.6 <= high
    assert 0.935 < covered / 2_000 < 0.97


def test_a_ratio_to_nothing_says_why() -> None:
    assert impact_ratio(Share(0, 5), Share(0, 7)) == Figure(None, 12, None, Reason.NOBODY_SELECTED)
    assert impact_ratio(Share(0, 5), Share(0, 5), Reason.NOBODY_ABOVE_MEDIAN).value is None
    assert impact_ratio(Share(0, 0), Share(1, 5)).reason is Reason.NO_PEOPLE


def test_a_printed_ratio_stays_on_its_side_of_the_line() -> None:
    assert ratio_text(0.5) == "0.500"
    assert ratio_text(0.8) == "0.800"
    assert ratio_text(0.79996) == "0.79996"
    assert float(ratio_text(math.nextafter(0.8, 0))) < 0.8


def test_a_small_ratio_is_not_printed_as_none() -> None:
    assert (ratio_text(0.0), ratio_text(0.01234), ratio_text(0.00041)) == ("0.000", "0.012", "0.00041")
