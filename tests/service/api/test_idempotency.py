"""`Idempotency-Key`, as a client meets it that sends everything twice."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from service.store import tables
from service.store.idempotency import RecentAnswers
from service.store.recorder import StoreOptions
from service.store.right_to_erasure import erase_person
from service.store.tables import to_microseconds
from tests.support.api import ENGINEER, JOB, NURSE, Api, Start

SECRET = "Zaphod Beeblebrox"
BODY: dict[str, Any] = {
    "job": {**JOB, "id": "req-17"},
    "candidates": [
        {"id": "person-1", "resume": f"{SECRET}\n{ENGINEER}", "groups": {"sex": "female"}},
        {"id": "person-2", "resume": NURSE},
    ],
}


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer comes from memory: what is repeated was stored."""
    monkeypatch.setattr(RecentAnswers, "get", lambda self, key: None)


def send(api: Api, key: str = "key-1", path: str = "/v1/score", **changes: Any) -> Any:
    return api.post(path, json={**BODY, **changes}, headers={"Idempotency-Key": key})


def test_metadata_is_not_kept_and_comes_back_from_the_repeated_request(api: Api, tmp_path: Path) -> None:
    people = [{**one, "metadata": {"owner": SECRET, "n": i}} for i, one in enumerate(BODY["candidates"])]
    first, again = (send(api, candidates=people) for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert [one["metadata"]["n"] for one in again.json()["results"]] == [0, 1]
    with api.database.connect() as connection:
        stored = connection.execute(select(tables.answers.c.content)).scalars().all()
    assert stored
    assert SECRET not in str(stored)


def decided(api: Api) -> int:
    with api.database.connect() as connection:
        return connection.execute(select(func.count()).select_from(tables.decisions)).scalar_one()


def counted(api: Api) -> float:
    return sum(
        api.series("evenmatch_decisions_total", attribute="sex", group="female", decision=decision)
        for decision in ("selected", "not_selected")
    )


def outcomes_counted(api: Api) -> float:
    return sum(
        api.series(
            "evenmatch_outcomes_total", attribute="sex", group="female", decision=decision, outcome=value
        )
        for decision in ("selected", "not_selected")
        for value in ("positive", "negative")
    )


def assert_repeated(first: Any, again: Any) -> None:
    assert first.status_code in (200, 207)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


def assert_problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_same_request_gets_the_same_answer_and_one_set_of_decisions(api: Api) -> None:
    asked: list[dict[str, Any]] = [{}, {"explain": True}, {"redact": False, "explain": True}]
    for number, changes in enumerate(asked, 1):
        key = f"key-{number}"
        first = send(api, key, **changes)
        batches = len(api.engine.batches)
        assert_repeated(first, send(api, key, **changes))
        assert_repeated(first, send(api, key, path="/score", **changes))
        assert decided(api) == 2 * number
        assert counted(api) == number
        if not changes:
            assert len(api.engine.batches) == batches
        assert (first.json()["results"][0]["explanation"] is not None) == ("explain" in changes)


def test_a_body_that_says_the_same_in_other_words_is_the_same(api: Api) -> None:
    first = send(api)
    # Other order, white space, escapes, and what is the default anyway.
    body = {"redact": True, "explain": False, **dict(reversed(BODY.items()))}
    text = json.dumps(body, indent=2).replace("python", "\\u0070ython")
    again = api.post(
        "/v1/score", content=text, headers={"Idempotency-Key": "key-1", "content-type": "application/json"}
    )
    assert_repeated(first, again)


def _other_resume(body: dict[str, Any]) -> None:
    body["candidates"][1]["resume"] += " "


def _other_order(body: dict[str, Any]) -> None:
    body["candidates"].reverse()


def _other_groups(body: dict[str, Any]) -> None:
    body["candidates"][0]["groups"] = {}


def _explained(body: dict[str, Any]) -> None:
    body["explain"] = True


def test_another_body_under_the_key_is_a_conflict(api: Api) -> None:
    send(api)
    for number, change in enumerate((_other_resume, _other_order, _other_groups, _explained)):
        body = json.loads(json.dumps(BODY))
        change(body)
        assert_problem(send(api, **body), 409, "idempotency_key_reused")
        assert decided(api) == 2 + 2 * number
        assert send(api, f"another-{number}", **body).status_code == 200


def test_without_a_key_or_with_a_blank_one_every_request_counts(api: Api) -> None:
    for headers in ({}, {"Idempotency-Key": ""}, {"Idempotency-Key": "  "}):
        answer = api.post("/v1/score", json=BODY, headers=headers)
        assert "idempotency-replayed" not in answer.headers
    api.get("/metrics")
    assert counted(api) == 3


def test_a_key_that_is_none_is_refused_by_name(api: Api) -> None:
    bad = {"k" * 256: 256, "two words": 9, "Zo\u00eb": 4, "a\tb": 3, "a, b": 4, "a\x7f": 2}  # in bytes
    for path in ("/v1/score", "/v1/outcomes", "/outcomes/bulk"):
        for key, actual in bad.items():
            answer = api.post(path, json={}, headers={b"Idempotency-Key": key.encode()})
            assert_problem(answer, 422, "invalid_input")
            (error,) = answer.json()["errors"]
            assert (error["field"], error["limit"], error["actual"]) == ("Idempotency-Key", 255, actual)
            assert key not in answer.text


def test_the_longest_key_and_all_characters_are_taken_and_two_keys_are_not(api: Api) -> None:
    longest = "".join(map(chr, range(0x21, 0x7F))).ljust(255, "~")
    assert_repeated(send(api, longest), send(api, longest))
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert_problem(api.post("/v1/score", json=BODY, headers=twice), 422, "invalid_input")


def test_a_refused_request_leaves_the_key_free(api: Api) -> None:
    assert send(api, candidates=[{"id": "c-1", "resume": ""}]).status_code == 422
    first = send(api)
    assert_repeated(first, send(api))


def test_ten_at_once_are_one(start: Start) -> None:
    api = start(store={"durable": False})
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: send(api), range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert {json.dumps(answer.json()) for answer in answers} == {json.dumps(answers[0].json())}
    assert decided(api) == 2
    assert counted(api) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 9


def test_the_answer_outlives_the_process_and_is_known_to_its_neighbour(start: Start) -> None:
    first = send(start())
    assert_repeated(first, send(start()))


def test_after_an_erasure_the_key_makes_no_new_decision(api: Api, tmp_path: Path) -> None:
    first = send(api)
    with closing(StoreOptions(data_dir=tmp_path / "data").open_log()) as log:
        erase_person(log, "person-2")
    assert_problem(send(api), 409, "idempotency_answer_erased")
    assert decided(api) == 2
    files = b"".join(file.read_bytes() for file in (tmp_path / "data").glob("decisions.sqlite*"))
    # The decision's id stays in its emptied row only.
    assert files.count(first.json()["results"][1]["decision_id"].encode()) <= 2


def test_the_stored_answer_holds_ids_of_decisions_and_nothing_of_people_or_texts(api: Api) -> None:
    send(api, explain=True)
    with api.database.connect() as connection:
        (content,) = connection.exec_driver_sql("SELECT content FROM answers").scalars()
    for hidden in (SECRET, "Zaphod", "python", "person", "req-17", "engineer", "key-1"):
        assert hidden not in content


def test_an_explanation_of_another_model_is_left_out(api: Api) -> None:
    first = send(api, explain=True).json()
    with api.database.begin() as connection:
        digest = api.runtime.bundle.digest
        connection.exec_driver_sql(f"UPDATE answers SET content = replace(content, '{digest}', 'another')")
    again = send(api, explain=True).json()
    for result in first["results"]:
        result["explanation"] = result["parts"] = None
    assert again == first


def outcomes(api: Api, path: str, body: dict[str, Any], key: str = "key-1") -> Any:
    return api.post(path, json=body, headers={"Idempotency-Key": key})


def test_an_outcome_is_told_again_as_it_was(api: Api) -> None:
    decision_id = send(api).json()["results"][0]["decision_id"]
    body = {"decision_id": decision_id, "outcome": "positive", "kind": "label"}
    first = outcomes(api, "/v1/outcomes", body)
    assert first.json()["status"] == "recorded"
    assert_repeated(first, outcomes(api, "/outcomes", body))
    assert outcomes(api, "/v1/outcomes", body, "key-2").json()["status"] == "unchanged"
    assert_problem(
        outcomes(api, "/v1/outcomes", {**body, "outcome": "negative"}), 409, "idempotency_key_reused"
    )
    assert outcomes_counted(api) == 1


def test_outcomes_are_told_again_as_they_were(api: Api) -> None:
    ids = [result["decision_id"] for result in send(api).json()["results"]]
    soon = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    body = {
        "outcomes": [
            {"decision_id": ids[0], "outcome": "positive", "kind": "label"},
            {"decision_id": ids[0], "outcome": "negative", "kind": "label"},
            {"decision_id": ids[1], "outcome": "negative", "kind": "label", "time": soon},
            {"decision_id": "never-made", "outcome": "negative", "kind": "label"},
        ]
    }
    first = outcomes(api, "/v1/outcomes/bulk", body)
    assert (first.status_code, first.json()["recorded"], first.json()["refused"]) == (207, 1, 3)
    assert_repeated(first, outcomes(api, "/v1/outcomes/bulk", body))
    assert outcomes_counted(api) == 1


def test_an_outcome_that_was_refused_may_be_tried_again(api: Api) -> None:
    decision_id = send(api).json()["results"][0]["decision_id"]
    unknown = {"decision_id": "never-made", "outcome": "positive", "kind": "label"}
    for _ in range(2):
        answer = outcomes(api, "/v1/outcomes", unknown)
        assert_problem(answer, 404, "unknown_decision")
        assert "idempotency-replayed" not in answer.headers
    # A key that was refused is free for what can be done.
    assert outcomes(api, "/v1/outcomes", {**unknown, "decision_id": decision_id}).status_code == 200


def test_the_same_key_on_another_route_is_another_key(api: Api) -> None:
    decision_id = send(api).json()["results"][0]["decision_id"]
    one = {"decision_id": decision_id, "outcome": "positive", "kind": "label"}
    assert outcomes(api, "/v1/outcomes", one).json()["status"] == "recorded"
    assert outcomes(api, "/v1/outcomes/bulk", {"outcomes": [one]}).json()["unchanged"] == 1


def test_after_a_day_the_same_key_decides_anew(api: Api) -> None:
    send(api)
    with api.database.begin() as connection:
        day = to_microseconds(datetime.now(UTC)) - to_microseconds(datetime.now(UTC) - timedelta(hours=24))
        connection.exec_driver_sql(f"UPDATE answers SET time = time - {day}")
    assert "idempotency-replayed" not in send(api).headers
    assert decided(api) == 4
