"""What comes from files reaches a terminal without what a terminal obeys; files keep it as it is."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner, Result

from service.cli import app
from service.cli.console import add_row
from training.cli import app as training

HOSTILE = "\x1b]0;owned\x07c-1\r\x9b2J\u202e"
OBEYED = "\x1b\x07\r\x9b\u202e"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={"EVENMATCH_GROUPS": None})


def assert_harmless(done: Result) -> None:
    shown = done.stdout + done.stderr
    assert not set(OBEYED) & set(shown)
    assert "c-1" in shown


@pytest.fixture
def resumes(tmp_path: Path) -> Path:
    file = tmp_path / "resumes.jsonl"
    rows = [{"id": HOSTILE, "resume": "Jane Doe\nengineer"}, {"id": "c-2", "resume": "John Roe\nnurse"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_ids_of_resumes(resumes: Path) -> None:
    done = run("redact", resumes)
    assert done.exit_code == 0, done.output
    assert_harmless(done)


def test_a_file_keeps_an_id_as_it_is_and_is_its_owners_alone(resumes: Path, tmp_path: Path) -> None:
    output = tmp_path / "redacted.jsonl"
    done = run("redact", resumes, "--output", output)
    assert_harmless(done)
    assert json.loads(output.read_text().splitlines()[0])["id"] == HOSTILE
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_names_of_files_and_columns_in_errors(tmp_path: Path) -> None:
    missing = run("redact", tmp_path / f"{HOSTILE}.txt")
    assert missing.exit_code == 3
    assert_harmless(missing)
    table = tmp_path / f"{HOSTILE}.csv"
    table.write_text("id,resume\n1,x\n")
    column = run("redact", table, "--text-column", HOSTILE)
    assert column.exit_code == 3
    assert_harmless(column)


def test_the_name_of_a_bundle_in_an_error(tmp_path: Path, resumes: Path) -> None:
    done = run("redact", resumes, "--bundle", tmp_path / HOSTILE)
    assert done.exit_code == 1
    assert_harmless(done)


def test_groups_and_titles_of_a_report(tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.csv"
    decisions.write_text("decision,sex\nselected,female\n" + "not_selected,male\n" * 3)
    output = tmp_path / f"{HOSTILE}.csv"
    done = run(
        "report", decisions, "--title", HOSTILE, "--group-column", "race_ethnicity=", "--output", output
    )
    assert done.exit_code == 0, done.output
    assert_harmless(done)
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_a_cell_of_a_table_is_one_harmless_line(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("candidate")
    add_row(table, HOSTILE + "\nfaked row")
    Console().print(table, markup=False, highlight=False)
    shown = capsys.readouterr().out
    assert not set(OBEYED) & set(shown)
    assert any("c-1" in line and "faked row" in line for line in shown.splitlines())


def test_training_says_it_harmlessly(tmp_path: Path) -> None:
    done = CliRunner().invoke(training, ["import", str(tmp_path / HOSTILE), "--output", str(tmp_path / "b")])
    assert done.exit_code != 0
    assert not set(OBEYED) & set(done.stdout + done.stderr)
