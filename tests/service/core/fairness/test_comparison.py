from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.fairness.comparison import RateComparison, compare_groups
from service.core.fairness.counts import GroupCounts, Share
from service.core.fairness.figure import Figure, Reason
from service.core.fairness.findings import FairnessOptions, Finding
from service.core.fairness.rates import RateKind, impact_ratio, wilson_interval


def counts(n: int, selected: int, above: int | None = None) -> GroupCounts:
    return GroupCounts(n, selected, above_median=above)


def selection(groups: dict[str, tuple[int, int]], options: FairnessOptions | None = None) -> RateComparison:
    return compare_groups("a", {name: counts(*pair) for name, pair in groups.items()}, options).selection


def finding(groups: dict[str, tuple[int, int]], group: str) -> Finding:
    return next(found for found in selection(groups).findings if found.group == group)


def ratios(comparison: RateComparison) -> dict[str, float | None]:
    return {result.group: result.impact_ratio.value for result in comparison.groups}


people = st.integers(0, 300).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.integers(0, n)).map(lambda pair: counts(n, *pair))
)
attributes = st.dictionaries(st.sampled_from("abcdefg"), people, max_size=7)


def test_a_true_violation_is_found() -> None:
    found = finding({"female": (1000, 200), "male": (1000, 400)}, "female")
    assert found.adverse_impact
    assert found.reference == "male"
    assert found.ratio == 0.5
    assert found.text.startswith(
        "Adverse impact is indicated: Female 20.0% (200 of 1,000) against Male 40.0% (400 of 1,000)"
    )


def test_exactly_four_fifths_is_no_finding() -> None:
    found = finding({"female": (100, 64), "male": (100, 80)}, "female")
    assert found.significant is True  # p = 0.012: the exact ratio alone decides here
    assert (found.below_four_fifths, found.adverse_impact) == (False, False)
    assert "the ratio 0.800 is not below four fifths" in found.text


def test_below_four_fifths_by_chance_is_no_finding() -> None:
    # 12 of 100 against 18 of 100: ratio 0.67, p = 0.24
    found = finding({"female": (100, 12), "male": (100, 18)}, "female")
    assert found.below_four_fifths
    assert found.adjusted_p_value is not None
    assert found.adjusted_p_value >= 0.11
    assert not found.adverse_impact
    assert "is not below 0.05" in found.text


@pytest.mark.parametrize(("n", "enough"), [(29, False), (30, True)])
def test_the_minimum_counts_in_both_groups(n: int, enough: bool) -> None:
    small_group = finding({"female": (n, 0), "male": (500, 400)}, "female")
    assert (small_group.enough_people, small_group.adverse_impact) == (enough, enough)
    # The reference may be the small one too.
    small_reference = finding({"female": (500, 5), "male": (n, n)}, "female")
    assert (small_reference.enough_people, small_reference.adverse_impact) == (enough, enough)
    if not enough:
        assert "too few people, 30 are needed in both groups" in small_reference.text


@pytest.mark.parametrize(
    ("share", "p_value", "adverse_impact"),
    [
        (Share(10, 100), 0.049, True),
        (Share(10, 100), 0.05, False),
        (Share(10, 100), None, False),
        (Share(3, 29), 0.01, False),
        (Share(32, 100), 0.01, False),
    ],
)
def test_all_three_conditions_must_hold(share: Share, p_value: float | None, adverse_impact: bool) -> None:
    found = Finding("female", share, "male", Share(40, 100), p_value, FairnessOptions())
    assert found.adverse_impact is adverse_impact


def test_one_lucky_person_does_not_hide_a_violation() -> None:
    comparison = selection({"female": (1000, 200), "male": (1000, 400), "nonbinary": (1, 1)})
    assert (comparison.reference, comparison.tested_against) == ("nonbinary", "male")
    assert ratios(comparison) == {"female": 0.2, "male": 0.4, "nonbinary": 1.0}
    assert {found.group: found.adverse_impact for found in comparison.findings} == {
        "female": True,
        "nonbinary": False,
    }


def test_the_reference_is_the_highest_rate_and_needs_no_interval() -> None:
    comparison = selection({"x": (50, 20), "y": (50, 40), "z": (40, 10)})
    assert comparison.reference == comparison.tested_against == "y"
    assert ratios(comparison) == {"x": 0.5, "y": 1.0, "z": 0.3125}
    y = comparison.groups[1]
    assert (y.impact_ratio.interval, y.test, y.finding) == (None, None, None)


def test_of_equal_rates_the_largest_group_is_the_reference() -> None:
    assert selection({"x": (50, 20), "y": (100, 40), "z": (100, 40)}).reference == "y"


def test_holm_is_over_all_pairs() -> None:
    comparison = selection({"x": (100, 30), "y": (100, 50), "z": (100, 31)})
    by_name = {result.group: result for result in comparison.groups}
    raw = {name: r.test.p_value for name, r in by_name.items() if r.test is not None}
    # Three pairs: y-x, y-z and z-x; those with y have the smallest p-values.
    assert by_name["x"].adjusted_p_value == pytest.approx(3 * raw["x"])
    assert by_name["z"].adjusted_p_value == pytest.approx(2 * raw["z"])


def test_false_findings_among_equal_groups_are_rare() -> None:
    rng = np.random.default_rng(4)
    alarms = 0
    for selected in rng.binomial(150, 0.15, size=(400, 7)):
        groups = {f"g{i}": (150, int(x)) for i, x in enumerate(selected)}
        alarms += any(found.adverse_impact for found in selection(groups).findings)
    assert alarms / 400 <= 0.05


@given(attributes, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_groups_changes_nothing(groups: dict[str, GroupCounts], random: object) -> None:
    names = list(groups)
    random.shuffle(names)  # type: ignore[attr-defined]  # hypothesis types it as object
    straight = compare_groups("a", groups)
    shuffled = compare_groups("a", {name: groups[name] for name in names})
    for one, other in zip(straight.rates, shuffled.rates, strict=True):
        assert (one.reference, one.tested_against, one.reason) == (
            other.reference,
            other.tested_against,
            other.reason,
        )
        by_name = {result.group: result for result in other.groups}
        for result in one.groups:
            assert (result.rate, result.impact_ratio) == (
                by_name[result.group].rate,
                by_name[result.group].impact_ratio,
            )
            assert result.adjusted_p_value == pytest.approx(by_name[result.group].adjusted_p_value)


@given(attributes, people, st.booleans())
@settings(max_examples=60, deadline=None)
def test_unknown_people_change_no_ratio(
    groups: dict[str, GroupCounts], unknown: GroupCounts, leave_out: bool
) -> None:
    options = FairnessOptions(leave_out_small=leave_out, small_share=0.2)
    without, with_unknown = (
        compare_groups("a", one, options) for one in (groups, {**groups, "unknown": unknown})
    )
    assert with_unknown.unknown == unknown.n
    assert with_unknown.people == without.people + unknown.n
    assert with_unknown.groups == without.groups
    for one, other in zip(without.rates, with_unknown.rates, strict=True):
        assert ratios(one) == ratios(other)
        assert [r.adjusted_p_value for r in one.groups] == [r.adjusted_p_value for r in other.groups]
    for name, figure in without.differences.items():
        assert with_unknown.differences[name].value == figure.value


@given(attributes)
@settings(max_examples=60, deadline=None)
def test_ratios_are_at_most_one_and_findings_agree_with_their_parts(groups: dict[str, GroupCounts]) -> None:
    for comparison in compare_groups("a", groups).rates:
        for result in comparison.groups:
            value = result.impact_ratio.value
            assert (value is None) == (result.impact_ratio.reason is not None)
            assert value is None or 0 <= value <= 1
        for found in comparison.findings:
            assert found.adverse_impact == (
                found.enough_people and found.below_four_fifths and bool(found.significant)
            )
            assert "fair" not in found.text.lower()


@pytest.mark.parametrize(
    ("groups", "selection_reason", "scoring_reason"),
    [
        ({}, Reason.NO_DECISIONS, Reason.NO_DECISIONS),
        ({"a": counts(0, 0, 0), "b": counts(0, 0, 0)}, Reason.NO_DECISIONS, Reason.NO_DECISIONS),
        ({"a": counts(0, 0), "unknown": counts(9, 3, 4)}, Reason.ONLY_UNKNOWN, Reason.ONLY_UNKNOWN),
        ({"a": counts(50, 20, 25), "b": counts(0, 0, 0)}, Reason.ONE_GROUP, Reason.ONE_GROUP),
        ({"a": counts(50, 0, 0), "b": counts(50, 0, 0)}, Reason.NOBODY_SELECTED, Reason.NOBODY_ABOVE_MEDIAN),
        ({"a": counts(50, 20), "b": counts(50, 10)}, None, Reason.NO_SCORES),
    ],
)
def test_what_cannot_be_computed_says_why(
    groups: dict[str, GroupCounts], selection_reason: Reason | None, scoring_reason: Reason | None
) -> None:
    comparison = compare_groups("a", groups)
    assert (comparison.selection.reason, comparison.scoring.reason) == (selection_reason, scoring_reason)
    for rates in comparison.rates:
        if rates.reason is not None:
            assert not rates.findings
            assert {(r.impact_ratio.value, r.impact_ratio.reason) for r in rates.groups} <= {
                (None, rates.reason)
            }


def test_a_group_without_people_has_no_ratio_beside_others_that_have() -> None:
    comparison = selection({"x": (50, 20), "y": (50, 40), "z": (0, 0)})
    assert comparison.groups[2].rate.reason is Reason.NO_PEOPLE
    assert comparison.groups[2].impact_ratio.reason is Reason.NO_PEOPLE


def test_small_groups_are_marked_and_left_out_only_if_asked() -> None:
    groups = {"x": (490, 240), "y": (491, 100), "z": (19, 19)}  # z: 1.9 % of 1,000
    marked = compare_groups("a", {name: counts(*pair) for name, pair in groups.items()})
    assert [(size.small, size.left_out) for size in marked.groups] == [
        (False, False),
        (False, False),
        (True, False),
    ]
    assert marked.selection.reference == "z"
    left_out = selection(groups, FairnessOptions(leave_out_small=True))
    assert left_out.reference == "x"
    z = left_out.groups[2]
    assert (z.share.count, z.rate.value) == (19, 1.0)  # count and rate still stand
    assert (z.impact_ratio.value, z.impact_ratio.reason) == (None, Reason.LEFT_OUT)
    assert (z.test, z.finding) == (None, None)


@pytest.mark.parametrize("share", [0.02, 0.999])
def test_where_all_others_are_left_out_there_is_not_one_group_only(share: float) -> None:
    groups = {"x": counts(990, 400, 400), "y": counts(10, 3, 3), "unknown": counts(5, 1, 1)}
    found = compare_groups("a", groups, FairnessOptions(small_share=share, leave_out_small=True))
    assert {rates.reason for rates in found.rates} == {Reason.OTHERS_LEFT_OUT}
    assert {figure.reason for figure in found.differences.values()} == {Reason.OTHERS_LEFT_OUT}
    assert found.selection.groups[1].impact_ratio.reason is Reason.LEFT_OUT
    one = compare_groups("a", {"x": counts(990, 400)}, FairnessOptions(leave_out_small=True))
    assert one.selection.reason is Reason.ONE_GROUP


def test_every_group_has_its_rate_and_ratio_with_sample_and_interval() -> None:
    groups = {"x": counts(200, 100, 50), "y": counts(100, 25, 40), "z": counts(0, 0, 0)}
    comparison = compare_groups("a", groups)
    assert (comparison.attribute, comparison.people, comparison.unknown) == ("a", 300, 0)
    for kind, rates, reference in (
        (RateKind.SELECTION, comparison.selection, "x"),
        (RateKind.SCORING, comparison.scoring, "y"),
    ):
        assert (rates.kind, rates.reference, rates.tested_against) == (kind, reference, reference)
        found = {result.group: result for result in rates.groups}
        highest = kind.share(groups[reference])
        for group in ("x", "y"):
            share = kind.share(groups[group])
            assert found[group].share == share
            assert found[group].rate == Figure(share.rate, share.n, wilson_interval(share))
            ratio = Figure(1.0, share.n) if group == reference else impact_ratio(share, highest)
            assert found[group].impact_ratio == ratio
        assert found["z"].rate == found["z"].impact_ratio == Figure(None, 0, None, Reason.NO_PEOPLE)
    nobody = compare_groups("a", {"x": counts(30, 0), "y": counts(20, 0)}).selection
    assert nobody.kind is RateKind.SELECTION
    assert [result.impact_ratio.n for result in nobody.groups] == [30, 20]


def test_exactly_two_percent_is_not_small() -> None:
    comparison = compare_groups("a", {"x": counts(980, 400), "y": counts(20, 10)})
    assert [size.small for size in comparison.groups] == [False, False]


def test_scoring_rates_are_compared_among_those_with_scores() -> None:
    groups = {
        "x": GroupCounts(100, 50, above_median=30, scored=50),
        "y": GroupCounts(100, 50, above_median=15, scored=50),
        "z": GroupCounts(100, 50, above_median=0, scored=0),
    }
    scoring = compare_groups("a", groups).scoring
    assert ratios(scoring) == {"x": 1.0, "y": 0.5, "z": None}
    assert scoring.groups[2].impact_ratio.reason is Reason.NO_SCORES
    assert [found.group for found in scoring.findings] == ["y"]


def test_reasons_are_stable_codes() -> None:
    assert json.dumps(Reason.ONE_GROUP) == '"one_group"'
    assert all(reason.text for reason in Reason)
