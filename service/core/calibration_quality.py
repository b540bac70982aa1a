"""How good probabilities are: proper scores and calibration errors of labelled pairs.

All take `probabilities` in [0, 1] and `labels` of 0 and 1, (N,), and optionally `weights` >= 0, (N,), as of a
bootstrap resample. NaN where nothing can be computed: no pairs, or one class only.

None of them shifts anything: give probabilities for the pool that the labels are of
(`service.core.calibration.shift_prevalence`), or the figures say how wrong the assumed prevalence is.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Bins = Literal["width", "mass"]

ECE_BINS = 10
"""Bins of equal width."""
MASS_BINS = 15
"""Bins of equally many pairs."""


def prevalence_of(labels: Labels, weights: Floats | None = None) -> float:
    """Share of matches, in [0, 1]."""
    return _mean(labels.astype(np.float64), weights)


def brier_score(probabilities: Floats, labels: Labels, weights: Floats | None = None) -> float:
    """Mean of (p - y)^2, in [0, 1], ideal 0 (Brier 1950)."""
    return _mean((probabilities - labels) ** 2, weights)


def brier_skill_score(probabilities: Floats, labels: Labels, weights: Floats | None = None) -> float:
    """1 - Brier / (pi (1 - pi)), at most 1, which is ideal; 0 is as good as always saying the prevalence pi.

    pi is the share of matches among the labels themselves.
    """
    prevalence = prevalence_of(labels, weights)
    reference = prevalence * (1 - prevalence)
    # A NaN of no pairs is no larger than 0, either.
    return 1 - brier_score(probabilities, labels, weights) / reference if reference > 0 else math.nan


def expected_calibration_error(
    probabilities: Floats,
    labels: Labels,
    weights: Floats | None = None,
    *,
    bins: Bins = "width",
    count: int | None = None,
) -> float:
    """Sum over bins of n_b / n * |match rate - mean probability|, in [0, 1], ideal 0 (Naeini et al. 2015).

    `bins`: of equal width (by default `ECE_BINS`), or of equally many pairs (`MASS_BINS`), which tell more
    where most probabilities are small.
    """
    if bins == "width":
        of_pair = equal_width_bins(probabilities, count or ECE_BINS)
    else:
        of_pair = equal_mass_bins(probabilities, count or MASS_BINS)
    weights = np.ones(len(labels)) if weights is None else weights
    total = float(weights.sum())
    if total <= 0:
        return math.nan
    gaps = np.bincount(of_pair, weights=weights * (labels - probabilities))
    return float(np.abs(gaps).sum()) / total


def equal_width_bins(probabilities: Floats, count: int = ECE_BINS) -> NDArray[np.int64]:
    """The bin of each probability, (N,): [b / count, (b + 1) / count); the last one holds 1, too."""
    return np.minimum((probabilities * count).astype(np.int64), count - 1)


def equal_mass_bins(probabilities: Floats, count: int = MASS_BINS) -> NDArray[np.int64]:
    """The bin of each probability, (N,), of `count` with as many pairs each; equal ones share a bin."""
    n = len(probabilities)
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    ordered = np.sort(probabilities)
    first = np.searchsorted(ordered, probabilities, side="left")
    return np.asarray(first * count // n, dtype=np.int64)


def _mean(values: Floats, weights: Floats | None) -> float:
    if weights is None:
        return float(values.mean()) if len(values) else math.nan
    total = float(weights.sum())
    return float((values * weights).sum()) / total if total > 0 else math.nan
