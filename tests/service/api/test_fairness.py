"""`GET /v1/fairness` and its report, from decisions small enough to count by hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from fairlearn import metrics as fairlearn
from scipy.stats import binomtest
from scipy.stats.contingency import relative_risk
from sqlalchemy import text

from service.store.decisions import Decision
from service.store.outcomes import Outcome, record_outcomes
from tests.support.api import Api
from tests.support.stored import BUNDLE, decision, erase, store

NOW = datetime.now(UTC)
MADE = NOW - timedelta(hours=30)
OTHER_BUNDLE = "c" * 64


def planted() -> list[Decision]:
    """Of 100 women 20 are selected, of 80 men 40, of 3 nonbinary people 1, of 7 who said nothing 7."""
    people: list[tuple[int, dict[str, str], float]] = [
        (20, {"sex": "female", "race_ethnicity": "asian"}, 0.9),
        (80, {"sex": "female", "race_ethnicity": "white"}, 0.2),
        (40, {"sex": "male", "race_ethnicity": "white"}, 0.8),
        (40, {"sex": "male"}, 0.1),
        (1, {"sex": "nonbinary"}, 0.7),
        (2, {"sex": "nonbinary"}, 0.3),
        (7, {}, 0.6),
    ]
    rows = [(groups, score) for count, groups, score in people for _ in range(count)]
    return [decision(i, groups, score=score, time=MADE) for i, (groups, score) in enumerate(rows)]


@pytest.fixture
def api(api: Api) -> Api:
    store(api.database, planted())
    return api


@pytest.fixture(scope="module")
def read_api(shared_api: Api) -> Api:
    """For tests that only ask."""
    store(shared_api.database, planted())
    return shared_api


def ask(api: Api, query: str = "") -> dict[str, Any]:
    answer = api.get(f"/v1/fairness?{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def by_group(body: dict[str, Any], attribute: str = "sex") -> dict[str, Any]:
    found = next(one for one in body["attributes"] if one["attribute"] == attribute)
    return {group["group"]: group for group in found["groups"]}


def test_rates_and_ratios_by_hand(read_api: Api) -> None:
    body = ask(read_api, "window=7d&attribute=sex&intersections=false")
    assert [one["attribute"] for one in body["attributes"]] == ["sex"]
    assert (body["people"], body["bundles"]) == (190, {BUNDLE: 190})
    assert body["first_day"] == body["last_day"] == MADE.date().isoformat()
    sex, groups = body["attributes"][0], by_group(body)
    assert (sex["people"], sex["unknown"]) == (190, 7)
    female, male, nonbinary = (groups[name]["selection"] for name in ("female", "male", "nonbinary"))
    assert (female["count"], female["n"], female["rate"], female["impact_ratio"]) == (20, 100, 0.2, 0.4)
    assert (male["count"], male["n"], male["rate"], male["impact_ratio"]) == (40, 80, 0.5, 1.0)
    assert (female["adverse_impact"], nonbinary["adverse_impact"]) == (True, False)
    assert groups["nonbinary"]["small"]  # 3 of 183
    assert "Adverse impact is indicated: Female 20.0% (20 of 100)" in body["findings"][0]
    # The median of all 190 scores is 0.2: 42 men and nonbinary people stand above it besides the unknown.
    assert body["scores"] == {"scored": 190, "median": 0.2, "exact": True, "missing": 0}
    scoring = {name: (group["scoring"]["count"], group["scoring"]["n"]) for name, group in groups.items()}
    assert scoring == {"female": (20, 100), "male": (40, 80), "nonbinary": (3, 3)}


def test_intervals_are_scipys(read_api: Api) -> None:
    groups = by_group(ask(read_api))
    female = groups["female"]["selection"]
    wilson = binomtest(20, 100).proportion_ci(method="wilson")
    assert (female["rate_low"], female["rate_high"]) == pytest.approx((wilson.low, wilson.high))
    katz = relative_risk(20, 100, 40, 80).confidence_interval()
    assert (female["impact_ratio_low"], female["impact_ratio_high"]) == pytest.approx((katz.low, katz.high))


def told(api: Api, decisions: Sequence[Decision], seed: int = 3) -> list[bool]:
    truth = [bool(one) for one in np.random.default_rng(seed).random(len(decisions)) < 0.4]
    given = [
        Outcome(one.decision_id, positive, "label") for one, positive in zip(decisions, truth, strict=True)
    ]
    record_outcomes(api.database, given, now=NOW, skew=timedelta(0))
    return truth


def test_differences_are_fairlearns_once_outcomes_are_known(api: Api) -> None:
    known = [one for one in planted() if one.groups.get("sex") in ("female", "male")]
    truth = told(api, known)
    decided = [one.decision == "selected" for one in known]
    sex = [one.groups["sex"] for one in known]
    body = ask(api, "attribute=sex&minimum=1&intersections=false&ground_truth=label")
    differences = body["attributes"][0]["differences"]
    assert differences["equalized_odds_difference"]["value"] == pytest.approx(
        fairlearn.equalized_odds_difference(truth, decided, sensitive_features=sex)
    )
    assert differences["equal_opportunity_difference"]["value"] == pytest.approx(
        fairlearn.equal_opportunity_difference(truth, decided, sensitive_features=sex)
    )
    precision = fairlearn.MetricFrame(
        metrics=lambda y_true, y_pred: y_true[y_pred].mean(),
        y_true=np.array(truth),
        y_pred=np.array(decided),
        sensitive_features=sex,
    )
    assert differences["predictive_parity_difference"]["value"] == pytest.approx(precision.difference())
    assert differences["equal_opportunity_difference"]["n"] == sum(truth)
    for difference in differences.values():
        assert difference["low"] <= difference["value"] <= difference["high"]
    female = by_group(body)["female"]["outcomes"]
    assert female["known"] == 100
    assert female["true_positive_rate"]["n"] == female["selected_positive"] + female["not_selected_positive"]
    none = by_group(body)["nonbinary"]["outcomes"]["true_positive_rate"]
    assert (none["value"], none["reason"]) == (None, "no_outcomes")


def test_the_other_kind_of_outcome_is_not_mixed_in(api: Api) -> None:
    told(api, planted())
    body = ask(api, "attribute=sex&ground_truth=human_decision")
    assert body["ground_truth"] == "human_decision"
    for name in ("equalized_odds_difference", "equal_opportunity_difference", "predictive_parity_difference"):
        difference = body["attributes"][0]["differences"][name]
        assert (difference["value"], difference["reason"]) == (None, "no_outcomes")
    assert body["attributes"][0]["differences"]["demographic_parity_difference"]["value"] == pytest.approx(
        0.3
    )


def test_who_is_in_no_difference_is_said(api: Api) -> None:
    body = ask(api, "attribute=sex&intersections=false")
    difference = body["attributes"][0]["differences"]["demographic_parity_difference"]
    assert (difference["value"], difference["n"]) == (pytest.approx(0.3), 180)
    assert difference["left_out"] == {"nonbinary": 3, "unknown": 7}
    everybody = ask(api, "attribute=sex&intersections=false&minimum=1")["attributes"][0]["differences"]
    assert everybody["demographic_parity_difference"]["left_out"] == {"unknown": 7}
    html = api.get("/v1/fairness/report?format=html").text
    assert "n = 180; left out: Nonbinary (3), Unknown (7)" in html


def test_decisions_ahead_of_the_clock_are_said_and_in_all(api: Api) -> None:
    assert ask(api, "window=all")["notes"] == []
    times = [NOW + timedelta(hours=hours) for hours in (2, 2, 5)]
    store(api.database, [decision(500 + i, {"sex": "male"}, score=0.9, time=t) for i, t in enumerate(times)])
    everything, month, until_then = (
        ask(api, query)
        for query in ("window=all", "window=30d", f"from=2026-01-01T00:00:00Z&to={times[0].date()}T23:59:59Z")
    )
    assert (everything["people"], month["people"]) == (193, 190)
    assert datetime.fromisoformat(everything["window"]["to"]) > times[-1]
    for answer, counted in ((everything, "They are counted here"), (month, "They are not counted here")):
        (note,) = answer["notes"]
        assert note.startswith("3 decisions are dated later than now")
        assert f"{times[0]:%Y-%m-%d %H}:00 UTC to {times[-1]:%Y-%m-%d %H}:00 UTC" in note
        assert counted in note
    assert until_then["people"] == 190 + sum(one.date() == times[0].date() for one in times)
    past = ask(
        api, f"from=2026-01-01T00:00:00Z&to={(NOW - timedelta(hours=2)).strftime('%Y-%m-%dT%H:%M:%SZ')}"
    )
    assert past["notes"] == []
    assert "are dated later than now" in api.get("/v1/fairness/report?window=all&format=html").text


def test_an_empty_window_is_empty_and_not_zero(read_api: Api) -> None:
    body = ask(read_api, "window=1h")
    assert (body["people"], body["bundles"], body["first_day"]) == (0, {}, None)
    assert body["scores"] == {"scored": 0, "median": None, "exact": True, "missing": 0}
    for attribute in body["attributes"]:
        assert attribute["selection"]["reason"] == attribute["scoring"]["reason"] == "no_decisions"
        assert {d["reason"] for d in attribute["differences"].values()} == {"no_decisions"}
        assert {d["value"] for d in attribute["differences"].values()} == {None}
        for group in attribute["groups"]:
            assert group["share_of_known"] is None
            for rate in (group["selection"], group["scoring"]):
                assert (rate["rate"], rate["rate_low"], rate["impact_ratio"]) == (None, None, None)
                assert rate["reason"] == "no_decisions"


def test_attributes_and_intersections_are_chosen(read_api: Api) -> None:
    def names(query: str) -> list[str]:
        return [one["attribute"] for one in ask(read_api, query)["attributes"]]

    assert names("") == ["sex", "race_ethnicity", "sex_race_ethnicity"]
    assert names("intersections=false") == ["sex", "race_ethnicity"]
    assert names("attribute=sex") == ["sex", "sex_race_ethnicity"]
    assert names("attribute=sex_race_ethnicity") == ["sex_race_ethnicity"]
    crossed = by_group(ask(read_api), "sex_race_ethnicity")
    assert crossed["female:white"]["selection"]["n"] == 80


def test_bundles_are_listed_and_one_can_be_asked_about(api: Api) -> None:
    store(api.database, [decision(900, {"sex": "male"}, score=0.1, time=MADE, bundle_digest=OTHER_BUNDLE)])
    both = ask(api)
    assert both["bundles"] == {BUNDLE: 190, OTHER_BUNDLE: 1}
    assert any("2 bundles are taken together" in note for note in both["notes"])
    one = ask(api, f"bundle={OTHER_BUNDLE}")
    assert (one["people"], one["bundles"]) == (1, {OTHER_BUNDLE: 1})
    assert one["notes"] == [
        f"Only decisions of bundle {OTHER_BUNDLE} are counted; those of other bundles in the window are not."
    ]
    assert ask(api, f"bundle={'d' * 64}")["people"] == 0


def test_moments_bound_the_window(read_api: Api) -> None:
    hour = MADE.replace(minute=0, second=0, microsecond=0)
    moments = [hour + timedelta(hours=i) for i in range(3)]
    names = [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in moments]
    inside = ask(read_api, f"from={names[0]}&to={names[1]}")
    assert inside["people"] == 190
    assert inside["window"] == {"from": names[0], "to": names[1], "resolution_seconds": 3600}
    assert ask(read_api, f"from={names[1]}&to={names[2]}")["people"] == 0
    assert ask(read_api, f"from={names[0]}")["people"] == 190


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("window=soon", "unusable_window", "window"),
        ("window=7d&from=2026-01-01T00:00:00Z", "unusable_window", "window"),
        ("to=2026-01-01T00:00:00Z", "unusable_window", "to"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "unusable_window", "from"),
        ("from=2026-01-01", "validation_failed", "from"),
        ("from=Jane", "validation_failed", "from"),
        ("attribute=shoes", "unknown_group", "attribute"),
        ("bundle=xyz", "validation_failed", "bundle"),
        ("ground_truth=rumour", "validation_failed", "ground_truth"),
        ("intersections=perhaps", "validation_failed", "intersections"),
        ("minimum=0", "validation_failed", "minimum"),
        ("windows=7d", "validation_failed", "windows"),
    ],
)
def test_a_question_that_is_none_says_why(read_api: Api, query: str, code: str, field: str) -> None:
    answer = read_api.get(f"/v1/fairness?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "Jane" not in answer.text
    assert "shoes" not in answer.text


def test_erased_scores_are_named_and_every_count_stays(api: Api) -> None:
    erase(api.database, "d-20", "d-21")  # two women at the median
    body = ask(api)
    assert body["scores"] == {"scored": 188, "median": 0.2, "exact": False, "missing": 2}
    assert "2 decisions near the median were erased or purged" in body["notes"][0]
    female = by_group(body)["female"]
    assert (female["selection"]["n"], female["scoring"]["n"]) == (100, 98)


def test_groups_that_the_schema_forgot_count_as_unknown_and_are_told(api: Api) -> None:
    store(api.database, [decision(900, {"sex": "diverse", "race_ethnicity": "asian"}, time=MADE)])
    body = ask(api)
    assert body["outside_schema"] == 1
    assert body["attributes"][0]["unknown"] == 8
    assert by_group(body, "race_ethnicity")["asian"]["selection"]["n"] == 21
    assert "not in the configured schema" in body["notes"][0]


def test_no_answer_calls_anything_fair(read_api: Api) -> None:
    for path in ("/v1/fairness", "/v1/fairness/report?format=html", "/v1/fairness/report?format=json"):
        words = read_api.get(path).text.lower().replace("fairness", "")
        assert "fair" not in words


def test_without_its_database_the_service_says_when_to_try_again(api: Api) -> None:
    with api.database.begin() as connection:
        connection.execute(text("DROP TABLE decision_counts"))
    for path in ("/v1/fairness", "/v1/fairness/report"):
        problem = api.get(path)
        assert (problem.status_code, problem.json()["code"]) == (503, "store_unavailable")
        assert int(problem.headers["retry-after"]) > 0


STATEMENT = {
    "source": "The <b>log</b> of Acme & Sons",
    "explanation": "All office jobs",
    "distribution_date": "2025-02-03",
    "title": "Audit <script>alert(1)</script>",
    "limitation": "One office only.",
    "citation": ["A", "B"],
    "exclude_under": "0.02",
    "justification": "Three people.",
}


def test_the_report_says_what_the_auditor_says(read_api: Api) -> None:
    document = read_api.get("/v1/fairness/report", params=STATEMENT)
    assert document.headers["content-type"] == "application/json"
    body = document.json()
    assert (body["title"], body["data"]["source"]) == (STATEMENT["title"], STATEMENT["source"])
    assert (body["distribution_date"], body["citations"]) == ("2025-02-03", ["A", "B"])
    assert body["limitations"][-1] == "One office only."
    assert body["method"]["justification"] == "Three people."
    assert (body["data"]["bundles"], body["data"]["ground_truth"]) == ({BUNDLE: 190}, "label")
    nonbinary = by_group(body)["nonbinary"]
    assert (nonbinary["left_out"], nonbinary["selection"]["reason"], nonbinary["people"]) == (
        True,
        "left_out",
        3,
    )


def test_the_html_report_is_whole_and_escapes_what_it_is_given(read_api: Api) -> None:
    answer = read_api.get("/v1/fairness/report", params={**STATEMENT, "format": "html"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = answer.text
    assert "<script>" not in page
    assert "Audit &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "The &lt;b&gt;log&lt;/b&gt; of Acme &amp; Sons" in page
    assert "Nonbinary (1 of 3 selected, 33.3 %)" in page
    assert page.count("<svg") >= 4
    assert BUNDLE in page


def test_the_csv_report_has_one_row_a_group(read_api: Api) -> None:
    answer = read_api.get("/v1/fairness/report?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = {(row["attribute"], row["group"]): row for row in csv.DictReader(io.StringIO(answer.text))}
    assert len(rows) == 3 + 7 + 21 + 3
    assert rows["sex", "female"]["selection_count"] == "20"
    assert rows["sex", "unknown"]["people"] == "7"


@pytest.mark.parametrize("format", ["json", "csv", "html"])
def test_the_report_of_an_empty_window_says_that_there_is_nothing(read_api: Api, format: str) -> None:
    answer = read_api.get(f"/v1/fairness/report?window=1h&format={format}")
    assert answer.status_code == 200
    if format != "csv":
        assert "There are no decisions" in answer.text
    if format == "json":
        assert json.loads(answer.text)["attributes"][0]["groups"][0]["selection"]["rate"] is None


@pytest.mark.parametrize(
    "query",
    [
        "format=pdf",
        "distribution_date=soon",
        "distribution_date=86400",
        f"title={'x' * 2001}",
        "exclude_under=0.9",
    ],
)
def test_a_report_that_cannot_be_made_is_refused(read_api: Api, query: str) -> None:
    assert read_api.get(f"/v1/fairness/report?{query}").status_code == 422


def test_blank_options_of_a_report_are_absent(read_api: Api) -> None:
    blank = "window=&from=&to=&bundle=&ground_truth=&minimum="
    plain, given = read_api.get("/v1/fairness?window=30d"), read_api.get(f"/v1/fairness?{blank}&attribute=")
    assert given.status_code == 200, given.text
    assert given.json()["attributes"] == plain.json()["attributes"]
    report = (
        "title=&source=&explanation=%20&citation=&limitation=&distribution_date=&exclude_under=&format=html"
    )
    assert read_api.get(f"/v1/fairness/report?{blank}&{report}").status_code == 200
