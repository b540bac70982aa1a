from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from service.core.bundle import Bundle
from training.cli import app
from training.data.example import DataFormatError
from training.evaluation.given_pairs import PairColumns, read_pairs
from training.evaluation.schema import PairsReport

SECRET = "zanzibarian"
"""A word of the texts that must stand in no report and no message."""


def pair(job: str, before: str, after: str) -> dict[str, Any]:
    return {"original": before, "counterfactual": after, "job": job}


ROWS = [
    pair(f"{job} wanted", f"{SECRET} {job} since {year}", f"{SECRET} {job} since {year} {more}".strip())
    for job in ("nurse", "welder")
    for year, more in ((2011, ""), (2012, "and proud of it"))
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return path


def run(bundle: Bundle, pairs: Path, *options: object) -> Result:
    arguments = ["counterfactual", str(bundle.path), "--pairs", str(pairs), "--rounds", "5", "--no-redact"]
    return CliRunner().invoke(app, [*arguments, *map(str, options)])


def test_a_users_own_file_is_measured_and_reported(tiny_bundle: Bundle, tmp_path: Path) -> None:
    json_file, html_file = tmp_path / "out" / "shift.json", tmp_path / "out" / "shift.html"
    pairs = write(tmp_path / "pairs.csv", ROWS)
    done = run(tiny_bundle, pairs, "--json", json_file, "--html", html_file)
    assert done.exit_code == 0, done.stderr
    assert "4 pairs of 2 jobs" in done.stdout
    assert "in 2 of 4 pairs nothing was changed" in " ".join(done.stderr.split())
    report = PairsReport.model_validate_json(json_file.read_text("utf-8"))
    assert (report.pairs, report.jobs, report.unchanged) == (4, 2, 2)
    assert (report.figures["max_shift"].value or 0) > 0  # two resumes were changed
    assert report.subject.digest == tiny_bundle.digest
    assert report.source == str(pairs)
    html = html_file.read_text("utf-8")
    value = report.figures["max_shift"].value
    assert f"{value:.4f}" in html
    for text in (html, json_file.read_text("utf-8"), done.output):
        assert SECRET not in text
    assert html_file.stat().st_mode & 0o077 == 0


def test_nothing_changed_moves_nothing(tiny_bundle: Bundle, tmp_path: Path) -> None:
    same = [{**row, "counterfactual": row["original"]} for row in ROWS]
    output = tmp_path / "shift.json"
    done = run(tiny_bundle, write(tmp_path / "same.jsonl", same), "--json", output)
    assert done.exit_code == 0, done.stderr
    assert "are these the right columns?" in " ".join(done.stderr.split())
    report = PairsReport.model_validate_json(output.read_text("utf-8"))
    assert {figure.value for name, figure in report.figures.items() if "tenth" not in name} == {0.0}


@pytest.mark.parametrize(
    "names",
    [
        ("original", "counterfactual", "job"),
        ("resume_text_orig", "resume_text_cf", "job_text"),
        ("Resume", "Rewritten Resume", "Job Description"),
        ("before", "after", "posting"),
    ],
)
def test_columns_are_found_by_what_people_call_them(names: tuple[str, str, str]) -> None:
    before, after, job = names
    rows = [{"id": 1, before: "a nurse", after: "the nurse", job: "nurse wanted"}]
    given = read_pairs(rows, "mine.csv", PairColumns())
    [found] = given.pairs
    assert (found.original, found.counterfactual, found.description) == (
        "a nurse",
        "the nurse",
        "nurse wanted",
    )
    guessed = [name for name in names if name not in ("original", "counterfactual", "job")]
    assert len(given.notes) == len(guessed)
    assert all(any(f"`{name}` is read as" in note for note in given.notes) for name in guessed)


def test_named_columns_go_before_guesses() -> None:
    rows = [{**pair("nurse wanted", "a nurse", "the nurse"), "cv": "one welder", "what": "Nurse"}]
    [found] = read_pairs(rows, "mine.csv", PairColumns(original="cv", title="what")).pairs
    assert (found.original, found.title) == ("one welder", "Nurse")


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([], PairColumns(), "mine.csv holds no rows"),
        ([{"job": "x", "original": "x"}], PairColumns(), "no column counterfactual; it has job, original"),
        ([pair("x", "x", "x")], PairColumns(title="role"), "no column role; it has original"),
        ([pair("x", "x", "x")], PairColumns(original="job"), "job cannot be both the resume and the job's"),
        (
            [{"job": "x", "original": "x", "after": "x", "variant": "x"}],
            PairColumns(),
            "after and variant could be the changed resume; say which",
        ),
    ],
)
def test_columns_that_are_none_are_told(
    rows: list[dict[str, Any]], columns: PairColumns, message: str
) -> None:
    with pytest.raises(DataFormatError) as raised:
        read_pairs(rows, "mine.csv", columns)
    assert message in raised.value.message


def test_cells_that_are_no_text_are_told_by_row_and_column() -> None:
    rows = [
        pair("nurse wanted", SECRET, "the nurse"),
        pair("nurse wanted", " ", "the nurse"),
        pair("nurse wanted", "a nurse", None),  # type: ignore[arg-type]
        pair("nurse wanted", float("nan"), 7),  # type: ignore[arg-type]
        pair("null", "a nurse", "the nurse"),
    ]
    with pytest.raises(DataFormatError) as raised:
        read_pairs(rows, "mine.csv", PairColumns())
    lines = raised.value.message.splitlines()
    assert [line.partition(", column")[0] for line in lines] == [
        f"mine.csv: row {row}" for row in (2, 3, 4, 4, 5)
    ]
    assert "column original holds no text" in lines[0]
    assert lines[1].endswith("column counterfactual is empty")
    assert lines[3].endswith("column counterfactual must be a text, is a int")
    assert SECRET not in raised.value.message


def test_no_more_than_ten_cells_are_told() -> None:
    with pytest.raises(DataFormatError) as raised:
        read_pairs([pair("", "", "")] * 50, "mine.csv", PairColumns())
    assert len(raised.value.message.splitlines()) == 10
    assert raised.value.message.endswith("(and perhaps more)")


def test_a_report_does_not_replace_the_pairs(tiny_bundle: Bundle, tmp_path: Path) -> None:
    pairs = write(tmp_path / "pairs.csv", ROWS)
    before = pairs.read_bytes()
    assert run(tiny_bundle, pairs, "--json", pairs).exit_code == 2
    assert pairs.read_bytes() == before


def test_bad_files_end_with_a_message(tiny_bundle: Bundle, tmp_path: Path) -> None:
    pairs = write(tmp_path / "pairs.jsonl", [{"job": SECRET, "original": SECRET}])
    done = run(tiny_bundle, pairs)
    assert done.exit_code == 1
    assert "has no column counterfactual; it has job, original" in " ".join(done.stderr.split())
    assert SECRET not in done.stderr
    assert run(tiny_bundle, tmp_path / "none.csv").exit_code == 1
