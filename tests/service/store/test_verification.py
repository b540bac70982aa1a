"""Tampering is found, wherever and however it is done; a log that was not tampered with is not accused."""

from __future__ import annotations

import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from service.core.errors import ConfigurationError, TableError
from service.store import chain, tables
from service.store.chain import LogKey
from service.store.decisions import CONTENT
from service.store.log import DecisionLog
from service.store.retention import purge
from service.store.right_to_erasure import erase_person
from service.store.verification import read_anchors, verify
from tests.support.decision_logs import DAY, OpenLog, decision, decisions, tamper


def found(decision_log: DecisionLog, anchors: dict[int, str] | None = None) -> list[tuple[str, int, int]]:
    result = verify(decision_log, anchors)
    assert result.broken == len(result.defects)
    return [(defect.kind, defect.first, defect.last) for defect in result.defects]


def row_of(decision_log: DecisionLog, sequence: int) -> dict[str, Any]:
    with decision_log.reading() as connection:
        query = select(tables.decisions).where(tables.decisions.c.sequence == sequence)
        return dict(connection.execute(query).mappings().one())


def test_a_log_as_written_holds(decision_log: DecisionLog) -> None:
    assert found(decision_log) == []
    decision_log.append(decisions(5))
    result = verify(decision_log)
    assert (result.rows, result.erased, result.purged, result.broken) == (5, 0, 0, 0)
    assert result.head is not None
    assert result.head.sequence == 5


def test_a_clock_that_jumps_ahead_and_back_breaks_no_chain(decision_log: DecisionLog) -> None:
    for number, hours in enumerate((0, 48, -2, 0), 1):
        decision_log.append([decision(number, time=DAY + timedelta(hours=hours))])
    assert found(decision_log) == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("candidate_id = 'c-9'", "changed"),
        ("candidate_id = NULL", "changed"),
        ("raw_score = 0.42", "changed"),
        ("calibrated_probability = 0.7126", "changed"),
        ("decision = 'not_selected'", "changed"),
        ('groups = \'{"sex":"male"}\'', "changed"),
        ("redact = (1 = 0)", "changed"),
        ("tombstone = 'x'", "erasure"),
        ("request_id = job_id, job_id = request_id", "changed"),
        ("salt = 'x'", "changed"),
        ("time = time + 1", "unlinked"),
        ("decision_id = '00000000-0000-4000-8000-000000000999'", "unlinked"),
    ],
)
def test_an_edited_row_is_found(decision_log: DecisionLog, change: str, kind: str) -> None:
    decision_log.append(decisions(5))
    tamper(decision_log, f"UPDATE decisions SET {change} WHERE sequence = 3")
    assert found(decision_log) == [(kind, 3, 3)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE decisions SET redact = 7 WHERE sequence = 3", [("changed", 3, 3)]),
        ("UPDATE decisions SET redact = 'yes' WHERE sequence = 3", [("changed", 3, 3)]),
        ("UPDATE decisions SET redact = 1.5 WHERE sequence = 3", [("changed", 3, 3)]),
        ("UPDATE decisions SET raw_score = 'x' WHERE sequence = 3", [("changed", 3, 3)]),
        ("UPDATE decisions SET time = 'x' WHERE sequence = 3", [("unlinked", 3, 3)]),
        ("UPDATE decisions SET erased = 'x' WHERE sequence = 3", [("erasure", 3, 3)]),
        ("UPDATE decisions SET sequence = 'x' WHERE sequence = 3", [("missing", 3, 3), ("foreign", 0, 0)]),
        ("UPDATE decisions SET sequence = x'00' WHERE sequence = 3", [("missing", 3, 3), ("foreign", 0, 0)]),
        ("UPDATE decisions SET sequence = 3.5 WHERE sequence = 3", [("foreign", 0, 0), ("missing", 3, 3)]),
        ("UPDATE log_head SET sequence = 'x'", [("head", 5, 5)]),
        ("INSERT INTO log_purges VALUES ('x', 'x', 'x', 'x')", [("purge", 0, 0)]),
    ],
)
def test_values_of_types_that_sqlite_keeps_and_nobody_writes_are_found(
    sqlite_log: DecisionLog, statement: str, expected: list[Any]
) -> None:
    sqlite_log.append(decisions(5))
    tamper(sqlite_log, statement)
    assert found(sqlite_log) == expected


def test_an_edit_with_digests_made_under_another_key_is_found(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(5))
    forged = chain.chained(
        LogKey(b"guessed"), decision(3, decision="not_selected"), 3, row_of(decision_log, 2)["hash"]
    )
    with decision_log.writing() as connection:
        connection.execute(update(tables.decisions).where(tables.decisions.c.sequence == 3).values(forged))
    assert found(decision_log) == [("changed", 3, 3), ("unlinked", 3, 3), ("unlinked", 4, 4)]


@pytest.mark.parametrize(
    ("deleted", "expected"),
    [
        ("sequence = 3", [("missing", 3, 3)]),
        ("sequence IN (2, 3)", [("missing", 2, 3)]),
        ("sequence = 1", [("missing", 1, 1)]),
        ("sequence <= 2", [("missing", 1, 2)]),
        ("sequence = 5", [("missing", 5, 5)]),
        ("sequence > 2", [("missing", 3, 5)]),
        ("sequence > 0", [("missing", 1, 5)]),
    ],
)
def test_a_deleted_row_is_found(decision_log: DecisionLog, deleted: str, expected: list[Any]) -> None:
    decision_log.append(decisions(5))
    tamper(decision_log, f"DELETE FROM decisions WHERE {deleted}")
    assert found(decision_log) == expected


def test_rows_moved_together_after_a_deletion_are_found(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(5))
    tamper(decision_log, "DELETE FROM decisions WHERE sequence = 3")
    for sequence in (4, 5):
        tamper(decision_log, f"UPDATE decisions SET sequence = {sequence - 1} WHERE sequence = {sequence}")
    assert found(decision_log) == [("unlinked", 3, 3), ("unlinked", 4, 4), ("missing", 5, 5)]


def test_rows_that_changed_places_are_found(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(5))
    for old, new in ((2, 99), (3, 2), (99, 3)):
        tamper(decision_log, f"UPDATE decisions SET sequence = {new} WHERE sequence = {old}")
    assert [kind for kind, *_ in found(decision_log)] == ["unlinked"] * 3


def test_an_inserted_row_is_found(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(3))
    copy = {**row_of(decision_log, 3), "sequence": 4, "decision_id": "invented"}
    with decision_log.writing() as connection:
        connection.execute(insert(tables.decisions).values(copy))
    assert found(decision_log) == [("foreign", 4, 4)]


def test_a_head_moved_back_over_deleted_rows_is_found(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(3))
    tamper(decision_log, "DELETE FROM decisions WHERE sequence = 3")
    tamper(decision_log, "UPDATE log_head SET sequence = 2, hash = :h", h=row_of(decision_log, 2)["hash"])
    assert found(decision_log) == [("head", 2, 2)]


def test_a_head_that_was_deleted_is_found(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(3))
    tamper(decision_log, "DELETE FROM log_head")
    assert found(decision_log) == [("head", 3, 3)]


def test_an_old_state_with_its_old_head_is_found_by_an_anchor_only(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(3))
    with decision_log.reading() as connection:
        old = dict(connection.execute(select(tables.head)).mappings().one())
    decision_log.append(decisions(2, 4))
    with decision_log.reading() as connection:
        head = decision_log.head(connection)
        assert head is not None
    anchors = {3: old["hash"], 5: head.hash}
    assert found(decision_log, anchors) == []
    tamper(decision_log, "DELETE FROM decisions WHERE sequence > 3")
    with decision_log.writing() as connection:
        connection.execute(delete(tables.head))
        connection.execute(insert(tables.head).values(old))
    assert found(decision_log) == []  # nothing inside the database can tell
    assert found(decision_log, anchors) == [("anchor", 5, 5)]
    decision_log.append(decisions(4, 6))
    assert found(decision_log, anchors) == [("anchor", 5, 5)]


def test_a_log_that_was_emptied_and_begun_anew_is_found_by_an_anchor(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(3))
    anchors = {3: row_of(decision_log, 3)["hash"]}
    tamper(decision_log, "DELETE FROM decisions")
    tamper(decision_log, "DELETE FROM log_head")
    decision_log.open()
    assert found(decision_log) == []
    assert found(decision_log, anchors) == [("anchor", 3, 3)]


def test_a_tombstone_cannot_be_forged(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(3))
    emptied = ", ".join(f"{name} = NULL" for name in (*CONTENT, "salt"))
    forged = LogKey(b"guessed").sign("tombstone", [2, row_of(decision_log, 2)["hash"], 7])
    tamper(
        decision_log,
        f"UPDATE decisions SET {emptied}, erased = 7, tombstone = :t WHERE sequence = 2",
        t=forged,
    )
    assert found(decision_log) == [("erasure", 2, 2)]


def test_a_purge_cannot_be_forged(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(3))
    tamper(decision_log, "DELETE FROM decisions WHERE sequence = 1")
    tamper(
        decision_log,
        "INSERT INTO log_purges VALUES (1, :hash, 7, :hash)",
        hash=row_of(decision_log, 2)["hash"],
    )
    assert found(decision_log) == [("purge", 1, 1), ("missing", 1, 1)]


def test_every_break_is_found_not_only_the_first(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(9))
    tamper(decision_log, "UPDATE decisions SET raw_score = 1 WHERE sequence IN (2, 8)")
    tamper(decision_log, "DELETE FROM decisions WHERE sequence IN (4, 5)")
    assert found(decision_log) == [("changed", 2, 2), ("missing", 4, 5), ("changed", 8, 8)]


def test_many_breaks_are_counted_and_not_all_listed(sqlite_log: DecisionLog) -> None:
    sqlite_log.append(decisions(300))
    tamper(sqlite_log, "UPDATE decisions SET raw_score = 1")
    result = verify(sqlite_log)
    assert (result.broken, len(result.defects)) == (300, 100)


@pytest.mark.slow
def test_a_log_that_is_written_to_meanwhile_holds(decision_log: DecisionLog) -> None:
    now = DAY + timedelta(days=300)

    def write() -> None:
        for start in range(1, 400, 10):
            decision_log.append([decision(n, time=now) for n in range(start, start + 10)])
            erase_person(decision_log, f"c-{start + 3}")
        purge(decision_log, timedelta(days=183), now=now + timedelta(days=200), force=True)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        seen = []
        while not writing.done():
            result = verify(decision_log)
            seen.append(result.rows)
            assert (result.defects, result.damage) == ([], [])
            time.sleep(0.02)  # an erasure needs a moment without a reader
        writing.result()
    assert len(set(seen)) > 2
    assert verify(decision_log).purged == 400


def test_another_key_is_no_broken_chain(url: str, open_log: OpenLog) -> None:
    open_log(url).append(decisions(2))
    other = DecisionLog(url, LogKey(b"other"))
    with pytest.raises(ConfigurationError, match="another key"):
        verify(other)
    other.close()


_EDITS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "delete", "swap", "copy"]),
        st.integers(1, 8),
        st.integers(1, 8),
        st.sampled_from([c.name for c in tables.decisions.c if c.name not in ("sequence", "decision_id")]),
    ),
    max_size=4,
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(edits=_EDITS)
def test_the_chain_is_broken_exactly_if_the_rows_are_not_as_written(
    sqlite_log: DecisionLog, edits: list[tuple[str, int, int, str]]
) -> None:
    with sqlite_log.writing() as connection:
        for table in (tables.decisions, tables.head):
            connection.execute(delete(table))
    sqlite_log.open()
    sqlite_log.append([decision(n, raw_score=n / 10, job_id=f"j-{n % 2}") for n in range(1, 9)])
    everything = select(tables.decisions).order_by(tables.decisions.c.sequence)
    with sqlite_log.writing() as connection:
        before = [dict(row) for row in connection.execute(everything).mappings()]
        rows = {row["sequence"]: dict(row) for row in before}
        for kind, a, b, column in edits:
            if kind == "delete":
                rows.pop(a, None)
            elif a in rows and b in rows:
                if kind == "edit":
                    rows[a][column] = rows[b][column]
                elif kind == "swap":
                    rows[a], rows[b] = {**rows[b], "sequence": a}, {**rows[a], "sequence": b}
                else:
                    rows[a] = {**rows[b], "sequence": a, "decision_id": rows[a]["decision_id"]}
        connection.execute(delete(tables.decisions))
        if rows:
            connection.execute(insert(tables.decisions), list(rows.values()))
        after = [dict(row) for row in connection.execute(everything).mappings()]
    assert (verify(sqlite_log).broken > 0) is (before != after)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_log(sqlite_log: DecisionLog) -> None:
    peaks = []
    for start in (1, 5_001, 10_001):
        sqlite_log.append(decisions(5_000, start))
        tracemalloc.start()
        assert verify(sqlite_log).broken == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.3 * peaks[0]


def test_anchors_are_read_from_a_file_of_them(tmp_path: Path) -> None:
    file = tmp_path / "anchors.jsonl"
    file.write_text('{"sequence": 3, "hash": "a", "time": "2026-01-01"}\n\n{"sequence": 5, "hash": "b"}\n')
    assert read_anchors(file) == {3: "a", 5: "b"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no anchor"),
        ("[1]\n", "line 1: not a record"),
        ('{"sequence": "3", "hash": "a"}\n', "line 1: not a record"),
        ('{"sequence": true, "hash": "a"}\n', "line 1: not a record"),
        ('{"sequence": 3, "hash": "a"}\nhello\n', "line 2: not a record"),
        ('{"sequence": 3, "hash": "a"}\n{"sequence": 3, "hash": "b"}\n', "line 2: contradicts"),
    ],
)
def test_a_file_that_holds_anything_else_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "anchors.jsonl"
    file.write_text(content)
    with pytest.raises(TableError, match=message):
        read_anchors(file)
    with pytest.raises(TableError, match="cannot be read"):
        read_anchors(tmp_path / "absent")


def test_defects_read_as_sentences_without_ids(sqlite_log: DecisionLog) -> None:
    sqlite_log.append(decisions(5))
    tamper(sqlite_log, "UPDATE decisions SET candidate_id = 'Zaphod' WHERE sequence = 2")
    tamper(sqlite_log, "DELETE FROM decisions WHERE sequence > 3")
    assert [str(defect) for defect in verify(sqlite_log).defects] == [
        "row 2: its content is not what was written",
        "rows 4 to 5: deleted",
    ]
