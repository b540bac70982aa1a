"""Outcomes with an `Idempotency-Key`: taken once, and the same is told again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, func, select

from service.core.errors import KeyReusedError
from service.store.decisions import KeyedRequest
from service.store.outcomes import Outcome, OutcomeResult, record_outcomes
from service.store.tables import answers, outcome_history
from tests.service.store.keyed import request
from tests.support.decision_logs import DAY
from tests.support.stored import decision, store

NOW = DAY + timedelta(days=60)
KEYED = request(route="/v1/outcomes/bulk")


def told(
    engine: Engine, *given: Outcome, keyed: KeyedRequest = KEYED, hours: float = 0
) -> list[OutcomeResult]:
    now = NOW + timedelta(hours=hours)
    return record_outcomes(engine, given, now=now, skew=timedelta(0), request=keyed)


def plain(results: list[OutcomeResult]) -> list[object]:
    return [one.event or (type(one.error), str(one.error), one.error and one.error.field) for one in results]


def count(engine: Engine, table: object = answers) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def test_what_was_done_is_told_again_and_not_done_again(engine: Engine) -> None:
    store(engine, [decision(n) for n in range(3)])
    given = (
        Outcome("d-0", True, "label"),
        Outcome("d-9", True, "label"),  # never made
        Outcome("d-1", False, "label"),
        Outcome("d-1", True, "label"),  # refused
        Outcome("d-2", True, "label", time=NOW + timedelta(days=1)),  # in the future
    )
    first = told(engine, *given)
    assert [one.repeated for one in first] == [False] * 5
    assert [one.event for one in first] == ["recorded", None, "recorded", None, None]
    history = count(engine, outcome_history)
    again = told(engine, *given, hours=23)
    assert [one.repeated for one in again] == [True] * 5
    assert plain(again) == plain(first)
    assert [one.outcome for one in again] == list(given)
    assert count(engine, outcome_history) == history


def test_an_answer_speaks_of_no_decision(engine: Engine) -> None:
    store(engine, [decision(0)])
    told(engine, Outcome("d-0", True, "label"), Outcome("d-7", True, "label"))
    with engine.connect() as connection:
        (content,) = connection.execute(select(answers.c.content)).scalars()
    assert "recorded" in content
    assert "d-" not in content.replace("decision", "")


def test_another_body_under_the_key_is_refused(engine: Engine) -> None:
    store(engine, [decision(0)])
    told(engine, Outcome("d-0", True, "label"))
    with pytest.raises(KeyReusedError):
        told(engine, Outcome("d-0", False, "label"), keyed=request(body="b", route="/v1/outcomes/bulk"))
    assert count(engine, outcome_history) == 1


def test_if_nothing_was_taken_the_same_request_tries_again(engine: Engine) -> None:
    assert told(engine, Outcome("d-0", True, "label"))[0].error is not None
    assert count(engine) == 0
    store(engine, [decision(0)])
    assert told(engine, Outcome("d-0", True, "label"))[0].event == "recorded"


def test_after_a_day_the_key_is_new(engine: Engine) -> None:
    store(engine, [decision(0)])
    told(engine, Outcome("d-0", True, "label"))
    assert told(engine, Outcome("d-0", True, "label"), hours=23)[0].event == "recorded"
    assert told(engine, Outcome("d-0", True, "label"), hours=24)[0].event == "unchanged"
    assert told(engine, Outcome("d-0", True, "label"), hours=47)[0].event == "unchanged"
    assert count(engine) == 1


def test_two_at_once_are_carried_out_once(engine: Engine) -> None:
    store(engine, [decision(0)])
    inside, waits = threading.Event(), threading.Event()

    # The first has the key and stays in its transaction until the second is on its way.
    @event.listens_for(engine, "before_cursor_execute")
    def hold(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("INSERT INTO outcome_history") and not inside.is_set():
            inside.set()
            waits.wait(20)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(told, engine, Outcome("d-0", True, "label"))
        assert inside.wait(20)
        second = pool.submit(told, engine, Outcome("d-0", True, "label"))
        waits.set()
        results = first.result(), second.result()
    assert [one[0].event for one in results] == ["recorded", "recorded"]
    assert [one[0].repeated for one in results] == [False, True]
    assert count(engine, outcome_history) == 1
