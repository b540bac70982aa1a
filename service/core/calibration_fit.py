"""Platt scaling by maximum likelihood, and curves that are calibrated once more.

Used by training, and where a bundle is re-calibrated on outcomes.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from service.core.calibration import (
    Calibration,
    CalibrationCurve,
    IsotonicCurve,
    PlattCurve,
    TemperatureCurve,
)
from service.core.calibration_quality import Floats, Labels
from service.core.errors import CalibrationError
from service.core.scoring import SCORE_DECIMALS

LEAST_PROBABILITY = 0.5 * 10.0**-SCORE_DECIMALS
"""A probability that is 0 at the decimals that are kept may be anything below it."""

_STEPS = 100
_HALVINGS = 40
_FLAT = 1e-10


def check_two_classes(labels: Labels) -> None:
    """Raise `CalibrationError` unless both classes are there."""
    if labels.size == 0 or labels.min() == labels.max():
        raise CalibrationError(
            f"{labels.size} pairs with {int(labels.sum())} matches: both classes are needed"
        )


def fit_platt(
    scores: Floats, labels: Labels, weights: Floats | None = None, *, smooth: bool = False
) -> PlattCurve:
    """Platt scaling (1999): slope and intercept of the highest likelihood, without regularisation.

    `scores` and `labels` of 0 and 1, (N,); `weights` >= 0, (N,). `smooth`: Platt's targets, (n1 + 1) / (n1 +
    2) of n1 matches and 1 / (n0 + 2) of n0 others, in the place of 1 and 0. They are taken in any case where
    a cut divides the classes, since no likelihood is the highest then. Raises `CalibrationError` if only one
    class is present, or if matches do not score higher.
    """
    there = np.ones(len(labels), dtype=np.bool_) if weights is None else weights > 0
    check_two_classes(labels[there])
    weights = np.ones(len(labels)) if weights is None else weights
    matches, others = scores[there & (labels == 1)], scores[there & (labels == 0)]
    targets = labels.astype(np.float64)
    if smooth or matches.min() >= others.max() or others.min() >= matches.max():
        of_matches = float(weights[labels == 1].sum())
        of_others = float(weights[labels == 0].sum())
        targets = np.where(labels == 1, (of_matches + 1) / (of_matches + 2), 1 / (of_others + 2))
    slope, intercept = _fit_logistic(scores, targets, weights)
    slope, intercept = round(slope, 6), round(intercept, 6)
    if slope <= 0:
        raise CalibrationError("matches do not score higher than the others: nothing can be calibrated")
    return PlattCurve(slope=slope, intercept=intercept)


def _fit_logistic(x: Floats, targets: Floats, weights: Floats) -> tuple[float, float]:
    """Slope and intercept of the logistic regression of `targets` in [0, 1] on `x`, by Newton's method."""
    total = float(weights.sum())
    centre = float((weights * x).sum()) / total
    spread = float(np.sqrt((weights * (x - centre) ** 2).sum() / total)) or 1.0
    z = (x - centre) / spread
    slope, intercept = 0.0, 0.0

    def loss(a: float, b: float) -> float:
        logits = a * z + b
        return float((weights * (np.logaddexp(0, logits) - targets * logits)).sum()) / total

    now = loss(slope, intercept)
    for _ in range(_STEPS):
        p = expit(slope * z + intercept)
        missed, curvature = weights * (targets - p) / total, weights * p * (1 - p) / total
        gradient = np.array([(missed * z).sum(), missed.sum()])
        if np.abs(gradient).max() < _FLAT:
            break
        mixed = (curvature * z).sum()
        hessian = np.array([[(curvature * z * z).sum(), mixed], [mixed, curvature.sum()]])
        step = np.linalg.solve(hessian + 1e-12 * np.eye(2), gradient)
        for halving in range(_HALVINGS):  # a whole step may go too far where the classes hardly overlap
            a, b = slope + step[0] / 2**halving, intercept + step[1] / 2**halving
            if (then := loss(a, b)) <= now:
                break
        else:
            break
        slope, intercept, now = a, b, then
    return slope / spread, intercept - slope * centre / spread


def log_odds(probabilities: Floats) -> Floats:
    """ln(p / (1 - p)), (N,), of probabilities as they are kept: at the edges of what rounds to them."""
    return np.asarray(logit(np.clip(probabilities, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)))


def recalibrated(calibration: Calibration, by: PlattCurve, *, pairs: int, prevalence: float) -> Calibration:
    """A calibration whose log odds are `by.slope` times those of `calibration`, plus `by.intercept`.

    Logistic recalibration (Cox 1958). Each curve stays of its kind. `pairs` and `prevalence` are those of the
    new calibration.
    """
    return Calibration(
        method=calibration.method,
        with_title=_recalibrated(calibration.with_title, by),
        without_title=_recalibrated(calibration.without_title, by),
        pairs=pairs,
        prevalence=prevalence,
    )


def _recalibrated(curve: CalibrationCurve, by: PlattCurve) -> CalibrationCurve:
    if isinstance(curve, PlattCurve):
        return PlattCurve(
            slope=round(by.slope * curve.slope, 6),
            intercept=round(by.slope * curve.intercept + by.intercept, 6),
        )
    if isinstance(curve, TemperatureCurve):
        return TemperatureCurve(
            temperature=round(curve.temperature / by.slope, 8),
            centre=curve.centre,
            prior_log_odds=round(by.slope * curve.prior_log_odds + by.intercept, 6),
        )
    x, p = (np.array(column, dtype=np.float64) for column in zip(*curve.knots, strict=True))
    moved = np.round(expit(by.slope * log_odds(p) + by.intercept), SCORE_DECIMALS)
    return IsotonicCurve(knots=tuple(zip(x.tolist(), moved.tolist(), strict=True)))
