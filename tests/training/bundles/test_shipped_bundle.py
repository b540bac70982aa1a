"""The shipped, trained bundle: what is said of it is in it."""

from __future__ import annotations

import json

import pytest

from service.core.bundle import read_bundle
from service.runtime.options import BUNDLES
from service.settings import Settings
from training.config import RunConfig, read_run_config
from training.evaluation.schema import Evaluation, Figure
from training.pipeline.run import CONFIGS

SHIPPED = BUNDLES / "minilm-fair"


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return Evaluation.model_validate_json((SHIPPED / "metrics.json").read_bytes())


def value(figure: Figure) -> float:
    assert figure.value is not None
    return figure.value


def test_it_is_the_default_and_whole() -> None:
    assert Settings().model.bundle_path == SHIPPED
    bundle = read_bundle(SHIPPED)
    assert bundle.adapter_path is not None
    assert bundle.eraser is not None
    size = sum(file.stat().st_size for file in bundle.adapter_path.iterdir())
    assert size <= 5 * 2**20
    config = json.loads((bundle.adapter_path / "adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] is None  # no path of the machine that trained it


def test_the_committed_configuration_made_it() -> None:
    made_by = RunConfig.model_validate_json((SHIPPED / "training_config.json").read_bytes())
    assert made_by == read_run_config(CONFIGS / "minilm-fair.yaml")


def test_its_figures_are_of_this_bundle_as_it_decides(evaluation: Evaluation) -> None:
    bundle = read_bundle(SHIPPED)
    assert evaluation.subject.threshold == bundle.decision.threshold
    assert evaluation.subject.constraint == bundle.decision.constraint
    assert evaluation.subject.redact
    card = (SHIPPED / "README.md").read_text("utf-8")
    assert "with a LoRA adapter" in card
    auc = evaluation.judgements[0].utility["roc_auc"]
    assert f"{value(auc):.3f} ({auc.low:.3f} to {auc.high:.3f})" in card


def test_probabilities_are_calibrated_and_names_do_not_decide(evaluation: Evaluation) -> None:
    assert value(evaluation.judgements[-1].utility["ece"]) <= 0.05
    bare, redacted = evaluation.audits
    assert (bare.redact, redacted.redact) == (False, True)
    assert value(redacted.attributes[0].figures["flip_rate"]) == 0
    assert value(redacted.attributes[0].figures["mean_shift"]) == 0
    top_p_value = bare.attributes[0].top_p_value
    assert top_p_value is not None
    assert top_p_value > 0.05
