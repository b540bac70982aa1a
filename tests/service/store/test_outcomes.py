from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, Row, delete, event, func, select, text

from service.core.errors import InputError, OutcomeConflictError, OutcomeTimeError, StoreUnavailableError
from service.core.fairness.counts import OutcomeCounts
from service.core.groups import GroupSchema
from service.store.database import migrate, open_database
from service.store.outcomes import Outcome, OutcomeResult, delete_outcomes, record_outcomes
from service.store.sqlite import sqlite_url
from service.store.tables import decisions, outcome_history, outcomes, to_microseconds
from service.store.transactions import reading
from service.store.window_counts import count_window, window_until
from tests.support.stored import NOON, decision, erase, store

LATER = NOON + timedelta(days=3)
SKEW = timedelta(minutes=5)


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """d-0 to d-3 are women, d-0 and d-1 selected."""
    store(engine, [decision(i, {"sex": "female"}, score=0.9 if i < 2 else 0.1) for i in range(4)])
    return engine


def record(engine: Engine, *given: Outcome, now: datetime = LATER) -> list[OutcomeResult]:
    return record_outcomes(engine, given, now=now, skew=SKEW)


def events(results: list[OutcomeResult]) -> list[str]:
    return [result.event or (result.error or InputError("")).code for result in results]


def history(engine: Engine) -> list[tuple[str, bool, str]]:
    columns = outcome_history.c
    with reading(engine) as connection:
        rows = connection.execute(
            select(columns.decision_id, columns.positive, columns.event).order_by(columns.id)
        )
        return [(row.decision_id, row.positive, row.event) for row in rows]


def current(engine: Engine) -> list[Row[tuple[bool, int, int]]]:
    with reading(engine) as connection:
        return list(
            connection.execute(
                select(outcomes.c.positive, outcomes.c.time, outcomes.c.received).order_by(
                    outcomes.c.decision_id, outcomes.c.kind
                )
            )
        )


def counted(engine: Engine, kind: str = "label") -> OutcomeCounts | None:
    with reading(engine) as connection:
        found = count_window(
            connection,
            window_until("all", LATER),
            kind="label" if kind == "label" else "human_decision",
            scores=False,
        )
    return found.by_group(GroupSchema())["sex"]["female"].outcomes


def test_an_outcome_is_recorded_once_however_often_it_comes(engine: Engine) -> None:
    outcome = Outcome("d-0", True, "label", NOON + timedelta(days=1))
    first = record(engine, outcome)
    assert events(first) == ["recorded"]
    assert (first[0].groups, first[0].selected) == ({"sex": "female"}, True)
    assert events(record(engine, outcome, Outcome("d-0", True, "label"))) == ["unchanged", "unchanged"]
    assert history(engine) == [("d-0", True, "recorded")]
    assert counted(engine) == OutcomeCounts(1, 0, 0, 0)
    assert current(engine) == [(True, to_microseconds(NOON + timedelta(days=1)), to_microseconds(LATER))]


def test_kinds_are_kept_apart(engine: Engine) -> None:
    done = record(engine, Outcome("d-2", True, "label"), Outcome("d-2", False, "human_decision"))
    assert events(done) == ["recorded", "recorded"]
    assert counted(engine) == OutcomeCounts(0, 0, 1, 0)
    assert counted(engine, "human_decision") == OutcomeCounts(0, 0, 0, 1)


def test_another_value_is_refused_and_both_are_in_the_history(engine: Engine) -> None:
    record(engine, Outcome("d-0", True, "label"))
    for _ in range(3):  # a client that tries again does not fill the history
        refused = record(engine, Outcome("d-0", False, "label"))
        assert isinstance(refused[0].error, OutcomeConflictError)
    assert history(engine) == [("d-0", True, "recorded"), ("d-0", False, "refused")]
    assert counted(engine) == OutcomeCounts(1, 0, 0, 0)


def test_many_conflicts_ask_the_database_no_more_than_one(engine: Engine) -> None:
    # SQLite's lock is held meanwhile, and nobody else can write.
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: said.append(str(arguments[2])))
    record(engine, *(Outcome(f"d-{i}", True, "label") for i in range(4)))
    said.clear()
    assert events(record(engine, Outcome("d-0", False, "label"))) == ["outcome_conflict"]
    asked = len(said)
    said.clear()
    again = [Outcome(f"d-{i}", False, "label") for i in range(4)] * 2
    assert events(record(engine, *again)) == ["outcome_conflict"] * 8
    assert len(said) == asked
    # The first one's refusal is in the history already, and those that come twice are so once.
    assert [one[0] for one in history(engine) if one[2] == "refused"] == ["d-0", "d-1", "d-2", "d-3"]


def test_a_correction_moves_the_count_and_keeps_the_history(engine: Engine) -> None:
    record(engine, Outcome("d-0", True, "label"), Outcome("d-0", False, "label"))
    done = record(engine, Outcome("d-0", False, "label", replace=True))
    assert events(done) == ["replaced"]
    assert counted(engine) == OutcomeCounts(0, 1, 0, 0)
    again = record(
        engine,
        Outcome("d-0", False, "label", replace=True),
        Outcome("d-0", True, "label"),
    )
    assert events(again) == ["unchanged", "outcome_conflict"]
    assert [event for _, _, event in history(engine)] == ["recorded", "refused", "replaced", "refused"]
    assert [row.positive for row in current(engine)] == [False]


def test_items_of_one_request_are_taken_in_their_order(engine: Engine) -> None:
    done = record(
        engine,
        Outcome("d-1", True, "label", replace=True),
        Outcome("d-9", True, "label"),
        Outcome("d-1", False, "label"),
        Outcome("d-1", False, "label", replace=True),
        Outcome("d-0", True, "label"),
    )
    assert events(done) == ["recorded", "unknown_decision", "outcome_conflict", "replaced", "recorded"]
    assert counted(engine) == OutcomeCounts(1, 1, 0, 0)


@pytest.mark.parametrize(
    ("time", "message"),
    [
        (LATER + SKEW + timedelta(microseconds=1), "time is in the future"),
        (NOON - SKEW - timedelta(microseconds=1), "time is before the decision was made"),
    ],
)
def test_impossible_times_are_refused(engine: Engine, time: datetime, message: str) -> None:
    refused = record(engine, Outcome("d-0", True, "label", time))[0].error
    assert isinstance(refused, OutcomeTimeError)
    assert (refused.message, refused.field) == (message, "time")
    assert history(engine) == []


@pytest.mark.parametrize("time", [LATER + SKEW, NOON - SKEW])
def test_clocks_may_differ_by_the_tolerance(engine: Engine, time: datetime) -> None:
    assert events(record(engine, Outcome("d-0", True, "label", time))) == ["recorded"]


def test_an_erased_decision_takes_no_outcome_and_its_counts_stay(engine: Engine) -> None:
    record(engine, Outcome("d-0", True, "label"), Outcome("d-2", True, "label"))
    with engine.begin() as connection:
        delete_outcomes(connection, ["d-0"])
    erase(engine, "d-0")
    assert events(record(engine, Outcome("d-0", False, "label", replace=True))) == ["unknown_decision"]
    assert [decision_id for decision_id, _, _ in history(engine)] == ["d-2"]
    assert len(current(engine)) == 1
    assert counted(engine) == OutcomeCounts(1, 0, 1, 0)


def test_a_purged_decision_takes_its_outcomes_with_it(engine: Engine) -> None:
    record(engine, Outcome("d-0", True, "label"))
    with engine.begin() as connection:
        connection.execute(delete(decisions).where(decisions.c.decision_id == "d-0"))
    assert current(engine) == []
    assert history(engine) == []
    assert counted(engine) == OutcomeCounts(1, 0, 0, 0)


def test_two_replicas_that_say_the_same_count_it_once(url: str, engine: Engine) -> None:
    ids = [f"d-{i}" for i in range(4)]
    start, found = Barrier(4), list[str]()

    def say(replica_number: int) -> None:
        replica = open_database(url, timeout=30)
        order = ids if replica_number % 2 else ids[::-1]
        start.wait()
        found.extend(events(record(replica, *(Outcome(one, True, "label") for one in order))))
        replica.dispose()

    threads = [Thread(target=say, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["recorded"] * 4 + ["unchanged"] * 12
    assert counted(engine) == OutcomeCounts(2, 0, 2, 0)


def test_all_of_a_request_is_written_or_nothing(engine: Engine) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def _break(*arguments: object) -> None:
        if "outcome_counts" in str(arguments[2]):
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        record(engine, Outcome("d-0", True, "label"))
    event.remove(engine, "before_cursor_execute", _break)
    assert current(engine) == []
    assert events(record(engine, Outcome("d-0", True, "label"))) == ["recorded"]


@pytest.mark.postgres
def test_a_database_that_is_away_is_named_and_its_address_is_not() -> None:
    away = open_database("postgresql://someone:secret@127.0.0.1:9/none", timeout=1)
    with pytest.raises(StoreUnavailableError) as caught:
        record(away, Outcome("d-0", True, "label"))
    assert caught.value.message == "the database of decisions does not answer"
    assert caught.value.retry_after > 0


@pytest.mark.postgres
def test_a_database_that_only_reads_after_a_failover_is_away_too(postgres_url: str) -> None:
    primary = open_database(postgres_url)
    migrate(primary)
    with primary.begin() as connection:
        name = connection.scalar(select(func.current_database()))
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    primary.dispose()
    standby = open_database(postgres_url)
    with pytest.raises(StoreUnavailableError):
        record(standby, Outcome("d-0", True, "label"))
    standby.dispose()


def test_a_file_that_is_damaged_is_away_too(tmp_path: Path) -> None:
    file = tmp_path / "decisions.sqlite"
    file.write_bytes(b"no database" * 1_000)
    damaged = open_database(sqlite_url(file))
    with pytest.raises(StoreUnavailableError):
        record(damaged, Outcome("d-0", True, "label"))
    damaged.dispose()


def test_a_database_without_tables_is_away_too(url: str) -> None:
    empty = open_database(url)
    with pytest.raises(StoreUnavailableError):
        record(empty, Outcome("d-0", True, "label"))
    empty.dispose()
