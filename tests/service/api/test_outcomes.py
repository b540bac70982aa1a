"""`POST /v1/outcomes`: what an applicant tracking system sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.store.decisions import Decision
from tests.support.api import Api, Start
from tests.support.stored import decision, store

NOW = datetime.now(UTC)
MADE = NOW - timedelta(days=1)


def of_four_women() -> list[Decision]:
    return [decision(i, {"sex": "female"}, score=0.9 if i < 2 else 0.1, time=MADE) for i in range(4)]


@pytest.fixture
def api(api: Api) -> Api:
    """d-0 to d-3 of women were made yesterday; d-0 and d-1 were selected."""
    store(api.database, of_four_women())
    return api


@pytest.fixture(scope="module")
def refusing_api(shared_api: Api) -> Api:
    """The same for tests in which nothing is taken."""
    store(shared_api.database, of_four_women())
    return shared_api


def outcome(number: int, value: str = "positive", kind: str = "label", **more: Any) -> dict[str, Any]:
    return {"decision_id": f"d-{number}", "outcome": value, "kind": kind, **more}


def counted(api: Api, group: str, decision: str, outcome: str) -> float:
    return api.series(
        "evenmatch_outcomes_total", attribute="sex", group=group, decision=decision, outcome=outcome
    )


def test_an_outcome_is_attached_and_may_be_sent_again(api: Api) -> None:
    sent = outcome(0, time=NOW.isoformat())
    first = api.post("/v1/outcomes", json=sent)
    assert (first.status_code, first.json()) == (
        200,
        {"decision_id": "d-0", "kind": "label", "status": "recorded"},
    )
    assert api.post("/outcomes", json=sent).json()["status"] == "unchanged"
    assert counted(api, "female", "selected", "positive") == 1
    assert counted(api, "male", "selected", "negative") == 0


def test_another_value_is_a_conflict_until_it_says_replace(api: Api) -> None:
    api.post("/v1/outcomes", json=outcome(0))
    conflict = api.post("/v1/outcomes", json=outcome(0, "negative"))
    assert (conflict.status_code, conflict.json()["code"]) == (409, "outcome_conflict")
    assert conflict.headers["content-type"] == "application/problem+json"
    assert api.post("/v1/outcomes", json=outcome(0, "negative", replace=True)).json()["status"] == "replaced"
    with api.database.connect() as connection:
        rows = connection.execute(text("SELECT positive, event FROM outcome_history ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [(1, "recorded"), (0, "refused"), (0, "replaced")]
    # Each person counts once, as first told.
    assert counted(api, "female", "selected", "negative") == 0


def test_the_metric_counts_the_outcomes_that_are_the_truth_here(start: Start) -> None:
    api = start(fairness={"ground_truth": "human_decision"})
    store(api.database, [decision(0, {"sex": "male"}, time=MADE)])
    api.post("/v1/outcomes", json=outcome(0))
    api.post("/v1/outcomes", json=outcome(0, "negative", "human_decision"))
    assert counted(api, "male", "selected", "positive") == 0
    assert counted(api, "male", "selected", "negative") == 1


def test_a_decision_of_a_group_that_the_schema_forgot_counts_as_unknown(api: Api) -> None:
    store(api.database, [decision(9, {"sex": "diverse"}, time=MADE)])
    assert api.post("/v1/outcomes", json=outcome(9)).status_code == 200
    assert counted(api, "unknown", "selected", "positive") == 1


@pytest.mark.parametrize(
    ("sent", "status", "code", "field"),
    [
        (outcome(7), 404, "unknown_decision", "decision_id"),
        (outcome(0, time="2199-01-01T00:00:00Z"), 422, "outcome_time", "time"),
        (outcome(0, time="0001-01-01T00:00:00+14:00"), 422, "outcome_time", "time"),
        (outcome(0, time=(MADE - timedelta(minutes=6)).isoformat()), 422, "outcome_time", "time"),
        (outcome(0, time="2026-01-01T00:00:00"), 422, "validation_failed", "time"),
        (outcome(0, time="yesterday"), 422, "validation_failed", "time"),
        (outcome(0, time=1_700_000_000), 422, "validation_failed", "time"),
        (outcome(0, "maybe"), 422, "validation_failed", "outcome"),
        (outcome(0, kind="guess"), 422, "validation_failed", "kind"),
        (outcome(0, replace="yes"), 422, "validation_failed", "replace"),
        (outcome(0, note="hired"), 422, "validation_failed", "note"),
        ({**outcome(0), "decision_id": "a\x00b"}, 422, "validation_failed", "decision_id"),
        ({**outcome(0), "decision_id": "x" * 37}, 422, "validation_failed", "decision_id"),
        ({**outcome(0), "decision_id": ""}, 422, "validation_failed", "decision_id"),
    ],
)
def test_what_cannot_be_taken_says_why(
    refusing_api: Api, sent: dict[str, Any], status: int, code: str, field: str
) -> None:
    problem = refusing_api.post("/v1/outcomes", json=sent)
    assert (problem.status_code, problem.json()["code"]) == (status, code)
    assert [error["field"] for error in problem.json()["errors"]] == [field]
    assert "yesterday" not in problem.text


def test_one_that_is_refused_does_not_hold_up_the_others(api: Api) -> None:
    api.post("/v1/outcomes", json=outcome(3, "negative"))
    sent = {
        "outcomes": [
            outcome(0),
            outcome(8),
            outcome(3),
            outcome(1, "negative", "human_decision"),
            outcome(2, time="2199-01-01T00:00:00Z"),
            outcome(3, "negative"),
        ]
    }
    answer = api.post("/v1/outcomes/bulk", json=sent)
    body = answer.json()
    assert answer.status_code == 207
    assert (body["recorded"], body["replaced"], body["unchanged"], body["refused"]) == (2, 0, 1, 3)
    assert [
        (one["decision_id"], one["kind"], one["status"], one["http_status"], one["code"])
        for one in body["results"]
    ] == [
        ("d-0", "label", "recorded", 200, None),
        ("d-8", "label", "refused", 404, "unknown_decision"),
        ("d-3", "label", "refused", 409, "outcome_conflict"),
        ("d-1", "human_decision", "recorded", 200, None),
        ("d-2", "label", "refused", 422, "outcome_time"),
        ("d-3", "label", "unchanged", 200, None),
    ]
    assert "decision_id names no decision" in body["results"][1]["message"]
    again = api.post("/v1/outcomes/bulk", json={"outcomes": sent["outcomes"][:1]})
    assert (again.status_code, again.json()["unchanged"]) == (200, 1)


@pytest.mark.parametrize(("count", "limit"), [(0, 1), (4, 3)])
def test_a_request_has_a_limit(start: Start, count: int, limit: int) -> None:
    api = start(limits={"max_outcomes": 3})
    problem = api.post("/v1/outcomes/bulk", json={"outcomes": [outcome(i) for i in range(count)]}).json()
    assert (problem["status"], problem["code"], problem["limit"], problem["actual"]) == (
        422,
        "count_out_of_range",
        limit,
        count,
    )


def test_an_item_that_is_no_outcome_refuses_the_request(api: Api) -> None:
    problem = api.post("/v1/outcomes/bulk", json={"outcomes": [outcome(0), {"decision_id": "d-1"}]}).json()
    assert problem["status"] == 422
    assert [error["field"] for error in problem["errors"]] == ["outcomes[1].outcome", "outcomes[1].kind"]
    assert api.post("/v1/outcomes", json=outcome(0)).json()["status"] == "recorded"


def test_without_its_database_the_service_says_when_to_try_again(api: Api) -> None:
    with api.database.begin() as connection:
        connection.execute(text("DROP TABLE outcome_history"))
        connection.execute(text("DROP TABLE outcomes"))
    problem = api.post("/v1/outcomes", json=outcome(0))
    assert (problem.status_code, problem.json()["code"]) == (503, "store_unavailable")
    assert int(problem.headers["retry-after"]) > 0
