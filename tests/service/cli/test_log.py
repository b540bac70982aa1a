"""`evenmatch log`: what it prints, what it changes, and with which code it exits."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.core.tables import Column, inspect_table, read_rows
from service.jobs.personal_data import Erasure, Person, Places, erase_everywhere
from service.store.chain import load_key
from service.store.log import DecisionLog
from service.store.recorder import DATABASE_FILE, SPOOL_FOLDER
from service.store.spool import Spool
from service.store.sqlite import sqlite_url
from tests.support.decision_logs import candidates, decision, decisions, tamper

Run = Callable[..., Result]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DecisionLog:
    """A log of five decisions where the settings look for it."""
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(tmp_path))
    opened = DecisionLog(sqlite_url(tmp_path / DATABASE_FILE), load_key("", tmp_path, create=True))
    opened.open()
    now = datetime.now(UTC)
    opened.append([decision(n, time=now - timedelta(days=300 - 60 * n)) for n in range(1, 6)])
    return opened


@pytest.fixture
def run(log: DecisionLog) -> Run:
    def call(*arguments: str, stdin: str | None = None) -> Result:
        try:
            return CliRunner().invoke(app, ["log", *arguments], input=stdin)
        finally:
            log.close()

    return call


def test_an_unbroken_log_exits_with_0(run: Run) -> None:
    result = run("verify")
    assert result.exit_code == 0
    assert result.stdout == "5 rows read, 0 of them lawfully erased; the chain ends at 5; unbroken\n"


def test_a_broken_log_exits_with_4_and_names_rows_but_no_people(run: Run, log: DecisionLog) -> None:
    tamper(log, "UPDATE decisions SET candidate_id = 'Zaphod' WHERE sequence = 2")
    tamper(log, "DELETE FROM decisions WHERE sequence = 4")
    result = run("verify")
    assert result.exit_code == 4
    assert "broken: row 2: its content is not what was written\n" in result.stdout
    assert "broken: row 4: deleted\n" in result.stdout
    assert "; 2 breaks\n" in result.stdout
    assert "Zaphod" not in result.output
    assert "c-2" not in result.output


def test_damaged_pages_are_named_and_exit_with_4(run: Run, log: DecisionLog, tmp_path: Path) -> None:
    log.append(decisions(400, 6))
    tamper(log, "PRAGMA writable_schema = ON")
    tamper(
        log, "DELETE FROM sqlite_master WHERE name = 'ix_decisions_time'"
    )  # its pages belong to nothing now
    log.close()
    result = run("verify")
    assert result.exit_code == 4
    assert "damaged pages: *** in database main ***" in result.stdout
    assert "; unbroken; 1 faults in the database's pages: put a backup in its place\n" in result.stdout


def test_rows_on_damaged_pages_are_unreadable_and_exit_with_4(
    run: Run, log: DecisionLog, tmp_path: Path
) -> None:
    log.append(decisions(2_000, 6))
    log.close()
    file = tmp_path / DATABASE_FILE
    content = file.read_bytes()
    at = content.index(b"c-1000", len(content) // 8) // 4096 * 4096
    file.write_bytes(content[:at] + b"\xff" * 4096 + content[at + 4096 :])
    result = run("verify")
    assert result.exit_code == 4
    assert "damaged pages: " in result.stdout
    assert "c-1000" not in result.output
    file.write_bytes(b"\xff" * len(content))
    result = run("verify")
    assert (result.exit_code, "pages of the database are damaged (SQLITE_NOTADB)" in result.stderr) == (
        4,
        True,
    )


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("candidate_id", "its content is not what was written"),
        ("hash", "it does not follow from the row before"),
    ],
)
def test_text_that_is_not_utf_8_names_its_row(run: Run, log: DecisionLog, column: str, message: str) -> None:
    tamper(log, f"UPDATE decisions SET {column} = CAST(x'5a61ff' AS TEXT) WHERE sequence = 3")
    result = run("verify")
    assert (result.exit_code, f"broken: row 3: {message}" in result.stdout) == (4, True)
    assert "Za" not in result.output


def test_what_was_saved_of_a_lost_database_is_said_until_it_is_in_the_log(
    run: Run, log: DecisionLog, tmp_path: Path
) -> None:
    copy = tmp_path / f"{DATABASE_FILE}.rescued-20260101T000000Z-abcd"
    copy.write_bytes(b"")
    result = run("verify")
    assert (result.exit_code, f"not in the log: {copy.name}" in result.stdout) == (4, True)
    result = run("erase", "--candidate", "c-2")
    assert (result.exit_code, result.stdout) == (1, "erased 1 decisions\n")
    assert f"({copy.name}) may hold decisions of anybody" in result.stderr


def test_anchors_kept_elsewhere_find_a_log_that_was_begun_anew(
    run: Run, log: DecisionLog, tmp_path: Path
) -> None:
    anchors = tmp_path / "anchors.jsonl"
    head = run("head")
    assert json.loads(head.stdout).keys() == {"sequence", "hash", "time"}
    anchors.write_text(head.stdout)
    log.append([decision(6)])
    with anchors.open("a") as stream:
        stream.write(run("head").stdout)
    result = run("verify", "--anchor", str(anchors))
    assert (result.exit_code, "2 anchors compared; unbroken" in result.stdout) == (0, True)
    tamper(log, "DELETE FROM decisions")
    tamper(log, "DELETE FROM log_head")
    log.open()
    log.append(decisions(6))
    assert run("verify").exit_code == 0
    result = run("verify", "--anchor", str(anchors))
    assert result.exit_code == 4
    assert "broken: row 5: it is not the row that the anchor was taken of" in result.stdout


@pytest.mark.parametrize(("arguments", "stdin"), [(["c-2"], None), (["-"], "c-2\n")])
def test_erasing_a_candidate_leaves_an_unbroken_log(
    run: Run, log: DecisionLog, arguments: list[str], stdin: str | None
) -> None:
    result = run("erase", "--candidate", *arguments, stdin=stdin)
    assert (result.exit_code, result.stdout) == (0, "erased 1 decisions\n")
    assert candidates(log) == ["c-1", None, "c-3", "c-4", "c-5"]
    assert "1 of them lawfully erased; the chain ends at 5; unbroken" in run("verify").stdout
    assert run("erase", "--candidate", "c-2").stdout == "erased 0 decisions\n"


def test_erasing_says_that_it_does_not_reach_the_spool(run: Run, log: DecisionLog, tmp_path: Path) -> None:
    spool = Spool(tmp_path / SPOOL_FOLDER, log.key)
    spool.append(decisions(2, 7))
    result = run("erase", "--candidate", "c-7")
    spool.close()
    assert result.exit_code == 1
    assert "2 decisions of anybody wait in the spool" in result.stderr


def test_erasing_says_so_if_the_spool_was_emptied_meanwhile(
    run: Run, log: DecisionLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / SPOOL_FOLDER, log.key)
    spool.append([decision(7)])

    def erase_then_replay(places: Places, person: Person) -> Erasure:
        done = erase_everywhere(places, person)
        places.log.append(spool.oldest(9))
        spool.drop_oldest()
        return done

    monkeypatch.setattr(sys.modules["service.cli.log"], "erase_everywhere", erase_then_replay)
    result = run("erase", "--candidate", "c-7")
    assert (result.exit_code, candidates(log)[-1]) == (1, "c-7")
    assert "1 decisions of anybody wait in the spool" in result.stderr


def test_erasing_names_what_was_set_aside(run: Run, log: DecisionLog, tmp_path: Path) -> None:
    spool = Spool(tmp_path / SPOOL_FOLDER, load_key("k" * 16, tmp_path, create=False))
    spool.append([decision(7)])
    spool.close()
    of_log = Spool(tmp_path / SPOOL_FOLDER, log.key)
    of_log.open()
    assert of_log.oldest(9) == []  # under another key it says nothing
    of_log.drop_oldest()
    of_log.close()
    result = run("erase", "--candidate", "c-7")
    assert (result.exit_code, result.stdout) == (1, "erased 0 decisions\n")
    assert "1 files of damaged lines in" in result.stderr


@pytest.mark.parametrize(
    ("candidate", "stdin", "message"),
    [
        ("-", "c-1\nc-2\n", "stdin holds 2 lines"),
        ("-", "", "empty or not UTF-8"),
        ("", None, "empty or not UTF-8"),
        ("c-\udcff", None, "empty or not UTF-8"),
    ],
)
def test_what_cannot_be_one_id_erases_nobody(
    run: Run, log: DecisionLog, candidate: str, stdin: str | None, message: str
) -> None:
    result = run("erase", "--candidate", candidate, stdin=stdin)
    assert (result.exit_code, message in result.stderr) == (2, True)
    assert candidates(log) == [f"c-{n}" for n in range(1, 6)]


def test_an_id_with_a_line_break_can_be_erased(run: Run, log: DecisionLog) -> None:
    log.append([decision(6, candidate_id="c-1\nthe second"), decision(7, candidate_id=" c-1")])
    assert run("erase", "--candidate", "c-1\nthe second").stdout == "erased 1 decisions\n"
    assert candidates(log) == [*(f"c-{n}" for n in range(1, 6)), None, " c-1"]


def test_a_retention_that_begins_before_there_are_dates_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("purge", "--older-than", "1000000").exit_code == 2
    assert run("purge", "--older-than", "36500").exit_code == 0
    monkeypatch.setenv("EVENMATCH_RETENTION_DAYS", "1000000")
    result = run("verify")
    assert (result.exit_code, "setting EVENMATCH_RETENTION_DAYS" in result.stderr) == (2, True)


def test_purging_takes_the_retention_of_the_settings(run: Run, log: DecisionLog) -> None:
    refused = run("purge")
    assert (refused.exit_code, "`evenmatch log purge --force`" in refused.stderr) == (1, True)
    assert len(candidates(log)) == 5
    result = run("purge", "--force")
    assert (result.exit_code, result.stdout) == (0, "purged 1 decisions older than 200 days, all through 1\n")
    assert candidates(log) == ["c-2", "c-3", "c-4", "c-5"]
    result = run("verify")
    assert (result.exit_code, "lawfully purged through 1; unbroken" in result.stdout) == (0, True)


def test_purging_before_six_months_must_be_confirmed(run: Run, log: DecisionLog) -> None:
    result = run("purge", "--older-than", "100")
    assert result.exit_code == 2
    assert "less than the 183 days" in result.stderr
    assert len(candidates(log)) == 5
    result = run("purge", "--older-than", "100", "--law-allows", "--force")
    assert (result.exit_code, candidates(log)) == (0, ["c-4", "c-5"])


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_an_export_is_what_report_reads(run: Run, log: DecisionLog, tmp_path: Path, suffix: str) -> None:
    log.append(
        [decision(6, candidate_id="=1+1", groups={"race_ethnicity": "asian"}, decision="not_selected")]
    )
    run("erase", "--candidate", "c-1")
    file = tmp_path / f"decisions{suffix}"
    result = run("export", str(file))
    assert (result.exit_code, "wrote 5 decisions" in result.stderr) == (0, True)
    assert os.stat(file).st_mode & 0o077 == 0
    with file.open(newline="") as stream:
        read = list(csv.DictReader(stream)) if suffix == ".csv" else [json.loads(line) for line in stream]
    assert [row["candidate_id"] for row in read][:2] == ["c-2", "c-3"]
    assert read[4]["race_ethnicity"] == "asian"
    if suffix == ".csv":
        assert read[4]["candidate_id"] == "'=1+1"
    output = tmp_path / "report.json"
    columns = ["--score-column", "calibrated_probability"]
    reported = CliRunner().invoke(app, ["report", str(file), *columns, "--output", str(output)])
    assert reported.exit_code == 0, reported.output
    report = json.loads(output.read_text())
    assert report["data"]["people"] == 5


def test_ids_of_an_export_are_read_back_as_they_were(run: Run, log: DecisionLog, tmp_path: Path) -> None:
    ids = ["\n=1+1", "\uff1d1+1", "a;=1+1", "\r-1", "'+1", ' \u200b@x;"=2"', "-5", "O'Neill"]
    log.append([decision(10 + n, candidate_id=one) for n, one in enumerate(ids)])
    file = tmp_path / "decisions.csv"
    assert run("export", str(file)).exit_code == 0
    with closing(read_rows(inspect_table(file), [Column("candidate_id", "")])) as rows:
        assert [cells[0] for cells, _ in rows][5:] == ids


def test_an_export_needs_the_attributes_of_every_row(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENMATCH_GROUPS", '{"attributes": {"age": ["under_40"]}, "intersections": []}')
    file = tmp_path / "decisions.csv"
    result = run("export", str(file))
    assert (result.exit_code, file.exists()) == (3, False)
    assert "decision 1 of the log has groups of an attribute outside EVENMATCH_GROUPS" in result.stderr
    assert run("export", str(tmp_path / "decisions.xls")).exit_code == 2
    assert [p.name for p in tmp_path.iterdir() if "decisions.csv" in p.name] == []


def test_an_attribute_called_as_a_column_is_not_exported_over_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "EVENMATCH_GROUPS",
        '{"attributes": {"sex": ["female", "male"], "decision": ["mine"]}, "intersections": []}',
    )
    file = tmp_path / "decisions.jsonl"
    result = run("export", str(file))
    assert (result.exit_code, file.exists()) == (3, False)
    assert "attribute decision of EVENMATCH_GROUPS" in result.stderr


def test_without_a_log_or_with_another_key_it_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENMATCH_LOG_KEY", "some key that is not the log's")
    result = run("verify")
    assert result.exit_code == 1
    assert "begun under another key" in result.stderr
    assert "some key" not in result.output
    monkeypatch.delenv("EVENMATCH_LOG_KEY")
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(tmp_path / "empty"))
    result = run("verify")
    assert (result.exit_code, "no key for the decision log" in result.stderr) == (1, True)
    assert not (tmp_path / "empty").exists()


def test_migrating_may_be_repeated_and_begins_a_log_where_there_is_none(
    run: Run, log: DecisionLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.close()  # as in another process: one alone holds the file
    told = "the tables are those of this version, with 5 decisions; built 0 indexes\n"
    assert [run("migrate").stdout for _ in range(2)] == [told, told]
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(tmp_path / "new"))
    assert run("migrate").stdout == told.replace("5", "0", 1)
    assert (tmp_path / "new" / DATABASE_FILE).exists()
