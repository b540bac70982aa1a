"""Decisions of the real server, outcomes of them, a proposal, and the bundle that is served after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

import evenmatch
from service.core.bundle import Bundle, read_bundle
from service.core.calibration_proposal import RECALIBRATION, read_proposal
from tests.e2e.conftest import Server, environment
from tests.e2e.texts import BACKEND_JOB, COOK, ENGINEER, NURSE, NURSE_JOB
from tests.support import forked
from tests.support.patience import PATIENCE

PEOPLE = [*(f"{ENGINEER}\nNumber {i}" for i in range(4)), *(f"{NURSE}\nNumber {i}" for i in range(4)), COOK]
POSTINGS = [(BACKEND_JOB, range(4)), (NURSE_JOB, range(4, 8))] * 4


def decided_with_outcomes(client: httpx.Client) -> list[dict[str, Any]]:
    """Eight postings of nine candidates; one outcome in ten is not what the resume says."""
    results, outcomes = [], []
    for i, (job, matches) in enumerate(POSTINGS):
        candidates = [{"id": f"p-{k}", "resume": resume} for k, resume in enumerate(PEOPLE)]
        body = {"job": {**job, "id": f"cal-{i}"}, "candidates": candidates, "prevalence": 0.01}
        answer = client.post("/v1/score", json=body)
        assert answer.status_code == 200, answer.text
        for k, one in enumerate(answer.json()["results"]):
            is_match = (k in matches) != ((i * len(PEOPLE) + k) % 10 == 0)
            outcomes.append(
                {
                    "decision_id": one["decision_id"],
                    "outcome": "positive" if is_match else "negative",
                    "kind": "label",
                }
            )
            results.append(one)
    told = client.post("/v1/outcomes/bulk", json={"outcomes": outcomes})
    assert told.json()["recorded"] == len(outcomes)
    return results


@pytest.fixture(scope="module")
def results(server: Server) -> list[dict[str, Any]]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        return decided_with_outcomes(client)


@pytest.fixture
def calibrated(server: Server, results: list[dict[str, Any]], data_dir: Path, tmp_path: Path) -> Bundle:
    """The copy of the bundle that two commands make of the outcomes."""

    def calibrate(*arguments: str) -> str:
        done = forked.run(
            forked.command_line, ["calibrate", *arguments], environment(data_dir, COLUMNS="160"), tmp_path
        )
        assert done.returncode == 0, done.stderr
        return " ".join(done.stdout.split())

    assert "72 outcomes" in calibrate("--from-store", "--ground-truth", "label", "--output", "proposal.json")
    calibrate("--proposal", "proposal.json", "--bundle-output", "calibrated")
    return read_bundle(tmp_path / "calibrated")


@pytest.mark.slow
def test_a_bundle_that_is_calibrated_on_outcomes_decides_as_before(
    results: list[dict[str, Any]], calibrated: Bundle
) -> None:
    proposal = read_proposal(calibrated.path / RECALIBRATION)
    assert (proposal.counts.outcomes, proposal.counts.matches, proposal.counts.postings) == (72, 32, 8)
    for one in results:
        probability = calibrated.calibration.probability(one["raw_score"], titled=True)
        assert calibrated.decision.is_selected(probability) == (one["decision"] == "selected")


@pytest.mark.slow
def test_a_calibrated_bundle_is_served(
    results: list[dict[str, Any]], calibrated: Bundle, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(data_dir))
    with evenmatch.load(calibrated.path) as model:
        scores = model.score(BACKEND_JOB["description"], PEOPLE, title=BACKEND_JOB["title"])
    assert (scores.threshold, scores.prevalence) == (
        calibrated.decision.threshold,
        calibrated.calibration.prevalence,
    )
    for score, before in zip(scores, results[: len(PEOPLE)], strict=True):
        assert (score.raw_score, score.decision) == (before["raw_score"], before["decision"])
        assert score.calibrated_probability == calibrated.calibration.probability(
            score.raw_score, titled=True
        )
