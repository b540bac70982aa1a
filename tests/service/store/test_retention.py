"""Purging from the front: by age, never a hole, never too early, whatever the clocks said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Delete, delete, event, insert, select, text

from service.core.errors import ClockAheadError
from service.store import tables
from service.store.log import DecisionLog
from service.store.retention import Purged, purge
from service.store.tables import to_microseconds
from service.store.verification import verify
from tests.support.decision_logs import DAY, OpenLog, candidates, decision, tamper

NOW = DAY + timedelta(days=200)
KEPT = timedelta(days=183)


def fill(decision_log: DecisionLog, ages: Sequence[float]) -> None:
    """Append one decision for each age in days, oldest or not."""
    decision_log.append(
        [decision(n, time=NOW - timedelta(days=age), candidate_id=f"{age}") for n, age in enumerate(ages, 1)]
    )


@pytest.mark.parametrize(
    ("ages", "left"),
    [
        ([300, 200, 184, 183, 10, 0], ["183", "10", "0"]),
        ([10, 300], ["10", "300"]),  # in the order of the chain only
        ([300, 10, 300], ["10", "300"]),
        ([300, -90, 300, 10], ["10"]),  # a clock that ran ahead holds up nobody
        ([300, -90, 10], ["-90", "10"]),
        ([-90], ["-90"]),
        ([300, 299], []),
        ([1, 0], ["1", "0"]),
    ],
)
def test_what_is_old_goes_from_the_front(decision_log: DecisionLog, ages: list[int], left: list[str]) -> None:
    fill(decision_log, ages)
    purged = purge(decision_log, KEPT, now=NOW, force=True)
    assert candidates(decision_log) == left
    assert purged == Purged(len(ages) - len(left), len(ages) - len(left))
    result = verify(decision_log)
    assert (result.broken, result.rows, result.purged) == (0, len(left), len(ages) - len(left))


@pytest.mark.postgres
def test_a_purge_on_postgresql_keeps_no_decision_waiting_and_no_other_purge_beside_it(
    postgres_url: str, open_log: OpenLog
) -> None:
    purging, writing = open_log(postgres_url), open_log(postgres_url)
    fill(purging, [300, 299, 10])
    with purging.writing() as connection:
        purging.lock_beginning(connection)
        connection.execute(delete(tables.decisions).where(tables.decisions.c.sequence == 1))
        assert writing.append([decision(4, time=NOW)]).stored == 1
        with writing.writing() as other:
            assert not other.scalar(text("SELECT pg_try_advisory_xact_lock(7013443)"))
        connection.rollback()
    purge(writing, KEPT, now=NOW, force=True)
    result = verify(writing)
    assert (result.rows, result.purged, result.broken) == (2, 2, 0)


@pytest.mark.postgres
def test_an_answer_that_took_an_old_key_while_old_ones_are_purged_stays(
    postgres_url: str, open_log: OpenLog
) -> None:
    purging, writing = open_log(postgres_url), open_log(postgres_url)

    def store(answer_time: int) -> None:
        with writing.writing() as connection:
            connection.execute(delete(tables.answers))
            row = {"key": "k", "submission": "s", "time": answer_time}
            connection.execute(insert(tables.answers).values(row))

    store(0)
    taken: list[bool] = []

    @event.listens_for(purging.engine, "before_execute")
    def _take_it_meanwhile(_: object, statement: object, *__: object) -> None:
        if isinstance(statement, Delete) and not taken:
            taken.append(True)
            store(to_microseconds(NOW))

    purge(purging, KEPT, now=NOW, force=True)
    with purging.reading() as connection:
        assert connection.scalar(select(tables.answers.c.time)) == to_microseconds(NOW)
    assert taken


def test_the_chain_goes_on_after_a_purge_of_everything(decision_log: DecisionLog) -> None:
    fill(decision_log, [300, 299])
    purge(decision_log, KEPT, now=NOW, force=True)
    decision_log.append([decision(n, time=NOW) for n in (3, 4)])
    assert purge(decision_log, KEPT, now=NOW, force=True) == Purged(0, 2)
    result = verify(decision_log)
    assert (result.rows, result.purged, result.broken) == (2, 2, 0)


def test_an_empty_log_has_nothing_to_purge(decision_log: DecisionLog) -> None:
    assert purge(decision_log, KEPT, now=NOW, force=True) == Purged(0, 0)


def test_a_purge_goes_in_steps_that_each_leave_a_whole_chain(
    sqlite_log: DecisionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.retention._ROWS_A_TRANSACTION", 3)
    fill(sqlite_log, [300] * 8 + [1])
    assert purge(sqlite_log, KEPT, now=NOW, force=True) == Purged(8, 8)
    assert verify(sqlite_log).purged == 8
    with sqlite_log.reading() as connection:
        assert connection.execute(tables.purges.select()).mappings().all()[0]["sequence"] == 3


def test_rows_deleted_before_what_was_purged_come_to_light(decision_log: DecisionLog) -> None:
    fill(decision_log, [300, 300, 10, 10])
    purge(decision_log, KEPT, now=NOW, force=True)
    tamper(decision_log, "DELETE FROM decisions WHERE sequence = 3")
    assert [(f.kind, f.first) for f in verify(decision_log).defects] == [("missing", 3)]
    tamper(decision_log, "DELETE FROM log_purges")
    assert [(f.kind, f.first, f.last) for f in verify(decision_log).defects] == [("missing", 1, 3)]


def test_anchors_of_purged_rows_are_left_out_and_said(decision_log: DecisionLog) -> None:
    fill(decision_log, [300, 300, 10])
    with decision_log.reading() as connection:
        hashes = list(connection.execute(tables.decisions.select()).mappings())
    anchors = {row["sequence"]: row["hash"] for row in hashes}
    purge(decision_log, KEPT, now=NOW, force=True)
    result = verify(decision_log, anchors)
    assert (result.anchors, result.unchecked_anchors, result.broken) == (3, 1, 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(ages=st.lists(st.sampled_from([-90, 0, 100, 183, 184, 400]), max_size=12))
@pytest.mark.slow
def test_nothing_young_is_purged_and_nothing_old_is_kept_before_the_first_young_one(
    sqlite_log: DecisionLog, ages: list[int]
) -> None:
    with sqlite_log.writing() as connection:
        for table in (tables.decisions, tables.head, tables.purges):
            connection.execute(delete(table))
    sqlite_log.open()
    if ages:
        fill(sqlite_log, ages)
    purge(sqlite_log, KEPT, now=NOW, force=True)
    left = [int(age or 0) for age in candidates(sqlite_log)]
    gone = ages[: len(ages) - len(left)]
    assert left == ages[len(gone) :]
    assert not [age for age in gone if 0 <= age <= 183]
    first_young = next((i for i, age in enumerate(left) if 0 <= age <= 183), len(left))
    assert not [age for age in left[:first_young] if age > 183]
    assert verify(sqlite_log).broken == 0


@pytest.mark.parametrize(
    ("ages", "purged"),
    [
        ([300, 1.2, 0.5], 1),  # decisions have come for a day
        ([300, 0.5, 0.2], None),  # not yet: the clock may have jumped half a day ago
        ([190, 9, 0.5], None),
        ([190, 9], None),  # nothing but this clock says that it is so late
        ([190, 9, -90], None),  # what lies ahead of it says nothing
        ([400, 190, 9], None),  # 400 was old enough by the log's own time, but 190 was not
        ([150, 9], 0),
        ([], 0),
    ],
)
def test_a_clock_that_the_log_does_not_bear_out_purges_nothing(
    decision_log: DecisionLog, ages: list[float], purged: int | None
) -> None:
    fill(decision_log, ages)
    if purged is None:
        with pytest.raises(ClockAheadError, match=r"2026-09-17.*log purge --force"):
            purge(decision_log, KEPT, now=NOW)
        assert len(candidates(decision_log)) == len(ages)
    else:
        assert purge(decision_log, KEPT, now=NOW).rows == purged


def test_after_a_long_pause_what_was_old_before_goes_without_asking(sqlite_log: DecisionLog) -> None:
    fill(sqlite_log, [300, 9])
    assert purge(sqlite_log, timedelta(days=290), now=NOW).rows == 1


def test_purges_bear_out_the_clock_as_decisions_do(sqlite_log: DecisionLog) -> None:
    fill(sqlite_log, [300, 185, 184, 100])
    for days, force in ((1.5, True), (0.7, True), (0, False)):
        purge(sqlite_log, KEPT, now=NOW - timedelta(days=days), force=force)
    assert candidates(sqlite_log) == ["100"]


def test_a_clock_that_ran_evenly_for_a_day_and_was_decided_by_is_believed(sqlite_log: DecisionLog) -> None:
    fill(sqlite_log, [190, 9, 0.5])
    for hours in (1, 23):
        with pytest.raises(ClockAheadError):
            purge(sqlite_log, KEPT, now=NOW, steady_since=NOW - timedelta(hours=hours))
    assert purge(sqlite_log, KEPT, now=NOW, steady_since=NOW - timedelta(hours=25)).rows == 1


def test_a_clock_by_which_nothing_was_decided_is_not_believed_however_long_it_ran(
    sqlite_log: DecisionLog,
) -> None:
    fill(sqlite_log, [190, 9])
    with pytest.raises(ClockAheadError):
        purge(sqlite_log, KEPT, now=NOW, steady_since=NOW - timedelta(days=8))
    assert purge(sqlite_log, KEPT, now=NOW, steady_since=NOW - timedelta(days=10)).rows == 1
