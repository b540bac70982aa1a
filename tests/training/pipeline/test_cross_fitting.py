"""Calibration, threshold and test figures from held-out scores, by a slower way of doing the same."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.config import RunConfig
from training.evaluation.schema import Subject
from training.evaluation.scored_pairs import ScoredPairs, concatenated
from training.pipeline.cross_fitting import cross_fit, evaluate_folds
from training.postprocessing.calibration import CalibrationOptions, fit_calibration

CONFIG = RunConfig.model_validate(
    {
        "name": "ours",
        "data": {"files": {"file": "pairs.csv"}},
        "evaluation": {"rounds": 50, "minimum": 5},
        "threshold": {"parity_limit": None},
    }
)


def fold(number: int, *, jobs: int = 3, each: int = 12, apart: float = 0.25) -> ScoredPairs:
    rng = np.random.default_rng(number)
    labels = np.tile([1, 0, 0], jobs * each // 3)
    return ScoredPairs(
        raw_scores=0.4 + apart * labels + rng.normal(0, 0.08, len(labels)),
        labels=labels,
        jobs=[f"{number}-{i // each}" for i in range(jobs * each)],
        resumes=[f"{number}-{i}" for i in range(jobs * each)],
        titled=np.ones(len(labels), dtype=np.bool_),
        groups={"sex": [("female", "male")[i % 2] for i in range(jobs * each)]},
    )


FOLDS = [fold(number) for number in range(4)]


def test_the_bundle_is_calibrated_on_the_held_out_pairs_of_all_folds() -> None:
    found = cross_fit(CONFIG, FOLDS)
    expected = fit_calibration(concatenated(FOLDS), CalibrationOptions(seed=CONFIG.seed))
    assert found.calibration == expected.calibration
    assert found.calibration.pairs == 4 * 36
    assert found.rule.rule.startswith("best F1 on the held-out pairs of 4 folds")


def test_a_fold_is_decided_by_what_was_fitted_without_it() -> None:
    found = cross_fit(CONFIG, FOLDS)
    others = concatenated(FOLDS[1:])
    same = CalibrationOptions(methods=(found.calibration.method,), seed=CONFIG.seed)
    by_others = fit_calibration(others, same).calibration
    assert found.decisions[0].calibration == by_others
    assert found.probabilities()[:36] == pytest.approx(FOLDS[0].probabilities(by_others))
    # The first fold's labels take no part in how it is decided.
    turned = ScoredPairs(
        **{name: getattr(FOLDS[0], name) for name in ("raw_scores", "jobs", "resumes", "titled", "groups")},
        labels=np.roll(FOLDS[0].labels, 1),
    )
    again = cross_fit(CONFIG, [turned, *FOLDS[1:]])
    assert again.decisions[0].rule.threshold == found.decisions[0].rule.threshold
    assert again.decisions[1].rule.threshold != found.decisions[1].rule.threshold


def test_the_test_figures_are_of_all_held_out_pairs() -> None:
    found = cross_fit(CONFIG, FOLDS)
    subject = Subject(
        bundle="ours",
        version="1.0.0",
        digest="0",
        engine="torch",
        precision="f32",
        redact=True,
        threshold=found.rule.threshold,
        constraint="none",
    )
    evaluation = evaluate_folds(CONFIG, found, subject)
    assert (evaluation.data.pairs, evaluation.data.jobs) == (144, 12)
    pairs = found.pairs
    each_job = [roc_auc_score(pairs.labels[rows], pairs.raw_scores[rows]) for rows in pairs.job_rows]
    macro = evaluation.judgements[0].utility["macro_roc_auc"]
    assert macro.value == pytest.approx(np.mean(each_job), abs=1e-6)
    assert macro.n == 12
    selected = found.probabilities() >= found.thresholds()
    rate = evaluation.judgements[0].utility["selection_rate"]
    assert rate.value == pytest.approx(selected.mean(), abs=1e-6)
    assert any("neither its job nor its person" in note for note in evaluation.notes)


def test_a_fold_that_the_others_cannot_calibrate_is_named() -> None:
    hard = [fold(1), fold(2, apart=-0.05), fold(3, apart=-0.05)]
    found = cross_fit(CONFIG, hard)
    assert any(note.startswith("fold 1 is decided by the bundle's own") for note in found.notes)
    assert found.decisions[0].calibration == found.calibration
