"""`evenmatch cohort` on a fake engine: what it writes, says and refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app, console
from service.core.bundle import Bundle
from service.core.cohort_file import COHORT, VECTORS, read_cohort
from service.runtime.cohort_traffic import CohortCollecting, CohortTraffic, place_of
from tests.support.cohorts import random_references, words
from tests.support.fake_command_line import load_fake_runtime

Run = Callable[..., Result]


def table(file: Path, header: list[str], rows: list[list[str]]) -> Path:
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return file


@pytest.fixture
def run(tiny_bundle: Bundle, bge_like: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(console, "load_runtime", load_fake_runtime)
    monkeypatch.setenv("TEST_TOKENIZER", str(bge_like / "tokenizer.json"))
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EVENMATCH_BUNDLE", str(tiny_bundle.path))
    monkeypatch.chdir(tmp_path)
    pool = [[f"c-{i}", words(i), "nurse" if i % 2 else "cook"] for i in range(45)]
    table(tmp_path / "pool.csv", ["candidate_id", "resume", "trade"], [*pool, ["twin", words(3), "cook"]])
    postings = [[f"j-{i}", words(i, 2), words(200 + i)] for i in range(24)]
    table(tmp_path / "postings.csv", ["job_id", "job_title", "job_description"], postings)
    trial = [[f"t-{i}", words(500 + i), ["female", "male", ""][i % 3], f"n-{i % 2}"] for i in range(9)]
    table(tmp_path / "trial.csv", ["candidate_id", "resume", "sex", "matches"], trial)
    asked = [[f"n-{i}", words(i, 2), words(600 + i)] for i in range(3)]
    table(tmp_path / "asked.csv", ["job_id", "job_title", "job_description"], asked)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "160"})

    return call


def build(run: Run, *more: str) -> Result:
    return run(
        "cohort", "build", "--resumes", "pool.csv", "--postings", "postings.csv", "--output", "made", *more
    )


def test_a_cohort_is_built_shown_and_scored_with(run: Run, tmp_path: Path) -> None:
    done = build(run, "--expires-after", "30", "--coverage", "0.1", "--top-postings", "5")
    assert done.exit_code == 0, done.output
    assert "45 resumes, of 46 (1 near-duplicates of others)" in done.output
    read = read_cohort(tmp_path / "made")
    assert read.manifest.expires is not None
    assert (read.manifest.resumes.used, read.manifest.postings.used) == (45, 24)
    assert read.manifest.warnings == ()
    assert (read.manifest.policy.coverage, read.manifest.policy.top_postings) == (0.1, 5)
    stored = (tmp_path / "made" / COHORT).read_bytes() + (tmp_path / "made" / VECTORS).read_bytes()
    assert b"c-1" not in stored
    assert b"pool.csv" not in stored
    shown = run("cohort", "show", "made")
    assert read.digest in shown.output
    assert json.loads(run("cohort", "show", "made", "--json").stdout)["resumes"]["duplicates"] == 1
    score = ["score", "trial.csv", "--jobs", "asked.csv", "--id-column", "candidate_id", "--output"]
    assert run(*score, "plain.jsonl").exit_code == 0
    done = run(*score, "normalised.jsonl", "--cohort", "made")
    assert done.exit_code == 0, done.output
    plain, normalised = (
        {
            (one["job_id"], one["candidate_id"]): one
            for one in map(json.loads, (tmp_path / name).read_text().splitlines())
        }
        for name in ("plain.jsonl", "normalised.jsonl")
    )
    assert plain.keys() == normalised.keys()
    assert "cohort_percentile" not in plain["n-0", "t-0"]
    covered = [one for one in normalised.values() if one["cohort_percentile"] is not None]
    assert covered
    for key, one in normalised.items():
        moved = one["raw_score"] != plain[key]["raw_score"]
        assert moved is (one["cohort_percentile"] is not None)


def test_the_same_texts_and_seed_make_the_same_vectors(run: Run, tmp_path: Path) -> None:
    most = ("--most-resumes", "20", "--most-postings", "10", "--seed", "5", "--overwrite")
    assert build(run, *most).exit_code == 0
    first = (tmp_path / "made" / VECTORS).read_bytes()
    done = build(run, *most)
    assert "26 not drawn" in done.output
    assert "below 40 and 20 no score is normalised" in done.output
    assert (tmp_path / "made" / VECTORS).read_bytes() == first
    assert build(run, *most[:-3], "--seed", "6", "--overwrite").exit_code == 0
    assert (tmp_path / "made" / VECTORS).read_bytes() != first


def test_what_a_cohort_changes_is_reported_by_group_and_with_labels(run: Run, tmp_path: Path) -> None:
    assert build(run).exit_code == 0
    done = run(
        "cohort", "report", "made", "--resumes", "trial.csv", "--postings", "asked.csv",
        "--groups", "sex", "--label-column", "matches", "--json", "report.json", "--html", "report.html",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    html = (tmp_path / "report.html").read_text()
    assert "What a cohort changes" in html
    assert words(500) not in html
    found = json.loads((tmp_path / "report.json").read_text())
    assert (found["postings"], found["resumes"], found["pairs"]) == (3, 9, 27)
    before, after = found["before"], found["after"]
    assert after["selected"] - before["selected"] == found["flips_up"] - found["flips_down"]
    assert sum(one["selected_after"] for one in found["by_posting"]) == after["selected"]
    assert sum(one["selected_before"] == 0 for one in found["by_posting"]) == before["empty"]
    assert sum(not one["covered"] for one in found["by_posting"]) == found["uncovered"]
    assert [(one["group"], one["pairs"]) for one in found["groups"]["sex"]] == [
        ("female", 9),
        ("male", 9),
        ("unknown", 9),
    ]
    assert before["recall"] is not None
    assert found["groups"]["sex"][2]["ratio_before"]["value"] is None
    assert words(500) not in done.output
    for missing in (("--groups", "age"), ("--label-column", "nothing")):
        refused = run(
            "cohort", "report", "made", "--resumes", "trial.csv", "--postings", "asked.csv", *missing
        )
        assert refused.exit_code == 3
        assert missing[1] in refused.output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["build", "--output", "made"], 2, "give --resumes and --postings, or --from-traffic"),
        (["build", "--output", "made", "--from-traffic", "--postings", "postings.csv"], 2, "neither"),
        (["build", "--output", "made", "--from-traffic"], 1, "0 resumes and 0 postings"),
        (["build", "--output", ".", "--resumes", "pool.csv", "--postings", "postings.csv"], 1, "exists"),
        (["show", "nowhere"], 1, "no cohort is there"),
        (["report", "nowhere", "--resumes", "trial.csv", "--postings", "asked.csv"], 1, "no cohort is there"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, arguments: list[str], code: int, said: str) -> None:
    done = run("cohort", *arguments)
    assert done.exit_code == code
    assert said in done.output


def test_a_cohort_is_built_of_what_live_requests_left(run: Run, tiny_bundle: Bundle, tmp_path: Path) -> None:
    place = place_of(tmp_path / "data", tiny_bundle, tiny_bundle.manifest.redaction.categories, None)
    limits = CohortCollecting(cohort_collect=True, cohort_resumes=50, cohort_postings=30)
    traffic = CohortTraffic(
        place, limits, lambda purpose, parts: f"{purpose}{parts}".encode().hex().ljust(64)
    )
    references = random_references(tiny_bundle, 44, 21)
    for i, vectors in enumerate(references.resumes):
        traffic.offer_resume(vectors, f"c-{i}")
    for posting in references.postings:
        traffic.offer_posting(posting)
    traffic.stop()
    done = run("cohort", "build", "--from-traffic", "--output", "made")
    assert done.exit_code == 0, done.output
    made = read_cohort(tmp_path / "made").manifest
    assert (made.resumes.used, made.postings.used) == (44, 21)
    assert made.resumes.sources == {"traffic": 44}
    assert made.titled_postings == sum(one.title is not None for one in references.postings)
