"""Bootstrap over jobs: the pairs of one job stand or fall together, so whole jobs are drawn.

Statistics are computed for all resamples at once. Row 0 of every array of samples is the data as it is, so
that a figure and its interval come from the same arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.evaluation.schema import Estimate
from training.evaluation.scored_pairs import Floats, ScoredPairs

CONFIDENCE = 0.95
DECIMALS = 6


class Resamples(Protocol):
    """Resamples of pairs, whatever is drawn."""

    def totals(self, values: NDArray[np.generic]) -> Floats:
        """Sums of `values` (N, ...) over the pairs of each resample, (1 + rounds, ...); row 0 is the data."""


class JobResamples:
    """`weights` (1 + rounds, J): how often each job is in each resample; row 0 holds ones."""

    def __init__(self, pairs: ScoredPairs, rounds: int, rng: np.random.Generator) -> None:
        jobs = pairs.jobs_count
        rounds = rounds if jobs > 1 else 0  # one job alone says nothing about how jobs differ
        drawn = [np.bincount(rng.integers(0, jobs, jobs), minlength=jobs) for _ in range(rounds)]
        self.weights: Floats = np.vstack([np.ones(jobs), *drawn]).astype(np.float64)
        self._pairs = pairs

    @property
    def jobs(self) -> int:
        return int(self.weights.shape[1])

    def totals(self, values: NDArray[np.generic]) -> Floats:
        """Sums of `values` (N, ...) over the pairs of each resample, (1 + rounds, ...)."""
        flat = np.asarray(values, dtype=np.float64).reshape(len(self._pairs), -1)
        # Summed by job once: all resamples together are then a single matrix product.
        by_job = np.zeros((self.jobs, flat.shape[1]))
        np.add.at(by_job, self._pairs.job_index, flat)
        return (self.weights @ by_job).reshape(-1, *np.shape(values)[1:])

    def job_means(self, values: Floats) -> Floats:
        """Means over jobs of `values` (J, ...), NaN where a job has none, (1 + rounds, ...)."""
        known = np.isfinite(values)
        flat, there = np.where(known, values, 0.0).reshape(self.jobs, -1), known.reshape(self.jobs, -1)
        return ratio(self.weights @ flat, self.weights @ there).reshape(-1, *values.shape[1:])

    def each(self, statistic: Callable[[Floats], float]) -> Floats:
        """`statistic` of the pairs' weights (N,), for every resample, (1 + rounds,)."""
        return np.array([statistic(weights[self._pairs.job_index]) for weights in self.weights])


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotients; NaN where the denominator is 0."""
    quotients: Floats = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=quotients, where=np.asarray(denominator) != 0)
    return quotients


def estimate(samples: Floats, n: float, reason: str) -> Estimate:
    """The value samples[0] with the central 95 % of the others; `reason` is used if it is NaN."""
    value = float(samples[0])
    if not np.isfinite(value):
        return Estimate(value=None, n=int(n), reason=reason)
    drawn = samples[1:][np.isfinite(samples[1:])]
    if len(drawn) == 0 or 2 * len(drawn) < len(samples) - 1:
        return Estimate(value=round(value, DECIMALS), n=int(n))
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(
        value=round(value, DECIMALS),
        low=round(float(low), DECIMALS),
        high=round(float(high), DECIMALS),
        n=int(n),
    )
