"""Do the probabilities hold on this set: as shipped, and shifted to the set's own share of matches?

    brier         mean of (p - y)^2, ideal 0 (Brier 1950)
    brier_skill   1 - brier / (pi (1 - pi)); 0 is as good as always saying the share of matches pi; ideal 1
    ece           expected calibration error over ten bins of equal width, ideal 0 (Naeini et al. 2015)
    ece_by_mass   the same over fifteen bins of equally many pairs: tells more where most are small
    slope         of a logistic fit of the label on the logit of p: under 1 the probabilities are too extreme
                  for this set, over 1 not extreme enough; ideal 1 (Cox 1958)
    intercept     of the same fit, ideal 0

Bins stay what they are in the data when resamples are drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from service.core.calibration import shift_prevalence
from service.core.calibration_quality import equal_mass_bins, equal_width_bins
from training.evaluation.external.resampling import DRAWN, Drawn, Samples, TwoWayResamples
from training.evaluation.external.schema import CalibrationReport, ProbabilityReport
from training.evaluation.resampling import ratio
from training.evaluation.scored_pairs import Floats, Labels
from training.evaluation.utility import reliability

FIGURES = {
    "brier": "Brier score",
    "brier_skill": "Brier skill",
    "ece": "calibration error, bins of equal width",
    "ece_by_mass": "calibration error, bins of equally many pairs",
    "slope": "slope on the logit",
    "intercept": "intercept on the logit",
}
"""Names of the figures, as reports show them."""

_FITTED = ("slope", "intercept")
_ONE_CLASS = "one class only: matches and others are needed"
_NO_FIT = "no logistic fit: the probabilities part the classes, or are all alike"

_SURE = 1e-6
"""Probabilities nearer to 0 and 1 than they are rounded have no logit."""

_MOST_STEPS = 25
_SMALL_STEP = 1e-4  # Newton's error after it is of the order of its square
_LARGEST_SLOPE = 1e3


def calibration_report(
    probabilities: Floats, shipped_for: float, resamples: TwoWayResamples
) -> CalibrationReport:
    """Both reports of probabilities (N,) that hold where a share `shipped_for` of the pairs matches."""
    own = resamples.data.prevalence
    shifted: Floats = (
        shift_prevalence(probabilities, of=shipped_for, to=own) if 0 < own < 1 else probabilities
    )
    fits = logistic_fits(probabilities, resamples)
    # The shift adds a constant to every logit, which the fit answers with its intercept alone.
    moved = float(logit(own) - logit(shipped_for)) if 0 < own < 1 else 0.0
    after = {way: np.stack([of[:, 0], of[:, 1] - of[:, 0] * moved], axis=1) for way, of in fits.items()}
    return CalibrationReport(
        as_shipped=_report(probabilities, shipped_for, fits, resamples),
        at_prevalence=_report(shifted, own, after, resamples),
    )


def _report(
    probabilities: Floats, prevalence: float, fits: Samples, resamples: TwoWayResamples
) -> ProbabilityReport:
    data = resamples.data
    samples = probability_samples(probabilities, resamples)
    samples |= {name: {way: of[:, column] for way, of in fits.items()} for column, name in enumerate(_FITTED)}
    return ProbabilityReport(
        prevalence=round(prevalence, 6),
        figures={
            name: resamples.figure(of, len(data), _NO_FIT if name in _FITTED else _ONE_CLASS)
            for name, of in samples.items()
        },
        reliability=reliability(probabilities, data.labels),
    )


def probability_samples(probabilities: Floats, resamples: TwoWayResamples) -> dict[str, Samples]:
    """Brier score, its skill and the calibration error in every resample."""
    labels = resamples.data.labels
    size, matches = resamples.totals(np.ones(len(labels))), resamples.totals(labels)
    losses = resamples.totals((probabilities - labels) ** 2)
    brier = {way: ratio(losses[way], size[way]) for way in DRAWN}
    share = {way: ratio(matches[way], size[way]) for way in DRAWN}
    return {
        "brier": brier,
        "brier_skill": {way: 1 - ratio(brier[way], share[way] * (1 - share[way])) for way in DRAWN},
        "ece": _calibration_error(probabilities, equal_width_bins(probabilities), resamples, size),
        "ece_by_mass": _calibration_error(probabilities, equal_mass_bins(probabilities), resamples, size),
    }


def _calibration_error(
    probabilities: Floats, bins: NDArray[np.int64], resamples: TwoWayResamples, size: Samples
) -> Samples:
    """Sum over bins of |matches less what was said of them|, over all pairs."""
    misses = resamples.data.labels - probabilities
    gaps = [resamples.totals(np.where(bins == number, misses, 0.0)) for number in np.unique(bins)]
    return {way: ratio(np.sum([np.abs(gap[way]) for gap in gaps], axis=0), size[way]) for way in DRAWN}


def logistic_fits(probabilities: Floats, resamples: TwoWayResamples) -> dict[Drawn, Floats]:
    """Slope and intercept of the label on the logit in every resample, (1 + rounds, 2); NaN without a fit."""
    logits: Floats = logit(np.clip(probabilities, _SURE, 1 - _SURE))
    labels, rows = resamples.data.labels, np.arange(len(probabilities))
    start = logistic_fit(logits, labels, np.ones((1, len(labels))))[0]
    if not np.isfinite(start).all():
        return {way: np.full((1 + resamples.rounds, 2), np.nan) for way in DRAWN}
    return {
        way: np.concatenate(
            [logistic_fit(logits, labels, weights, start) for weights in resamples.pair_weights(way, rows)]
        )
        for way in DRAWN
    }


def logistic_fit(x: Floats, labels: Labels, weights: Floats, start: Floats | None = None) -> Floats:
    """Slope and intercept of a logistic regression of labels (N,) on x (N,), for each row of weights (B, N).

    Newton's method without regularisation, from `start` (2,); (B, 2), NaN where there is no finite fit.
    """
    x = np.asarray(x, np.float64)
    fits = np.tile(np.array([1.0, 0.0]) if start is None else start, (len(weights), 1))
    wrong: NDArray[np.bool_] = np.zeros(len(weights), np.bool_)
    weighted_labels = weights * labels
    for _ in range(_MOST_STEPS):
        expected = expit(fits[:, :1] * x + fits[:, 1:])  # (B, N)
        misses = weighted_labels - weights * expected
        spread = weights * expected * (1 - expected)
        along, alone = misses @ x, misses.sum(axis=1)
        xx, x1, one = spread @ (x * x), spread @ x, spread.sum(axis=1)
        determinant = xx * one - x1 * x1
        wrong |= ~(determinant > 1e-12 * np.maximum(xx * one, 1e-300))
        steps = np.stack([one * along - x1 * alone, xx * alone - x1 * along], axis=1)
        steps = np.where(wrong[:, None], 0.0, ratio(steps, determinant[:, None] * np.ones(2)))
        # A full step may overshoot far from the solution, where the curve is flat.
        steps /= np.maximum(1.0, np.abs(steps).max(axis=1, keepdims=True) / 5.0)
        fits = fits + steps
        wrong |= np.abs(fits).max(axis=1) > _LARGEST_SLOPE
        if np.abs(steps).max(initial=0.0) < _SMALL_STEP:
            break
    else:
        wrong |= np.abs(steps).max(axis=1) >= 1e-3
    fits[wrong] = np.nan
    return fits
