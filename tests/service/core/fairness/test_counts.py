from __future__ import annotations

import pytest

from service.core.errors import AuditOptionsError, ImpossibleCountsError
from service.core.fairness.comparison import compare_groups
from service.core.fairness.counts import GroupCounts, OutcomeCounts
from service.core.fairness.findings import FairnessOptions
from service.core.fairness.rates import scoring_rate, selection_rate

GOOD = GroupCounts(10, 5)


@pytest.mark.parametrize(
    ("counts", "field", "limit", "actual"),
    [
        (GroupCounts(-1, 0), "n", 0, -1),
        (GroupCounts(10, -2), "selected", 0, -2),
        (GroupCounts(10, 11), "selected", 10, 11),
        (GroupCounts(10, 5, above_median=11), "above_median", 10, 11),
        (GroupCounts(10, 5, above_median=5, scored=4), "above_median", 4, 5),
        (GroupCounts(10, 5, above_median=5, scored=11), "scored", 10, 11),
        (GroupCounts(10, 5, scored=3), "scored", 0, 3),
        (GroupCounts(10, 5, outcomes=OutcomeCounts(6, 0, 0, 0)), "outcomes.selected_positive", 5, 6),
        (GroupCounts(10, 5, outcomes=OutcomeCounts(3, 3, 0, 0)), "outcomes.selected_negative", 2, 3),
        (GroupCounts(10, 5, outcomes=OutcomeCounts(0, 0, 6, 0)), "outcomes.not_selected_positive", 5, 6),
        (GroupCounts(10, 5, outcomes=OutcomeCounts(0, 0, 2, 4)), "outcomes.not_selected_negative", 3, 4),
        (GroupCounts(10, 5, outcomes=OutcomeCounts(0, 0, 0, -1)), "outcomes.not_selected_negative", 0, -1),
    ],
)
def test_impossible_counts_are_refused_with_field_limit_and_value(
    counts: GroupCounts, field: str, limit: int, actual: int
) -> None:
    with pytest.raises(ImpossibleCountsError) as caught:
        compare_groups("sex", {"male": GOOD, "female": counts})
    assert (caught.value.field, caught.value.limit, caught.value.actual) == (
        f"sex.female.{field}",
        limit,
        actual,
    )
    assert str(actual) in caught.value.message
    assert str(limit) in caught.value.message


def test_the_rates_check_their_counts_too() -> None:
    for rate in (selection_rate, scoring_rate):
        with pytest.raises(ImpossibleCountsError):
            rate(GroupCounts(1, 2))


def test_counts_of_two_places_add_up() -> None:
    here = GroupCounts(10, 5, above_median=4, scored=9, outcomes=OutcomeCounts(1, 2, 3, 4))
    there = GroupCounts(200, 50, above_median=40, scored=90, outcomes=OutcomeCounts(10, 20, 30, 40))
    outcomes = OutcomeCounts(11, 22, 33, 44)
    assert here + there == GroupCounts(210, 55, above_median=44, scored=99, outcomes=outcomes)


def test_what_one_place_does_not_know_nobody_knows_of_both() -> None:
    known = GroupCounts(10, 5, above_median=4, scored=9, outcomes=OutcomeCounts(1, 2, 3, 4))
    assert known + GroupCounts(1, 1) == GroupCounts(1, 1) + known == GroupCounts(11, 6)


def test_outcomes_of_everybody_and_of_nobody_are_possible() -> None:
    everybody = GroupCounts(10, 4, outcomes=OutcomeCounts(3, 1, 2, 4))
    nobody = GroupCounts(10, 4, outcomes=OutcomeCounts(0, 0, 0, 0))
    assert compare_groups("sex", {"a": everybody, "b": nobody}).people == 20


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (FairnessOptions(minimum=0), "minimum"),
        (FairnessOptions(alpha=1.0), "alpha"),
        (FairnessOptions(small_share=-0.1), "small_share"),
        (FairnessOptions(small_share=float("nan")), "small_share"),
    ],
)
def test_options_out_of_range_are_refused(options: FairnessOptions, field: str) -> None:
    with pytest.raises(AuditOptionsError) as caught:
        compare_groups("sex", {"male": GOOD}, options)
    assert caught.value.field == field
