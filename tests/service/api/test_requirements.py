"""`requirements` and `require` of `POST /v1/score`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.core.bundle import Bundle
from service.store import tables
from service.store.idempotency import RecentAnswers
from tests.support.api import JOB, Api, start_api

POSTING = {
    **JOB,
    "description": f"{JOB['description']}\n"
    "Bachelor's degree required.\nMust have the right to work in the UK.",
}
FIT = "senior backend engineer, python, java, built the payment service"
PEOPLE = [
    {"id": "school", "resume": f"{FIT}\nEducation\nHigh school diploma"},
    {"id": "degree", "resume": f"{FIT}\nEducation\nBSc in physics"},
    {"id": "silent", "resume": FIT},
]


@pytest.fixture(scope="module")
def selecting(tiny_bundle: Bundle, bge_like: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An app by whose threshold everybody here is selected."""
    rule = tiny_bundle.decision.model_copy(update={"threshold": 0.01, "borderline": (0.01, 0.01)})
    bundle = replace(tiny_bundle, decision=rule)
    with ExitStack() as stack:
        yield start_api(stack, bge_like / "tokenizer.json", tmp_path_factory.mktemp("data"), bundle)


def _send(api: Api, key: str | None = None, **options: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"job": POSTING, "candidates": PEOPLE, **options}
    return api.post("/v1/score", json=body, headers=headers)


def _found(answer: Any, kind: str) -> list[str]:
    lists = [one["requirements"] for one in answer.json()["results"]]
    return [next(one["found"] for one in listed if one["kind"] == kind) for listed in lists]


def test_requirements_are_listed_if_asked_for_and_change_nothing(selecting: Api) -> None:
    plain, listed = _send(selecting).json(), _send(selecting, requirements=True)

    assert _found(listed, "degree") == ["no", "yes", "unknown"]
    assert _found(listed, "right_to_work") == ["unknown"] * 3
    first = listed.json()["results"][0]["requirements"][0]
    assert first.pop("where") != []
    assert first == {
        "text": "Bachelor's degree required.",
        "kind": "degree",
        "required": True,
        "found": "no",
    }
    for before, after in zip(plain["results"], listed.json()["results"], strict=True):
        assert before["requirements"] is None
        for name in ("raw_score", "calibrated_probability", "decision", "reason", "borderline"):
            assert before[name] == after[name]


@pytest.mark.parametrize(
    ("require", "reasons"),
    [
        (["degree"], ["requirement_not_found", None, None]),
        (True, ["requirement_not_found", None, None]),
        (["right_to_work", "shift", "place"], [None] * 3),
        (False, [None] * 3),
    ],
)
def test_who_lacks_what_is_required_is_not_selected(
    selecting: Api, require: list[str] | bool, reasons: list[str | None]
) -> None:
    before = [one["decision"] for one in _send(selecting).json()["results"]]
    results = _send(selecting, require=require).json()["results"]

    assert before == ["selected"] * 3
    assert [one["reason"] for one in results] == reasons
    assert [one["decision"] for one in results] == [
        "selected" if reason is None else "not_selected" for reason in reasons
    ]


def test_the_log_holds_the_decision_that_was_answered_and_no_text(
    selecting: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecentAnswers, "get", lambda self, key: None)
    first, again = (_send(selecting, "key-1", require=["degree"], explain=True) for _ in range(2))

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    with selecting.database.connect() as connection:
        columns = tables.decisions.c
        query = select(columns.candidate_id, columns.decision).order_by(columns.sequence)
        rows = connection.execute(query).all()
        stored = connection.execute(select(tables.answers.c.content)).scalars().all()
    decided = [{tuple(row) for row in rows[i : i + 3]} for i in range(0, len(rows), 3)]
    assert decided[-1] == {("degree", "selected"), ("school", "not_selected"), ("silent", "selected")}
    assert len(stored) == 1
    assert "diploma" not in str(stored)
    assert "Bachelor" not in str(stored)
    assert _send(selecting, "key-1", require=["years"]).status_code == 409


def test_where_names_passages_of_the_explanation(selecting: Api) -> None:
    results = _send(selecting, requirements=True, explain=True).json()["results"]

    (where,) = results[1]["requirements"][0]["where"]
    assert "BSc" in results[1]["explanation"][where]["text"]


@pytest.mark.parametrize("require", [["age"], ["degree", "age"], "degree", [1], ["degree"] * 9])
def test_a_kind_that_is_none_is_refused(selecting: Api, require: Any) -> None:
    answer = _send(selecting, require=require)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("require")
