"""Alerts of parity drift, counterfactual flips and score drift: the real rules in promtool."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker.boards import queries
from tests.docker.promtool import ALERTS, Labels, Series, answers, decisions, fires, once, series

pytestmark = [pytest.mark.prometheus, pytest.mark.slow]

PARITY, FLIPS, SCORES = "EvenmatchParityDrift", "EvenmatchCounterfactualFlips", "EvenmatchScoreDrift"


def outcomes(group: str, *, hits: int, misses: int, false: int = 0, right: int = 0) -> Series:
    """Selected and not, of those who did well (`hits`, `misses`) and did not (`false`, `right`)."""
    cells = {
        ("selected", "positive"): hits,
        ("not_selected", "positive"): misses,
        ("selected", "negative"): false,
        ("not_selected", "negative"): right,
    }
    given: Series = {}
    for (decision, outcome), count in cells.items():
        labels = {"attribute": "sex", "group": group, "decision": decision, "outcome": outcome}
        given |= once("evenmatch_outcomes_total", count, **labels)
    return given


def baseline(measure: str, gap: float) -> Series:
    return series("evenmatch_baseline_parity_difference", f"{gap}x600", attribute="sex", measure=measure)


def audits(attribute: str, flips: int, pairs: int, **labels: str) -> Series:
    return once("evenmatch_counterfactual_audits_total", pairs, attribute=attribute, **labels) | once(
        "evenmatch_counterfactual_flips_total", flips, attribute=attribute, **labels
    )


def test_true_positives_that_fall_behind_more_than_in_training_alert(tmp_path: Path) -> None:
    given = outcomes("female", hits=120, misses=80) | outcomes("male", hits=180, misses=20)
    drifted = {"group": "female", "rate": "true_positive_rate"}
    fires(tmp_path, given | baseline("equal_opportunity", 0.05), PARITY, "75m", drifted, by="group, rate")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (baseline("equal_opportunity", 0.28), "training showed nearly the same gap"),
        ({}, "no training report"),
        (baseline("equalized_odds", 0.05), "equalized odds is set against false positives"),
    ],
)
def test_the_same_gap_alone_does_not_alert(given: Series, why: str, tmp_path: Path) -> None:
    people = outcomes("female", hits=120, misses=80) | outcomes("male", hits=180, misses=20)
    fires(tmp_path, people | given, PARITY, "75m", by="group, rate")


def test_few_outcomes_do_not_alert(tmp_path: Path) -> None:
    given = outcomes("female", hits=9, misses=20) | outcomes("male", hits=180, misses=20)
    fires(tmp_path, given | baseline("equal_opportunity", 0.0), PARITY, "75m", by="group, rate")
    # 30 would be enough, but the gap must exceed the error of both rates.
    given = outcomes("female", hits=24, misses=8) | outcomes("male", hits=28, misses=4)
    fires(tmp_path, given | baseline("equal_opportunity", 0.0), PARITY, "75m", by="group, rate")


def test_false_positives_precision_and_selection_are_watched_too(tmp_path: Path) -> None:
    given = outcomes("female", hits=100, misses=100, false=150, right=50)
    given |= outcomes("male", hits=100, misses=100, false=50, right=150)
    given |= decisions("female", 100, 400) | decisions("male", 200, 400)
    for measure in ("demographic_parity", "equalized_odds", "predictive_parity"):
        given |= baseline(measure, 0.02)
    drifted = [
        {"group": "female", "rate": "positive_predictive_value"},
        {"group": "female", "rate": "selection_rate"},
        {"group": "male", "rate": "false_positive_rate"},
    ]
    fires(tmp_path, given, PARITY, "75m", *drifted, by="group, rate")


def test_rates_of_outcomes_are_those_of_a_small_table(tmp_path: Path) -> None:
    given = outcomes("female", hits=3, misses=1, false=1, right=4)
    rates = {
        "true_positive_rate": (0.75, 4),
        "false_positive_rate": (0.2, 5),
        "positive_predictive_value": (0.75, 4),
    }
    answers(
        tmp_path,
        given,
        [
            (
                "10m",
                "sum by (rate) (evenmatch:rate:7d)",
                [({"rate": r}, v) for r, (v, _) in sorted(rates.items())],
            ),
            (
                "10m",
                'sum by (rate) (evenmatch:rate_sample_size:7d{rate!="selection_rate"})',
                [({"rate": r}, n) for r, (_, n) in sorted(rates.items())],
            ),
        ],
    )


def test_flips_beyond_the_control_arms_alert(tmp_path: Path) -> None:
    given = audits("control", 100, 5000) | audits("name", 400, 5000) | audits("pronoun", 110, 5000)
    fires(tmp_path, given, FLIPS, "75m", {"attribute": "name"}, by="attribute")


def test_audits_of_the_bare_model_are_left_out(tmp_path: Path) -> None:
    given = audits("control", 10, 5000, redact="true") | audits("name", 10, 5000, redact="true")
    given |= audits("control", 10, 5000, redact="false") | audits("name", 2000, 5000, redact="false")
    fires(tmp_path, given, FLIPS, "75m", by="attribute")


def test_requested_and_shadow_audits_sum_up(tmp_path: Path) -> None:
    given: Series = {}
    for source in ("requested", "shadow"):
        # A half alone has 200 pairs, too few for a conclusion.
        given |= audits("control", 0, 200, source=source) | audits("name", 80, 200, source=source)
    fires(tmp_path, given, FLIPS, "75m", {"attribute": "name"}, by="attribute")


@pytest.mark.parametrize(
    ("control", "name", "why"),
    [
        ((100, 5000), (100, 5000), "flips at the control's rate"),
        ((100, 5000), (110, 5000), "within the noise"),
        ((400, 5000), (100, 5000), "below the noise floor"),
        ((0, 200), (100, 200), "too few pairs"),
        ((0, 0), (400, 5000), "no control arm, so no noise floor"),
        ((0, 5000), (0, 5000), "no flips at all"),
        ((2000, 100_000), (2900, 100_000), "significant, but less than one in a hundred"),
    ],
)
def test_no_alert_of_flips(control: tuple[int, int], name: tuple[int, int], why: str, tmp_path: Path) -> None:
    fires(tmp_path, audits("control", *control) | audits("name", *name), FLIPS, "75m", by="attribute")


def scores(before: list[int], after: list[int]) -> Series:
    """Scores an hour in bins of a tenth: `before` for 8 days, then `after`. Counted in two attributes."""
    given: Series = {}
    for attribute, group in (("sex", "female"), ("race_ethnicity", "unknown")):
        for i in range(len(before)):
            le = "+Inf" if i == len(before) - 1 else str((i + 1) / 10)
            old, new = sum(before[: i + 1]), sum(after[: i + 1])
            values = f"0+{old}x192 {192 * old + new}+{new}x24"
            labels = {"attribute": attribute, "group": group, "le": le}
            given |= series("evenmatch_match_score_bucket", values, **labels)
    return given


@pytest.mark.parametrize(
    ("after", "drifts"),
    [([5, 4, 3, 2, 1], False), ([5, 4, 3, 2, 2], False), ([1, 2, 3, 4, 5], True), ([0, 0, 0, 0, 1], False)],
    ids=["same", "slightly other", "other", "too few"],
)
def test_score_drift(after: list[int], drifts: bool, tmp_path: Path) -> None:
    # With hourly scrapes the alert's group would not see what another group recorded an hour ago.
    (expression,) = (rule["expr"] for rule in ALERTS if rule["alert"] == SCORES)
    samples: list[tuple[Labels, float]] = [({}, 1)] if drifts else []
    given = scores([5, 4, 3, 2, 1], after)
    answers(tmp_path, given, [("216h", f"count({expression})", samples)], every="1h")


def test_the_distance_is_the_largest_difference_of_cumulative_shares(tmp_path: Path) -> None:
    # Of 15 an hour, 5, 9, 12, 14 lie up to each edge; afterwards 1, 3, 6, 10.
    given = scores([5, 4, 3, 2, 1], [1, 2, 3, 4, 5])
    query = "round(evenmatch:score_drift:24h, 0.0001)"
    answers(tmp_path, given, [("216h", query, [({}, 0.4)])], every="1h")


def test_scores_are_compared_with_the_training_reports(tmp_path: Path) -> None:
    """Buckets by `le` meet the bundle's shares by `upper`."""
    (query,) = {q.expression for q in queries() if q.panel == "Scores against the training report"}
    given = scores([5, 4, 3, 2, 1], [1, 2, 3, 4, 5])
    for upper, share in (("0.1", 0.3), ("0.2", 0.5)):
        given |= series("evenmatch_baseline_match_score_share", f"{share}+0x216", upper=upper)
    expected = [({"le": "0.1"}, 0.0667 - 0.3), ({"le": "0.2"}, 0.2 - 0.5)]
    answers(tmp_path, given, [("216h", f"round({query}, 0.0001)", expected)], every="1h")
