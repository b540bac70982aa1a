"""Two-way bootstrap: resumes, postings, or both are drawn, and a pair counts as often as its two sides do.

Scores of one resume's pairs stand or fall together, and so do those of one posting. Drawing resumes and
postings independently and weighing each pair by the product of how often they were drawn is the pigeonhole
bootstrap (Owen 2007, "The pigeonhole bootstrap"), whose intervals are a little too wide rather than too
narrow. Every system is measured on the same draws, so that differences are paired.

Row 0 of all samples is the data as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.evaluation.external.labelled_set import LabelledSet
from training.evaluation.external.schema import Figure, Interval
from training.evaluation.resampling import CONFIDENCE, DECIMALS
from training.evaluation.scored_pairs import Floats

Drawn = Literal["resume", "posting", "both"]
DRAWN: tuple[Drawn, ...] = get_args(Drawn)
Samples = Mapping[Drawn, Floats]
"""Of each way to draw (1 + rounds, ...) values, row 0 being the same in all."""

_BLOCK = 2**22
"""Pair weights that are held at once, 32 MiB."""


class TwoWayResamples:
    """`resumes` (1 + rounds, R) and `postings` (1 + rounds, P): how often each is drawn; row 0 holds ones."""

    def __init__(self, data: LabelledSet, rounds: int, rng: np.random.Generator) -> None:
        self.data = data
        self.rounds = rounds
        self.resumes = _drawn(len(data.resumes), rounds, rng)
        self.postings = _drawn(len(data.postings), rounds, rng)
        enough: dict[Drawn, bool] = {
            "resume": len(data.resumes) > 1,
            "posting": len(data.postings) > 1,
            "both": min(len(data.resumes), len(data.postings)) > 1,
        }
        self.ways = [way for way in DRAWN if enough[way]]

    def weights_of(self, way: Drawn) -> tuple[Floats, Floats]:
        """Weights of resumes and postings when only `way` is drawn; (1, ...) where nothing is."""
        return (
            self.resumes[:1] if way == "posting" else self.resumes,
            self.postings[:1] if way == "resume" else self.postings,
        )

    def pair_weights(self, way: Drawn, rows: NDArray[np.int64]) -> Iterator[Floats]:
        """Weights of the pairs at `rows` (n,) in all resamples, in blocks of (b, n)."""
        of_resumes, of_postings = self.weights_of(way)
        resumes, postings = self.data.pair_resumes[rows], self.data.pair_postings[rows]
        at_once = max(1, _BLOCK // max(1, len(rows)))
        for start in range(0, 1 + self.rounds, at_once):
            block = slice(start, start + at_once)
            if way == "resume":
                yield of_resumes[block][:, resumes]
            elif way == "posting":
                yield of_postings[block][:, postings]
            else:
                yield of_resumes[block][:, resumes] * of_postings[block][:, postings]

    def by_posting(self, values: NDArray[np.generic]) -> Floats:
        """Sums of `values` (N,) over each posting's pairs, by the drawn resumes: (1 + rounds, P)."""
        shape = (len(self.data.resumes), len(self.data.postings))
        table = csr_matrix(
            (np.asarray(values, np.float64), (self.data.pair_resumes, self.data.pair_postings)), shape=shape
        )
        summed: Floats = np.asarray((table.T @ self.resumes.T).T)
        return summed

    def totals(self, values: NDArray[np.generic]) -> dict[Drawn, Floats]:
        """Sums of `values` (N,) over all pairs, (1 + rounds,) for each way."""
        summed = self.by_posting(values)
        return {
            "resume": summed.sum(axis=1),
            "posting": self.postings @ summed[0],
            "both": (self.postings * summed).sum(axis=1),
        }

    def posting_means(self, values: Floats) -> dict[Drawn, Floats]:
        """Means over postings of `values` (1 + rounds, P), a row for each draw of resumes; without NaN."""
        known = np.isfinite(values)
        filled = np.where(known, values, 0.0)
        ones = np.ones_like(self.postings)
        return {
            "resume": _ratio((ones * filled).sum(axis=1), known.sum(axis=1)),
            "posting": _ratio(self.postings @ filled[0], self.postings @ known[0].astype(np.float64)),
            "both": _ratio((self.postings * filled).sum(axis=1), (self.postings * known).sum(axis=1)),
        }

    def figure(self, samples: Samples, n: float, reason: str) -> Figure:
        """The value with its intervals; `reason` is used if it is not computable."""
        value = float(samples["both"][0])
        if not np.isfinite(value):
            return Figure(value=None, n=int(n), reason=reason)
        found = {way: _interval(samples[way][1:], self.rounds) for way in self.ways}
        return Figure(
            value=round(value, DECIMALS),
            n=int(n),
            by_resume=found.get("resume"),
            by_posting=found.get("posting"),
            by_both=found.get("both"),
        )


class BothWays:
    """The resamples of resumes and postings together, as `GroupRates` takes them."""

    def __init__(self, resamples: TwoWayResamples) -> None:
        self._resamples = resamples

    def totals(self, values: NDArray[np.generic]) -> Floats:
        """Sums of `values` (N, ...) over the pairs of each resample, (1 + rounds, ...)."""
        flat = np.asarray(values, np.float64).reshape(len(values), -1)
        columns = [self._resamples.totals(column)["both"] for column in flat.T]
        return np.stack(columns, axis=1).reshape(-1, *np.shape(values)[1:])


def _drawn(count: int, rounds: int, rng: np.random.Generator) -> Floats:
    found = np.ones((1 + rounds, count))
    for row in found[1:]:
        row[:] = np.bincount(rng.integers(0, count, count), minlength=count)
    return found


def _interval(drawn: Floats, rounds: int) -> Interval | None:
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) == 0 or 2 * len(drawn) < rounds:
        return None
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(low=round(float(low), DECIMALS), high=round(float(high), DECIMALS))


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    quotients: Floats = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=quotients, where=np.asarray(denominator) != 0)
    return quotients
