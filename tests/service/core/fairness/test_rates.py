from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from service.core.fairness.counts import GroupCounts, Share
from service.core.fairness.figure import Reason
from service.core.fairness.rates import scoring_rate, selection_rate, wilson_interval


@st.composite
def shares(draw: st.DrawFn, least: int = 0) -> Share:
    n = draw(st.integers(1, 5_000))
    return Share(draw(st.integers(min(least, n), n)), n)


def test_the_rates_by_hand() -> None:
    counts = GroupCounts(40, 10, above_median=12, scored=30)
    assert selection_rate(counts).value == 0.25
    assert (scoring_rate(counts).value, scoring_rate(counts).n) == (0.4, 30)
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


def test_a_rate_without_people_or_scores_says_why() -> None:
    assert selection_rate(GroupCounts(0, 0)).reason is Reason.NO_PEOPLE
    assert scoring_rate(GroupCounts(0, 0)).reason is Reason.NO_PEOPLE
    without = scoring_rate(GroupCounts(5, 1))
    assert (without.value, without.reason) == (None, Reason.NO_SCORES)
