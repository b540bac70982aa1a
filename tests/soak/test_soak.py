"""A little more than a minute of what `make soak` does for an hour, and how it judges."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.chaos.campaign import models
from tests.soak.checks import decisions_at_fault, outcomes_at_fault
from tests.soak.ledger import BROKEN, Ledger, Refusal, Scored, Window
from tests.soak.processes import Growth, relative_growth
from tests.soak.report import Report
from tests.soak.soak import Plan, run
from tests.support.postgres import programs


def test_a_refusal_is_explained_only_by_what_was_broken_at_that_time_and_for_that_route() -> None:
    windows = [
        Window("database stopped", 10, 20, {"/v1/outcomes": ("503 store_unavailable",)}),
        Window("serving process killed", 30, 31, {"": (BROKEN,)}),
    ]
    explained = [
        Refusal("/v1/outcomes", "503 store_unavailable", 19.5, 25),
        Refusal("/v1/outcomes", "503 store_unavailable", 5, 10),
        Refusal("/v1/score", BROKEN, 20, 30.5),
    ]
    unexplained = [
        Refusal("/v1/outcomes", "503 store_unavailable", 20.1, 25),
        Refusal("/v1/outcomes", "503 store_unavailable", 5, 9.9),
        Refusal("/v1/score", "503 store_unavailable", 12, 13),
        Refusal("/v1/outcomes", "500 internal_error", 12, 13),
        Refusal("/v1/outcomes", BROKEN, 12, 13),
    ]
    assert Ledger(refusals=[*explained, *unexplained]).unexplained(windows) == unexplained


def test_growth_is_the_rise_of_a_straight_line_over_the_mean() -> None:
    assert relative_growth([0, 10, 20], [90, 100, 110]) == pytest.approx(0.2)
    assert relative_growth([0, 10, 20], [100, 130, 100]) == pytest.approx(0)


ANSWERED = {
    "decision_id": "d-1",
    "candidate_id": "c-1",
    "raw_score": 0.25,
    "calibrated_probability": 0.5,
    "decision": "selected",
}
STORED = {**ANSWERED, "tenant": "acme", "groups": '{"sex":"female"}'}


def ledger_of_one() -> Ledger:
    request = Scored("acme", "key", {}, [("c-1", "female")], 1, [ANSWERED])
    return Ledger(scored=[request], outcomes={"d-1": True}, hung_up={"h-1"})


def test_what_is_stored_as_it_was_answered_is_right() -> None:
    left = {**STORED, "decision_id": "d-2", "candidate_id": "h-1"}
    assert list(decisions_at_fault([STORED], ledger_of_one())) == []
    assert list(decisions_at_fault([STORED, left], ledger_of_one())) == []
    said = [{"decision_id": "d-1", "positive": True}]
    assert list(outcomes_at_fault(said, said, ledger_of_one())) == []


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([], "lost"),
        ([STORED, {**STORED, "decision_id": "d-2"}], "doubled"),
        ([{**STORED, "raw_score": 0.25 + 2**-54}], "stored otherwise"),
        ([{**STORED, "tenant": "zeta"}], "stored otherwise"),
        ([{**STORED, "groups": '{"sex":"male"}'}], "stored otherwise"),
        ([STORED, {**STORED, "decision_id": "d-2", "candidate_id": "c-2"}], "nobody was answered"),
    ],
)
def test_what_is_not_stored_as_it_was_answered_is_found(rows: list[dict[str, object]], fault: str) -> None:
    (found,) = decisions_at_fault(rows, ledger_of_one())
    assert fault in found


def test_outcomes_that_are_lost_changed_or_doubled_are_found() -> None:
    once = [{"decision_id": "d-1"}]
    for rows, history, fault in (
        ([], once, "lost"),
        ([{"decision_id": "d-1", "positive": False}], once, "lost"),
        ([{"decision_id": "d-1", "positive": True}], once * 2, "doubled"),
    ):
        (found,) = outcomes_at_fault(rows, history, ledger_of_one())
        assert fault in found


def test_a_report_names_what_is_wrong_and_which_process_grew() -> None:
    steady = Growth("supervisor", seconds=1_200, resident_mib=80, resident=0.049, descriptors=0.0)
    report = Report(
        when="2026-11-29T12:00:00+00:00",
        plan=Plan(minutes=60),
        seconds=3_600,
        faults={"database stopped": 2},
        fault_seconds=60,
        answers={"POST /v1/score 200": 10},
        decisions=20,
        outcomes=5,
        jobs=1,
        hung_up=3,
        retried=2,
        refusals={"/v1/outcomes: 503 store_unavailable": 4},
        unexplained=[],
        growths=[steady],
        largest_resident_mib=300,
        broken=[],
    )
    assert report.wrong == []
    assert json.loads(report.as_json())["faults"] == {"database stopped": 2}
    assert "| refusals that no fault explains | 0 |" in report.as_markdown()
    report.growths = [steady, replace(steady, role="serves", resident=0.051)]
    report.unexplained = ["/v1/score: 500 internal_error after 0.1 s"]
    report.broken = ["lost: 1 of 20"]
    assert len(report.wrong) == 3
    assert report.as_markdown().count("WRONG") == 3


@pytest.mark.slow
@pytest.mark.postgres
def test_answers_stay_right_and_nothing_is_lost_through_faults() -> None:
    if programs() is None:
        pytest.skip("needs PostgreSQL's initdb and pg_ctl, and as root a user postgres")
    said: list[str] = []
    plan = Plan(minutes=1.25, rate=6, seed=21, pause=3, hold=3, killing=1, database_seconds=60)
    with models(None) as converted:
        report = run(plan, converted, said.append)
    assert report.wrong == [], "\n".join([*said, report.as_markdown()])
    assert report.faults
    assert report.decisions > 0
