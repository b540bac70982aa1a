"""`evenmatch calibrate` on a store and on files: a proposal, and the bundle that is made of it."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.core import recalibration
from service.core.bundle import Bundle, read_bundle
from service.core.recalibration import ScoredDecisions
from service.store.database import migrate, open_database
from service.store.outcomes import Outcome, record_outcomes
from service.store.sqlite import sqlite_url
from tests.support.outcomes import judged, rows_of
from tests.support.stored import decision, store

MADE = datetime.now(UTC) - timedelta(days=20)


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalibration, "_ROUNDS", 60)


def calibrate(bundle: Bundle, *arguments: str | Path, **environment: str) -> Result:
    return CliRunner().invoke(
        app,
        ["calibrate", "--bundle", str(bundle.path), *map(str, arguments)],
        env={"COLUMNS": "160", "EVENMATCH_GROUPS": None, **environment},
    )


def said(done: Result) -> str:
    return " ".join(done.output.split())


@pytest.fixture
def stored(tiny_bundle: Bundle, tmp_path: Path) -> tuple[Path, ScoredDecisions]:
    """A data folder with decisions and outcomes, and these."""
    made = judged(900, followed=(1.0, 0.6))
    engine = open_database(sqlite_url(tmp_path / "decisions.sqlite"))
    migrate(engine)
    others = [decision(10_000 + i, score=0.7, time=MADE) for i in range(3)]  # of another bundle
    rows = [
        decision(
            i,
            dict(made.groups[cell]),
            score=probability,
            time=MADE,
            job_id=f"req-{posting}",
            bundle_digest=tiny_bundle.digest,
        )
        for i, (probability, posting, cell) in enumerate(
            zip(made.probabilities.tolist(), made.postings.tolist(), made.cells.tolist(), strict=True)
        )
    ]
    store(engine, [*others, *rows])
    outcomes = [
        Outcome(f"d-{i}", positive=bool(label), kind="label")
        for i, label in enumerate(made.labels.tolist())
        if label >= 0
    ]
    outcomes.append(Outcome("d-10000", positive=True, kind="label"))
    record_outcomes(engine, outcomes, now=datetime.now(UTC), skew=timedelta(minutes=5))
    engine.dispose()
    return tmp_path, made


def test_a_proposal_of_the_store_becomes_a_bundle_by_a_second_command(
    tiny_bundle: Bundle, stored: tuple[Path, ScoredDecisions]
) -> None:
    folder, made = stored
    environment = {"EVENMATCH_DATA_DIR": str(folder)}
    file, copy = folder / "proposal.json", folder / "copy"
    done = calibrate(tiny_bundle, "--from-store", "--precision", "0.8", "--output", file, **environment)
    assert done.exit_code == 0, done.output
    known = int((made.labels >= 0).sum())
    assert f"{known:,} outcomes" in said(done)
    assert "outcomes of decisions by other bundles or cohorts, left out: 1;" in said(done)
    assert "nothing is applied" in said(done)
    assert "same decisions" in said(done)
    assert "precision 0.8" in said(done)
    assert "Female" in said(done)
    proposal = json.loads(file.read_text())
    assert (proposal["source"], proposal["ground_truth"]) == ("store", "label")
    assert proposal["counts"]["decisions"] == 900
    assert proposal["counts"]["matches"] == int((made.labels == 1).sum())
    assert read_bundle(tiny_bundle.path) == tiny_bundle
    applied = calibrate(tiny_bundle, "--proposal", file, "--bundle-output", copy, "--threshold", "precision")
    assert applied.exit_code == 0, applied.output
    assert f"EVENMATCH_BUNDLE={copy}" in "".join(applied.output.split())
    assert read_bundle(copy).decision.threshold == proposal["thresholds"]["precision"]["threshold"]
    # Of the copy itself nothing is known yet.
    nothing = calibrate(read_bundle(copy), "--from-store", **environment)
    assert nothing.exit_code == 3
    assert "too few outcomes: 0 matches and 0 others" in said(nothing)
    old = calibrate(tiny_bundle, "--from-store", "--window", "10d", **environment)
    assert old.exit_code == 3
    assert "among 0 decisions of this bundle" in said(old)


def test_a_file_gives_what_the_store_gives(tiny_bundle: Bundle, stored: tuple[Path, ScoredDecisions]) -> None:
    folder, made = stored
    rows = [{**row, "candidate_id": f"c-{i}"} for i, row in enumerate(rows_of(made))]
    with (folder / "outcomes.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    by_file = calibrate(tiny_bundle, "--from", folder / "outcomes.csv", "--output", folder / "a.json")
    assert by_file.exit_code == 0, by_file.output
    calibrate(tiny_bundle, "--from-store", "--output", folder / "b.json", EVENMATCH_DATA_DIR=str(folder))
    a, b = (json.loads((folder / name).read_text()) for name in ("a.json", "b.json"))
    for name in ("created", "source", "ground_truth"):
        del a[name], b[name]
    assert a == b


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say one of --from-store, --from FILE and --proposal FILE"),
        (["--from-store", "--from", "x.csv"], "say one of"),
        (["--from-store", "--precision", "1"], "--precision must be above 0 and below 1; it is 1"),
        (["--from", "x.csv", "--file-prevalence", "-2"], "--file-prevalence must be above 0 and below 1"),
        (["--from", "x.csv", "--window", "30d"], "are for --from-store"),
        (["--from-store", "--outcome-column", "x"], "are for --from FILE"),
        (["--from-store", "--bundle-output", "x"], "--proposal and --bundle-output go together"),
        (["--from-store", "--output", "x.txt"], "--output must end in .json, not .txt"),
        (["--from-store", "--since", "yesterday"], "--since takes an ISO 8601 time"),
    ],
)
def test_wrong_usage_is_refused(tiny_bundle: Bundle, arguments: list[str], message: str) -> None:
    done = calibrate(tiny_bundle, *arguments)
    assert done.exit_code == 2
    assert message in said(done)


def test_a_proposal_for_another_bundle_is_refused(
    tiny_bundle: Bundle, stored: tuple[Path, ScoredDecisions]
) -> None:
    folder, _ = stored
    file = folder / "proposal.json"
    calibrate(tiny_bundle, "--from-store", "--output", file, EVENMATCH_DATA_DIR=str(folder))
    proposal = json.loads(file.read_text())
    proposal["bundle"]["digest"] = "0" * 64
    file.write_text(json.dumps(proposal))
    done = calibrate(tiny_bundle, "--proposal", file, "--bundle-output", folder / "copy")
    assert done.exit_code == 3
    assert "the proposal is for bundle test-bundle 1.0.0" in said(done)
    assert not (folder / "copy").exists()
