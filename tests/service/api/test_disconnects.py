"""Callers who hang up: the work for them ends, and what is recorded and what is counted agree."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import anyio
import pytest
from sqlalchemy import func, select

from service.core.tokenization import TokenIds
from service.store.decisions import Decision
from service.store.tables import decisions
from tests.support.api import JOB, Api, Start, numbers
from tests.support.callers import Caller, until


class Gate:
    """Holds up whoever comes through, and counts them."""

    def __init__(self) -> None:
        self.came = 0
        self._open = threading.Event()

    def __call__(self, *_: object) -> None:
        self.came += 1
        assert self._open.wait(60)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()


def body(*resumes: str) -> dict[str, Any]:
    return {
        "job": JOB,
        "candidates": [{"id": f"c-{i}", "resume": text} for i, text in enumerate(resumes)],
        "redact": False,
    }


def stored(api: Api) -> int:
    with api.database.connect() as connection:
        return connection.execute(select(func.count()).select_from(decisions)).scalar_one()


def counted(api: Api) -> float:
    return api.series("evenmatch_match_score_count", attribute="sex", group="unknown")


def left(api: Api) -> float:
    return api.series("evenmatch_requests_total", route="/v1/score", status="499")


def spy(api: Api, monkeypatch: pytest.MonkeyPatch, before: Callable[[], object]) -> list[str]:
    """The fields of all resumes that are read."""
    fields: list[str] = []
    read = api.runtime.matcher.tokenize_resume

    def tokenize(text: str, **options: Any) -> Any:
        fields.append(options["field"])
        before()
        return read(text, **options)

    monkeypatch.setattr(api.runtime.matcher, "tokenize_resume", tokenize)
    return fields


def test_of_one_who_leaves_while_texts_are_read_no_further_text_is_read(
    start: Start, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = start(store={"durable": True})
    read = spy(api, monkeypatch, gate)
    caller = Caller(api, "/v1/score", body(*(numbers(i, 700) for i in range(4))))
    until(lambda: gate.came)
    caller.leave()
    gate.open()
    caller.done.result(60)
    assert read == ["candidates[0].resume"]
    assert (caller.answer, api.engine.batches, stored(api), counted(api), left(api)) == ([], [], 0, 0, 1)


def test_of_one_who_leaves_the_line_nothing_is_read_and_the_next_is_served(
    start: Start, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = start(store={"durable": True}, model={"batch_tokens": 64})
    read = spy(api, monkeypatch, lambda: None)
    api.engine.before = gate
    first = Caller(api, "/v1/score", body(numbers(0, 300)))
    until(lambda: gate.came)
    hasty = [Caller(api, "/v1/score", body(numbers(i, 300))) for i in range(1, 4)]
    patient = Caller(api, "/v1/score", body(numbers(9, 300)))
    until(lambda: api.runtime.scheduler.requests_waiting == 4)
    for caller in hasty:
        caller.leave()
        caller.done.result(60)
    assert api.runtime.scheduler.requests_waiting == 1
    gate.open()
    for caller in (first, patient):
        caller.done.result(60)
        assert caller.status == 200
    assert len(read) == 2
    assert (stored(api), counted(api), left(api)) == (2, 2, 3)


def test_texts_of_one_who_leaves_while_they_wait_for_the_engine_are_not_encoded(
    start: Start, gate: Gate
) -> None:
    api = start(store={"durable": True}, model={"batch_tokens": 64})
    api.engine.before = gate
    caller = Caller(api, "/v1/score", body(*(numbers(i, 100) for i in range(4))))
    until(lambda: gate.came)
    caller.leave()
    caller.done.result(60)
    assert api.series("evenmatch_queue_depth") == 0
    gate.open()
    assert api.score("java").status_code == 200
    words = [ids for batch in api.engine.batches[1:] for ids in batch]
    assert sum(map(len, words)) < 200  # of a job and one word
    assert (stored(api), counted(api), left(api)) == (1, 1, 1)


def test_one_who_leaves_while_decisions_are_recorded_leaves_them_stored_and_counted(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = start(store={"durable": True})
    recorder = api.app.state.recorder  # type: ignore[attr-defined]
    record, recording = recorder.record, threading.Event()

    async def slowly(given: Sequence[Decision]) -> None:
        recording.set()
        while not hung_up.is_set():
            await anyio.sleep(0.005)
        await record(given)

    hung_up = threading.Event()
    monkeypatch.setattr(recorder, "record", slowly)
    caller = Caller(api, "/v1/score", body("java", "python"))
    until(recording.is_set)
    caller.leave()
    hung_up.set()
    caller.done.result(60)
    assert (caller.answer, stored(api), counted(api), left(api)) == ([], 2, 2, 1)


def test_one_who_leaves_within_the_body_is_counted_so(api: Api) -> None:
    caller = Caller(api, "/v1/score", b'{"job": ', more=True)
    caller.leave()
    caller.done.result(60)
    assert (caller.answer, left(api)) == ([], 1)


def test_an_audit_for_one_who_left_is_not_planned_to_its_end(
    start: Start, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = start()
    encoded: list[Sequence[TokenIds]] = api.engine.batches  # type: ignore[assignment]
    read = api.runtime.matcher.tokenize_read

    def tokenize(*given: Any, **named: Any) -> Any:
        gate()
        return read(*given, **named)

    monkeypatch.setattr(api.runtime.matcher, "tokenize_read", tokenize)
    resumes = [{"id": f"r-{i}", "resume": numbers(i, 20)} for i in range(50)]
    caller = Caller(api, "/v1/audit/counterfactual", {"job": JOB, "resumes": resumes, "redact": False})
    until(lambda: gate.came)
    caller.leave()
    gate.open()
    caller.done.result(60)
    assert (gate.came, encoded, caller.answer) == (1, [], [])
