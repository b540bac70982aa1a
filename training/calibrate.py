"""Calibration and the one threshold, fitted on scores of the reloaded bundle's own encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from service.core.errors import EvenmatchError
from service.core.manifest import DecisionRule
from service.core.scoring import SCORE_DECIMALS, CalibrationCurve

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


class CalibrationError(EvenmatchError):
    """Nothing can be fitted: only one class is there, or matches do not score higher."""

    code = "calibration_failed"
    title = "Calibration failed"


def fit_platt(raw_scores: Floats, labels: Labels) -> CalibrationCurve:
    """Platt scaling: a logistic regression of the label on raw_score, without regularisation.

    Raises `CalibrationError` if only one class is present, or if matches do not score higher.
    """
    _check_two_classes(labels)
    model = LogisticRegression(C=np.inf).fit(raw_scores.reshape(-1, 1), labels)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope <= 0:
        raise CalibrationError("matches do not score higher than the others: nothing can be calibrated")
    return CalibrationCurve(slope=round(slope, 6), intercept=round(intercept, 6))


def choose_threshold(
    probabilities: Floats, labels: Labels, jobs: Sequence[str], *, rounds: int, rng: np.random.Generator
) -> DecisionRule:
    """The threshold with the best F1, and the band in which a resample of the jobs would have put it.

    F1, because those who are not selected are many and those who are matter. Jobs are resampled,
    not pairs, since the pairs of one job stand or fall together. The band is the central 95 % of
    the bootstrap thresholds. Raises `CalibrationError` if one class is missing, from the pairs or
    from every resample.
    """
    _check_two_classes(labels)
    threshold = _best_f1_threshold(probabilities, labels)
    _, job_index = np.unique(np.asarray(jobs), return_inverse=True)
    members = [np.flatnonzero(job_index == j) for j in range(job_index.max() + 1)]
    drawn = []
    for _ in range(rounds):
        rows = np.concatenate([members[j] for j in rng.integers(0, len(members), len(members))])
        if 0 < labels[rows].sum() < len(rows):
            drawn.append(_best_f1_threshold(probabilities[rows], labels[rows]))
    if not drawn:
        raise CalibrationError(
            f"none of {rounds} resamples of {len(members)} jobs holds both classes: "
            "the borderline band cannot be estimated"
        )
    low, high = np.quantile(drawn, [0.025, 0.975])
    return DecisionRule(
        threshold=round(threshold, SCORE_DECIMALS),
        borderline=(
            round(min(float(low), threshold), SCORE_DECIMALS),
            round(max(float(high), threshold), SCORE_DECIMALS),
        ),
        rule="best F1 on the threshold split; the borderline band is its 95 % bootstrap interval over jobs",
        constraint="none: the base bundle is the baseline without any fairness constraint",
    )


def _best_f1_threshold(probabilities: Floats, labels: Labels) -> float:
    """The midpoint between the last probability selected at the best F1 and the next one below."""
    order = np.argsort(-probabilities, kind="stable")
    p, y = probabilities[order], labels[order]
    hits = np.cumsum(y)
    f1 = 2 * hits / (np.arange(1, len(y) + 1) + y.sum())
    ends = np.append(np.diff(p) != 0, True)  # equal probabilities are selected together or not at all
    best = int(np.argmax(np.where(ends, f1, -1.0)))
    below = p[best + 1] if best + 1 < len(p) else p[best]
    return float((p[best] + below) / 2)


def _check_two_classes(labels: Labels) -> None:
    if labels.size == 0 or labels.min() == labels.max():
        raise CalibrationError(
            f"{labels.size} pairs with {int(labels.sum())} matches: both classes are needed"
        )
