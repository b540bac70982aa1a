"""Utility and calibration of a bundle on labelled pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from training.scored_pairs import Floats, Labels

ECE_BINS = 10


def expected_calibration_error(probabilities: Floats, labels: Labels, bins: int = ECE_BINS) -> float:
    """Sum over equal-width bins of n_b/n * |mean label - mean probability|, in [0, 1]; ideal 0.

    Source: Naeini et al. 2015.
    """
    index = np.minimum((probabilities * bins).astype(int), bins - 1)
    total = 0.0
    for b in range(bins):
        rows = index == b
        if rows.any():
            total += rows.sum() * abs(labels[rows].mean() - probabilities[rows].mean())
    return float(total / len(labels))


def utility(
    raw_scores: Floats,
    probabilities: Floats,
    labels: Labels,
    jobs: Sequence[str],
    *,
    threshold: float,
    rounds: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """ROC-AUC and PR-AUC of raw_score; F1, selection rate and ECE of the probability.

    Each figure comes with its 95 % bootstrap interval over jobs.
    """
    _, job_index = np.unique(np.asarray(jobs), return_inverse=True)
    members = [np.flatnonzero(job_index == j) for j in range(job_index.max() + 1)]
    point = _figures(raw_scores, probabilities, labels, threshold)
    samples = []
    for _ in range(rounds):
        rows = np.concatenate([members[j] for j in rng.integers(0, len(members), len(members))])
        if 0 < labels[rows].sum() < len(rows):
            samples.append(_figures(raw_scores[rows], probabilities[rows], labels[rows], threshold))
    report: dict[str, Any] = {"pairs": len(labels), "jobs": len(members), "matches": int(labels.sum())}
    for name, value in point.items():
        low, high = np.quantile([sample[name] for sample in samples], [0.025, 0.975])
        report[name] = {"value": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4)}
    return report


def _figures(raw_scores: Floats, probabilities: Floats, labels: Labels, threshold: float) -> dict[str, float]:
    selected = probabilities >= threshold
    return {
        "roc_auc": float(roc_auc_score(labels, raw_scores)),
        "pr_auc": float(average_precision_score(labels, raw_scores)),
        "f1": float(f1_score(labels, selected)),
        "selection_rate": float(selected.mean()),
        "ece": expected_calibration_error(probabilities, labels),
    }
