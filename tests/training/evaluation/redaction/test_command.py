"""`evenmatch-train redaction-report`."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.core.bundle import Bundle
from tests.training.evaluation.examples import JOB
from tests.training.evaluation.redaction.resumes import ENGINEER, NURSE, annotated, write
from training.cli import app
from training.evaluation.redaction.schema import RedactionReport

HIDDEN = ("Keisha", "Robinson", "example.org", "Mercy", "Harvard")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "spans.jsonl", [NURSE, ENGINEER])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["redaction-report", *map(str, arguments)])


def test_figures_are_printed_and_written_without_text(data: Path, tmp_path: Path) -> None:
    html, report = tmp_path / "new" / "report.html", tmp_path / "new" / "report.json"
    result = run("--data", data, "--html", html, "--json", report, "--rounds", 20, "--group-by", "form")
    assert result.exit_code == 0, result.stderr
    assert "name: spans wholly hidden" in result.stdout
    found = RedactionReport.model_validate_json(report.read_text("utf-8"))
    assert found.data.resumes == 2
    assert [grouped.grouping for grouped in found.groups] == ["form"]
    assert found.decisions is None
    for text in (html.read_text("utf-8"), report.read_text("utf-8"), result.output):
        assert not any(word in text for word in HIDDEN)


def test_misses_go_to_a_private_file_with_a_warning(data: Path, tmp_path: Path) -> None:
    misses = tmp_path / "misses.jsonl"
    result = run("--data", data, "--keep", "Name", "--show-misses", misses)
    assert result.exit_code == 0, result.stderr
    assert stat.S_IMODE(misses.stat().st_mode) == 0o600
    rows = [json.loads(line) for line in misses.read_text("utf-8").splitlines()]
    assert [(row["resume"], row["kind"], row["category"], row["text"]) for row in rows[:2]] == [
        ("nurse", "lost", "name", "Keisha"),
        ("nurse", "lost", "name", "Robinson"),
    ]
    assert "warning:" in result.stderr
    assert not any(word in result.output for word in HIDDEN)


def test_labels_of_other_data_are_named_by_options(tmp_path: Path) -> None:
    resume = annotated("a", NURSE.text, ("WHO", "Keisha Robinson"), ("WHERE", "Mercy Hospital"))
    file, report = write(tmp_path / "spans.jsonl", [resume]), tmp_path / "report.json"
    assert "note: Labels that say nothing" in run("--data", file).stderr
    result = run("--data", file, "--label", "WHO=name", "--keep", "WHERE", "--json", report)
    assert result.exit_code == 0, result.stderr
    found = RedactionReport.model_validate_json(report.read_text("utf-8"))
    assert {use.label: use.use for use in found.data.labels} == {"WHO": "hide", "WHERE": "keep"}
    assert found.words_lost.work.n == 2


def test_decisions_are_compared_with_a_bundle(data: Path, tmp_path: Path, tiny_bundle: Bundle) -> None:
    postings = tmp_path / "postings.csv"
    postings.write_text(f'job_title,job_description\nnurse,"{JOB}"\n,"{JOB}"\ncook,""\n', "utf-8")
    report = tmp_path / "report.json"
    result = run(
        "--data", data, "--postings", postings, "--bundle", tiny_bundle.path, "--json", report, "--rounds", 20
    )
    assert result.exit_code == 0, result.stderr
    assert "resumes, apart from the clues" in result.stdout
    decided = RedactionReport.model_validate_json(report.read_text("utf-8")).decisions
    assert decided is not None
    assert (decided.postings, decided.against_bare.pairs) == (2, 4)
    fewer = run(
        "--data", data, "--postings", postings, "--bundle", tiny_bundle.path, "--json", report,
        "--most-postings", 1, "--rounds", 0,
    )  # fmt: skip
    assert fewer.exit_code == 0, fewer.stderr
    decided = RedactionReport.model_validate_json(report.read_text("utf-8")).decisions
    assert decided is not None
    assert decided.postings == 1


def test_wrong_usage_says_so(data: Path, tmp_path: Path, tiny_bundle: Bundle) -> None:
    postings = tmp_path / "postings.csv"
    postings.write_text("name\nnurse\n", "utf-8")
    assert run("--data", data, "--bundle", tiny_bundle.path).exit_code == 2
    assert run("--data", data, "--json", data).exit_code == 2  # the report would replace the data
    assert run("--data", data, "--html", tmp_path / "a", "--json", tmp_path / "a").exit_code == 2
    assert run("--data", data, "--group-by", "shoe").exit_code == 2
    assert run("--data", data, "--label", "Name").exit_code == 1
    assert run("--data", tmp_path / "none.jsonl").exit_code == 1
    no_column = run("--data", data, "--postings", postings, "--bundle", tiny_bundle.path)
    assert no_column.exit_code == 1
    assert "no column" in no_column.stderr
