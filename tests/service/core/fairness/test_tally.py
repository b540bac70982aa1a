from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.fairness.counts import GroupCounts
from service.core.fairness.tally import DecisionTally
from service.core.groups import GroupSchema

SCHEMA = GroupSchema(
    attributes={"sex": ("female", "male"), "age": ("under_40", "forty_and_over")},
    intersections=(("sex", "age"),),
)


def test_decisions_are_counted_by_attribute_and_intersection() -> None:
    tally = DecisionTally(SCHEMA)
    tally.add({"sex": "female", "age": "under_40"}, selected=True, score=0.9)
    tally.add({"sex": "female", "age": "unknown"}, selected=False, score=0.1)
    tally.add({"sex": "male", "age": "under_40"}, selected=False, score=0.5)
    tally.add({}, selected=True, score=0.7)
    counts = tally.counts()
    assert tally.people == tally.scored == 4
    assert tally.median_score() == 0.6
    assert counts["sex"] == {
        "female": GroupCounts(2, 1, above_median=1, scored=2),
        "male": GroupCounts(1, 0, above_median=0, scored=1),
        "unknown": GroupCounts(1, 1, above_median=1, scored=1),
    }
    assert counts["sex_age"]["female:under_40"] == GroupCounts(1, 1, above_median=1, scored=1)
    assert counts["sex_age"]["unknown"].n == 2
    assert counts["sex_age"]["male:forty_and_over"].n == 0


def test_without_scores_there_is_no_median() -> None:
    tally = DecisionTally(SCHEMA)
    tally.add({"sex": "male"}, selected=True)
    assert (tally.median_score(), tally.scored) == (None, 0)
    assert tally.counts()["sex"]["male"] == GroupCounts(1, 1)


def test_some_scores_may_be_missing() -> None:
    tally = DecisionTally(SCHEMA)
    tally.add({"sex": "male"}, selected=True)
    tally.add({"sex": "male"}, selected=True, score=1.0)
    tally.add({"sex": "male"}, selected=True, score=2.0)
    assert tally.counts()["sex"]["male"] == GroupCounts(3, 3, above_median=1, scored=2)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["female", "male", "unknown"]), st.integers(-5, 5))))
def test_above_is_strictly_above_numpys_median(people: list[tuple[str, int]]) -> None:
    tally = DecisionTally(SCHEMA)
    for sex, score in people:
        tally.add({"sex": sex}, selected=False, score=float(score))
    scores = np.array([score for _, score in people], dtype=float)
    if not len(scores):
        assert tally.median_score() is None
        return
    median = np.median(scores)
    assert tally.median_score() == median
    above = {sex: counts.above_median for sex, counts in tally.counts()["sex"].items()}
    assert above == {
        sex: int(sum(score > median for other, score in people if other == sex))
        for sex in ("female", "male", "unknown")
    }


def test_equal_scores_leave_nobody_above_the_median() -> None:
    tally = DecisionTally(SCHEMA)
    for sex in ("female", "male"):
        tally.add({"sex": sex}, selected=True, score=0.4)
    assert [counts.above_median for counts in tally.counts()["sex"].values()] == [0, 0, 0]
