from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from service.store.outcomes import Outcome, record_outcomes
from service.store.scored_decisions import StoredDecisions, read_scored_decisions
from service.store.transactions import reading
from service.store.window_counts import window_between, window_until
from tests.support.stored import BUNDLE, NOON, decision, erase, store

LATER = NOON + timedelta(days=3)


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """d-0 to d-2 of req-17, d-3 of none, d-4 of another bundle, d-5 of another day; d-2 is erased."""
    store(
        engine,
        [
            decision(0, {"sex": "female"}, score=0.9),
            decision(1, {"sex": "male"}, score=0.2),
            decision(2, {"sex": "female"}, score=0.3),
            decision(3, score=0.4, job_id=None, request_id="r-9"),
            decision(4, score=0.5, bundle_digest="c" * 64),
            decision(5, {"sex": "female"}, score=0.6, time=NOON + timedelta(days=1)),
        ],
    )
    given = [
        Outcome("d-0", positive=True, kind="label"),
        Outcome("d-1", positive=False, kind="label"),
        Outcome("d-1", positive=True, kind="human_decision"),
        Outcome("d-2", positive=True, kind="label"),
        Outcome("d-4", positive=True, kind="label"),
    ]
    results = record_outcomes(engine, given, now=LATER, skew=timedelta(minutes=5))
    assert [one.event for one in results] == ["recorded"] * 5
    erase(engine, "d-2")
    return engine


def read(engine: Engine, **changes: object) -> StoredDecisions:
    asked = {"window": window_until("all", LATER), "bundle_digest": BUNDLE, "kind": "label"} | changes
    with reading(engine) as connection:
        return read_scored_decisions(connection, **asked)  # type: ignore[arg-type]


def test_decisions_of_one_bundle_come_with_what_became_of_them(engine: Engine) -> None:
    found = read(engine)
    decisions = found.decisions
    assert decisions.probabilities.tolist() == [0.9, 0.2, 0.4, 0.6]
    assert decisions.labels.tolist() == [1, 0, -1, -1]
    assert decisions.postings.tolist() == [0, 0, 1, 0]
    assert len(set(decisions.candidates.tolist())) == 4
    assert [decisions.groups[cell] for cell in decisions.cells] == [
        {"sex": "female"}, {"sex": "male"}, {}, {"sex": "female"},
    ]  # fmt: skip
    assert found.of_others == 1


def test_outcomes_are_those_of_the_kind_and_the_window_that_were_asked_for(engine: Engine) -> None:
    assert read(engine, kind="human_decision").decisions.labels.tolist() == [-1, 1, -1, -1]
    of_the_day = window_between(NOON, NOON + timedelta(hours=2))
    assert read(engine, window=of_the_day).decisions.probabilities.tolist() == [0.9, 0.2, 0.4]
    other = read(engine, bundle_digest="c" * 64)
    assert (other.decisions.labels.tolist(), other.of_others) == ([1], 2)


def test_decisions_with_another_cohort_are_not_of_these(engine: Engine) -> None:
    store(engine, [decision(6, score=0.7, cohort_digest="e" * 64)])
    assert read(engine).decisions.probabilities.tolist() == [0.9, 0.2, 0.4, 0.6]
    assert read(engine, cohort_digest="e" * 64).decisions.probabilities.tolist() == [0.7]
    assert read(engine, cohort_digest="f" * 64).decisions.probabilities.tolist() == []
    assert read(engine, cohort_digest="e" * 64).of_others == 3


def test_a_bundle_that_decided_nothing_has_none(engine: Engine) -> None:
    found = read(engine, bundle_digest="d" * 64).decisions
    assert len(found) == 0
    assert found.groups == []
