"""What is refused before it costs anything, what the caller sees of it, and who is served all the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.api.bodies import parse
from service.api.routes import embed, outcomes
from service.core.errors import StoreUnavailableError
from tests.support.api import ENGINEER, JOB, Api, Start, numbers
from tests.support.callers import Caller, until


@pytest.fixture
def held(start: Start) -> Iterator[tuple[Api, threading.Event]]:
    """A service that has room for two bodies of 4 kB and three requests, and whose engine waits."""
    api = start(limits={"max_body_bytes": 4_096, "max_inflight_bytes": 8_192, "max_requests": 3})
    release = threading.Event()
    api.engine.before = lambda batch: release.wait(60)
    yield api, release
    release.set()


def filler(size: int) -> bytes:
    """A scoring request of so many bytes."""
    empty = json.dumps({"job": JOB, "candidates": [{"id": "c", "resume": ""}]})
    resume = (ENGINEER + " ") * size
    body = json.dumps({"job": JOB, "candidates": [{"id": "c", "resume": resume[: size - len(empty)]}]})
    assert len(body) == size
    return body.encode()


def post(api: Api, body: bytes | Iterator[bytes]) -> Any:
    return api.post("/v1/score", content=body, headers={"content-type": "application/json"})


def test_bodies_beyond_the_memory_for_them_get_429_at_once_and_unread(
    held: tuple[Api, threading.Event],
) -> None:
    api, release = held
    callers = [Caller(api, "/v1/score", filler(4_000)) for _ in range(2)]
    until(lambda: api.engine.batches)
    refused = post(api, filler(4_000))
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (429, "too_busy")
    assert (problem["limit"], problem["actual"]) == (8_192, 12_000)
    assert int(refused.headers["retry-after"]) >= 1
    assert api.get("/health/live").status_code == api.get("/metrics").status_code == 200
    assert api.series("evenmatch_requests_total", route="/v1/score", status="429") == 1
    release.set()
    for caller in callers:
        caller.done.result(60)
        assert caller.status == 200
    assert post(api, filler(4_000)).status_code == 200


def test_a_body_without_a_length_takes_room_as_it_comes(held: tuple[Api, threading.Event]) -> None:
    api, release = held
    callers = [Caller(api, "/v1/score", filler(4_000)) for _ in range(2)]
    until(lambda: api.engine.batches)
    body = filler(4_000)
    refused = post(api, iter([body[:100], body[100:]]))
    assert (refused.status_code, refused.json()["code"]) == (429, "too_busy")
    unread = Caller(api, "/v1/score", body[:500], more=True, **{"content-length": "100000"})
    until(lambda: unread.answer)
    assert (unread.status, dict(unread.answer[0]["headers"])[b"connection"]) == (413, b"close")
    unread.leave()
    unread.done.result(60)
    release.set()
    for caller in callers:
        caller.done.result(60)


def test_requests_beyond_the_limit_get_429_and_health_goes_on(held: tuple[Api, threading.Event]) -> None:
    api, release = held
    callers = [Caller(api, "/v1/score", filler(1_000)) for _ in range(3)]
    until(lambda: api.engine.batches)
    refused = post(api, filler(1_000))
    assert (refused.status_code, refused.json()["code"], refused.json()["limit"]) == (429, "too_busy", 3)
    assert "connection" not in refused.headers  # a small body was read to its end
    assert api.get("/health/live").status_code == api.get("/v1/model").status_code == 200
    release.set()
    for caller in callers:
        caller.done.result(60)
        assert caller.status == 200


def test_who_announces_a_body_and_sends_none_takes_no_room(held: tuple[Api, threading.Event]) -> None:
    api, release = held
    release.set()
    silent = [Caller(api, "/v1/score", b"", more=True, **{"content-length": "4000"}) for _ in range(2)]
    assert post(api, filler(4_000)).status_code == 200
    for caller in silent:
        caller.leave()
        caller.done.result(60)


def test_what_was_refused_or_broken_off_gives_its_room_back(held: tuple[Api, threading.Event]) -> None:
    api, release = held
    release.set()
    for _ in range(4):
        caller = Caller(api, "/v1/score", filler(4_000)[:3_000], more=True)
        caller.leave()
        caller.done.result(60)
        assert post(api, filler(5_000)).status_code == 413
        assert post(api, iter([filler(4_000), b" " * 200])).status_code == 413
        assert post(api, b"[").status_code == 400
    assert post(api, filler(4_000)).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/score", {"job": JOB, "candidates": [{"id": "c", "resume": "a " * 4_200 + "b"}]}),
        ("/v1/embed", {"inputs": ["a " * 2_100, "b " * 2_100]}),
        ("/v1/embeddings", {"input": ["a " * 2_100, "b " * 2_100]}),
        ("/v1/embeddings", {"input": [[5] * 2_100, [5] * 2_100]}),
        ("/v1/audit/counterfactual", {"job": JOB, "resumes": [{"id": "r", "resume": "a " * 4_200}]}),
    ],
)
def test_more_words_than_the_queue_could_hold_are_refused_before_they_are_read(
    start: Start, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any]
) -> None:
    api = start(model={"queue_tokens": 4_096, "accept_token_arrays": True})
    read: list[object] = []
    monkeypatch.setattr(api.runtime.matcher.redactor, "redact", lambda *given, **_: read.append(given))
    monkeypatch.setattr(api.runtime.tokenizer, "_encode", lambda *given: read.append(given))
    problem = api.post(path, json=body).json()
    assert (problem["status"], problem["code"], problem["limit"]) == (413, "request_too_large", 4_096)
    assert problem["actual"] >= 4_200
    assert not read


def test_an_answer_of_many_vectors_is_refused_or_sent_in_parts(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = start(limits={"max_passages": 20})
    body = {"inputs": [numbers(i, 5) + "\n\n" + numbers(i + 9, 5) for i in range(10)], "passages": True}
    whole = api.post("/v1/embed", json=body)
    monkeypatch.setattr(embed, "_PART", 7)
    parts = api.post("/v1/embed", json=body)
    assert "content-length" in whole.headers
    assert "content-length" not in parts.headers
    assert parts.content == whole.content
    assert len(parts.json()["embeddings"]) == sum(parts.json()["passage_counts"]) > 7
    body["inputs"] = [f"{numbers(i, 5)}\n\n" * 3 for i in range(20)]
    problem = api.post("/v1/embed", json=body).json()
    assert (problem["status"], problem["code"], problem["limit"]) == (413, "request_too_large", 20)
    assert problem["actual"] > 20


def test_an_explanation_of_too_many_passages_is_refused_and_nothing_recorded(start: Start) -> None:
    api = start(limits={"max_passages": 3})
    resume = "\n\n".join(numbers(i, 60) for i in range(4))
    body = {"job": JOB, "candidates": [{"id": "c", "resume": resume}], "explain": True, "redact": False}
    problem = api.post("/v1/score", json=body).json()
    assert (problem["status"], problem["limit"]) == (413, 3)
    assert api.series("evenmatch_match_score_count", attribute="sex", group="unknown") == 0
    assert api.post("/v1/score", json={**body, "explain": False}).status_code == 200


def test_a_database_that_hangs_stops_nothing_else(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    api = start()
    release, asked = threading.Event(), threading.Semaphore(0)

    def hang(*_: object, **__: object) -> None:
        asked.release()
        assert release.wait(60)
        raise StoreUnavailableError("the database of decisions does not answer", retry_after=5)

    monkeypatch.setattr(outcomes, "record_outcomes", hang)
    outcome = {"decision_id": "d-1", "kind": "label", "outcome": "positive"}
    callers = [Caller(api, "/v1/outcomes", outcome) for _ in range(60)]
    assert asked.acquire(timeout=60)
    assert api.get("/health/ready").status_code == 200
    assert api.get("/metrics").status_code == 200
    assert api.get("/v1/fairness").status_code == 200
    assert api.post("/v1/redact", json={"resume": ENGINEER}).status_code == 200
    assert api.post("/v1/embed", json={"inputs": "java"}).status_code == 200
    assert api.score(ENGINEER).status_code == 200
    release.set()
    for caller in callers:
        caller.done.result(60)
        assert caller.status == 503
    assert api.post("/v1/outcomes", json=outcome).status_code == 503
    monkeypatch.undo()
    until(lambda: api.post("/v1/outcomes", json=outcome).status_code == 404)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=30)
@given(_JSON, st.booleans())
def test_large_bodies_are_read_as_json_reads_them(value: object, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert parse(body) == json.loads(body)
    for cut in (body[:-1], body + b"]"):
        try:
            expected: object = json.loads(cut)
        except ValueError as error:
            expected = str(error)
        try:
            found = parse(cut)
        except ValueError as error:
            found = str(error)
        assert found == expected


@pytest.mark.parametrize(
    ("start_of_body", "status", "code"),
    [(b'{"job": ', 400, "malformed_json"), (b"\xff", 400, "not_utf8"), (b"[" * 70_000, 400, "bad_request")],
)
def test_a_large_body_that_is_no_json_says_why(
    api: Api, start_of_body: bytes, status: int, code: str
) -> None:
    answer = post(api, start_of_body + b" " * 70_000)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
