from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from fairlearn import metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.fairness.counts import GroupCounts, OutcomeCounts, Share
from service.core.fairness.differences import (
    demographic_parity_difference,
    equal_opportunity_difference,
    equalized_odds_difference,
    newcombe_interval,
    parity_differences,
    predictive_parity_difference,
)
from service.core.fairness.figure import Figure, Reason

# Of 10 people 4 are selected; 5 outcomes are positive, 3 of those were selected.
A = GroupCounts(10, 4, outcomes=OutcomeCounts(3, 1, 2, 4))
# Of 8 people 6 are selected; 5 outcomes are positive, 4 of those were selected.
B = GroupCounts(8, 6, outcomes=OutcomeCounts(4, 2, 1, 1))
GROUPS = {"a": A, "b": B}

counted = st.builds(OutcomeCounts, *[st.integers(1, 30)] * 4).map(
    lambda o: GroupCounts(
        o.selected_positive + o.selected_negative + o.not_selected_positive + o.not_selected_negative,
        o.selected_positive + o.selected_negative,
        outcomes=o,
    )
)


def test_the_differences_by_hand() -> None:
    found = parity_differences(GROUPS, minimum=1)
    assert found["demographic_parity_difference"].value == pytest.approx(6 / 8 - 4 / 10)
    assert found["equal_opportunity_difference"].value == pytest.approx(4 / 5 - 3 / 5)
    assert found["equalized_odds_difference"].value == pytest.approx(2 / 3 - 1 / 5)  # false positive rates
    assert found["predictive_parity_difference"].value == pytest.approx(3 / 4 - 4 / 6)
    assert [figure.n for figure in found.values()] == [18, 10, 18, 10]


@settings(max_examples=25, deadline=None)
@given(st.lists(counted, min_size=2, max_size=4))
def test_the_differences_are_fairlearns(groups: list[GroupCounts]) -> None:
    named = {f"g{i}": counts for i, counts in enumerate(groups)}
    truth, decided, of = [], [], []
    for name, counts in named.items():
        o = counts.outcomes
        assert o is not None
        for outcome, decision, people in (
            (1, 1, o.selected_positive),
            (0, 1, o.selected_negative),
            (1, 0, o.not_selected_positive),
            (0, 0, o.not_selected_negative),
        ):
            truth += [outcome] * people
            decided += [decision] * people
            of += [name] * people
    data = {"y_true": truth, "y_pred": decided, "sensitive_features": of}
    from sklearn.metrics import precision_score

    precision = metrics.MetricFrame(metrics=precision_score, **data)
    expected = {
        "demographic_parity_difference": metrics.demographic_parity_difference(**data),
        "equal_opportunity_difference": metrics.equal_opportunity_difference(**data),
        "equalized_odds_difference": metrics.equalized_odds_difference(**data),
        "predictive_parity_difference": precision.difference(),
    }
    found = parity_differences(named, minimum=1)
    assert {name: figure.value for name, figure in found.items()} == pytest.approx(expected)
    for figure in found.values():
        assert figure.interval is not None
        assert 0 <= figure.interval.low <= (figure.value or 0) <= figure.interval.high <= 1


def test_who_is_not_compared_is_said_with_every_difference() -> None:
    groups = {
        "a": GroupCounts(90, 45, outcomes=OutcomeCounts(30, 5, 10, 35)),
        "b": GroupCounts(80, 20, outcomes=OutcomeCounts(12, 5, 11, 40)),
        "c": GroupCounts(11, 3, outcomes=OutcomeCounts(1, 1, 1, 4)),
        "d": GroupCounts(40, 9),
        "nobody": GroupCounts(0, 0),
        "unknown": GroupCounts(7, 1, outcomes=OutcomeCounts(1, 0, 1, 3)),
    }
    found = parity_differences(groups)
    assert {name: dict(figure.left_out) for name, figure in found.items()} == {
        "demographic_parity_difference": {"c": 11, "unknown": 7},
        # Of positive outcomes b has 23, c 2 and d none at all, so a is alone.
        "equal_opportunity_difference": {"b": 23, "c": 2, "d": 0, "unknown": 2},
        "equalized_odds_difference": {"b": 23, "c": 2, "d": 0, "unknown": 2},
        "predictive_parity_difference": {"b": 17, "c": 2, "d": 0, "unknown": 1},
    }
    assert found["equal_opportunity_difference"].reason is Reason.TOO_FEW_PEOPLE
    apart = parity_differences(groups, apart={"d"})["demographic_parity_difference"]
    assert apart.value == pytest.approx(0.25)
    assert apart.n == 170
    assert dict(apart.left_out) == {"c": 11, "d": 40, "unknown": 7}


def test_a_group_of_the_minimum_is_compared() -> None:
    groups = {"a": GroupCounts(5, 2), "b": GroupCounts(4, 1), "c": GroupCounts(3, 3), "d": GroupCounts(1, 1)}
    of_four = demographic_parity_difference(groups, minimum=4)
    assert (of_four.value, of_four.n, of_four.left_out) == (0.4 - 0.25, 9, {"c": 3, "d": 1})
    of_all = demographic_parity_difference(groups, minimum=0)
    assert (of_all.value, of_all.n, of_all.left_out) == (0.75, 13, {})


def test_newcombe_as_published() -> None:
    # Newcombe (1998), table II: 56/70 against 48/80, and 9/10 against 3/10
    assert newcombe_interval(Share(56, 70), Share(48, 80)) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert newcombe_interval(Share(9, 10), Share(3, 10)) == pytest.approx((0.1705, 0.8090), abs=1e-4)


def test_two_groups_get_newcombes_interval() -> None:
    groups = {"a": GroupCounts(70, 56), "b": GroupCounts(80, 48)}
    assert demographic_parity_difference(groups).interval == pytest.approx((0.0524, 0.3339), abs=1e-4)
    reversed_groups = dict(reversed(groups.items()))
    assert demographic_parity_difference(reversed_groups) == demographic_parity_difference(groups)


@pytest.mark.parametrize("rates", [(0.3,) * 7, (0.2, 0.25, 0.3, 0.4, 0.4)])
def test_the_interval_of_many_groups_covers_the_truth(rates: tuple[float, ...]) -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for selected in rng.binomial(120, rates, size=(200, len(rates))):
        groups = {f"g{i}": GroupCounts(120, int(x)) for i, x in enumerate(selected)}
        interval = demographic_parity_difference(groups).interval
        assert interval is not None
        covered += interval.low <= max(rates) - min(rates) <= interval.high
    assert covered / 200 > 0.93


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ({}, Reason.NO_DECISIONS),
        ({"a": GroupCounts(0, 0), "b": GroupCounts(0, 0)}, Reason.NO_DECISIONS),
        ({"unknown": GroupCounts(90, 40)}, Reason.ONLY_UNKNOWN),
        ({"a": GroupCounts(90, 40), "unknown": GroupCounts(90, 40)}, Reason.ONE_GROUP),
        ({"a": GroupCounts(90, 0), "b": GroupCounts(90, 0)}, Reason.NOBODY_SELECTED),
        ({"a": GroupCounts(90, 9), "b": GroupCounts(29, 0)}, Reason.TOO_FEW_PEOPLE),
    ],
)
def test_a_parity_that_cannot_be_computed_says_why(groups: dict[str, GroupCounts], reason: Reason) -> None:
    figure = demographic_parity_difference(groups)
    assert (figure.value, figure.interval, figure.reason) == (None, None, reason)


@pytest.mark.parametrize(
    "difference",
    [equal_opportunity_difference, equalized_odds_difference, predictive_parity_difference],
)
def test_outcomes_are_needed(difference: Callable[..., Figure]) -> None:
    without = {"a": GroupCounts(90, 40), "b": GroupCounts(90, 50)}
    assert difference(without).reason is Reason.NO_OUTCOMES
    nobody = GroupCounts(90, 0, outcomes=OutcomeCounts(0, 0, 40, 40))
    assert difference({"a": nobody, "b": nobody}).reason is Reason.NOBODY_SELECTED
    few = GroupCounts(90, 40, outcomes=OutcomeCounts(2, 1, 1, 2))
    assert difference({"a": few, "b": few}).reason is Reason.TOO_FEW_PEOPLE


def test_nobody_with_a_positive_outcome_selected_is_no_parity() -> None:
    wrong = GroupCounts(80, 40, outcomes=OutcomeCounts(0, 40, 40, 0))
    assert equal_opportunity_difference({"a": wrong, "b": wrong}).reason is Reason.NOBODY_SELECTED
    # All that were selected had a negative outcome: that is a precision of 0, in both groups alike.
    assert predictive_parity_difference({"a": wrong, "b": wrong}).value == 0.0
