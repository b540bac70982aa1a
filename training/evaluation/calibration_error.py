"""How far calibrated probabilities are from observed match rates."""

from __future__ import annotations

import numpy as np

from training.evaluation.resampling import JobResamples, ratio
from training.evaluation.schema import ReliabilityBin
from training.evaluation.scored_pairs import Flags, Floats, Labels

ECE_BINS = 10


def ece_samples(resamples: JobResamples, probabilities: Floats, labels: Labels, rows: Flags) -> Floats:
    """Expected calibration error of the pairs in `rows`, in [0, 1], ideal 0, (1 + rounds,).

    Sum over equal-width bins of n_b/n * |match rate - mean probability| (Naeini et al. 2015).
    """
    bins = np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)
    in_bin = (bins[:, None] == np.arange(ECE_BINS)) & rows[:, None]  # (N, B)
    gaps = np.abs(resamples.totals(in_bin * (labels - probabilities)[:, None]))
    return ratio(gaps.sum(axis=1), resamples.totals(rows))


def reliability(probabilities: Floats, labels: Labels) -> list[ReliabilityBin]:
    """The bins of the calibration error, for plots."""
    bins = np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)
    found = []
    for b in range(ECE_BINS):
        rows = bins == b
        found.append(
            ReliabilityBin(
                low=b / ECE_BINS,
                high=(b + 1) / ECE_BINS,
                n=int(rows.sum()),
                mean_probability=round(float(probabilities[rows].mean()), 6) if rows.any() else None,
                match_rate=round(float(labels[rows].mean()), 6) if rows.any() else None,
            )
        )
    return found
