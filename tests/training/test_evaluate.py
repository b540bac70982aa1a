from __future__ import annotations

import numpy as np
import pytest

from training.evaluate import expected_calibration_error, utility


def test_hand_computed_calibration_error() -> None:
    # Bin [0.2, 0.3): 2 pairs, mean probability 0.25, mean label 0.5 -> 2/4 * 0.25
    # Bin [0.9, 1.0]: 2 pairs, mean probability 0.95, mean label 1.0 -> 2/4 * 0.05
    probabilities = np.array([0.2, 0.3 - 1e-12, 0.9, 1.0])
    labels = np.array([0, 1, 1, 1])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.15)


def test_perfect_calibration_has_no_error() -> None:
    assert expected_calibration_error(np.array([0.0, 1.0, 1.0]), np.array([0, 1, 1])) == 0


def test_every_figure_comes_with_its_size_and_interval() -> None:
    rng = np.random.default_rng(0)
    labels = np.tile([1, 0, 0, 0], 100)
    raw = labels * 0.2 + rng.normal(0, 0.15, 400)
    jobs = [str(i // 8) for i in range(400)]
    report = utility(raw, np.clip(raw + 0.3, 0, 1), labels, jobs, threshold=0.4, rounds=100, rng=rng)
    assert (report["pairs"], report["jobs"], report["matches"]) == (400, 50, 100)
    for name in ("roc_auc", "pr_auc", "f1", "selection_rate", "ece"):
        figure = report[name]
        assert figure["low"] < figure["high"]
        assert figure["low"] - 0.05 <= figure["value"] <= figure["high"] + 0.05


def test_a_perfect_ranking_has_perfect_figures() -> None:
    labels = np.array([1, 0, 1, 0])
    raw = np.array([0.9, 0.1, 0.8, 0.2])
    report = utility(
        raw, raw, labels, ["a", "a", "b", "b"], threshold=0.5, rounds=10, rng=np.random.default_rng(0)
    )
    assert (report["roc_auc"]["value"], report["pr_auc"]["value"], report["f1"]["value"]) == (1, 1, 1)
    assert report["selection_rate"]["value"] == 0.5
