"""Original and counterfactual texts scored for the same jobs: how far scores and decisions move.

A small mean shift can be a compressed scale: only beside the spread of the scores and the decisions that
flip does it say anything. So all of them are always reported together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from service.core.engines.loading import LoadedModel
from service.core.matching import Matcher
from training.evaluation.resampling import estimate
from training.evaluation.schema import ShiftReport
from training.evaluation.scored_pairs import Floats, ScoredPairsError
from training.evaluation.scoring import score_pairs

TOP_SHARE = 0.1
"""The best tenth, as the published evaluations of counterfactual resume pairs take it."""

_BINS = 41
_TOO_FEW = "fewer than 10 pairs: a tenth of them is nobody"


class CounterfactualExample(Protocol):
    """One resume before and after a change, and the job both are scored for."""

    @property
    def job_id(self) -> str: ...
    @property
    def title(self) -> str | None: ...
    @property
    def description(self) -> str: ...
    @property
    def original(self) -> str: ...
    @property
    def counterfactual(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Half:
    job_id: str
    title: str | None
    description: str
    resume_id: str
    resume: str


def shift_report(
    original: Floats,
    counterfactual: Floats,
    jobs: Sequence[str],
    *,
    rounds: int,
    rng: np.random.Generator,
    threshold: float | None = None,
    decided_on: tuple[Floats, Floats] | None = None,
) -> ShiftReport:
    """Compare N scores with those after the change; intervals by bootstrap over jobs.

    Figures, all of |counterfactual - original| unless said otherwise:
        mean_shift, p95_shift, max_shift: in units of the scores given; ideal 0.
        mean_signed_shift: mean of counterfactual - original.
        shift_over_sd: mean_shift / population standard deviation of the original scores.
        flip_rate_top_tenth: share of pairs on different sides of the 0.9 quantile of all original scores.
        flip_rate_top_tenth_per_job: share that enter or leave the first tenth of their job's list (at
            least one place); both lists are ranked again, equal scores in the order of the data.
        flip_rate: share whose decision at `threshold` changes; only with `threshold`, which applies
            to `decided_on` (calibrated probabilities before and after).

    Raises `ScoredPairsError` if the lengths differ or no pair is given.
    """
    n = len(original)
    if n == 0 or len(counterfactual) != n or len(jobs) != n:
        raise ScoredPairsError(
            f"{n:,} original scores, {len(counterfactual):,} counterfactual ones, {len(jobs):,} jobs: "
            "one of each a pair is needed, and one pair at least"
        )
    _, job_index = np.unique(np.asarray(jobs, dtype=np.str_), return_inverse=True)
    members = [np.flatnonzero(job_index == job) for job in range(job_index.max() + 1)]
    gaps = np.abs(counterfactual - original)
    left = np.zeros(n)
    for rows in members:
        left[rows] = _top(original[rows]) != _top(counterfactual[rows])
    draws = [np.arange(n)]
    if len(members) > 1:
        draws += [
            np.concatenate([members[j] for j in rng.integers(0, len(members), len(members))])
            for _ in range(rounds)
        ]
    statistics: dict[str, Callable[[np.ndarray[tuple[int], np.dtype[np.int64]]], float]] = {
        "mean_shift": lambda rows: float(gaps[rows].mean()),
        "p95_shift": lambda rows: float(np.quantile(gaps[rows], 0.95)),
        "max_shift": lambda rows: float(gaps[rows].max()),
        "mean_signed_shift": lambda rows: float((counterfactual - original)[rows].mean()),
        "shift_over_sd": lambda rows: _over(float(gaps[rows].mean()), float(original[rows].std())),
        "flip_rate_top_tenth": lambda rows: _top_tenth_flips(original[rows], counterfactual[rows]),
        "flip_rate_top_tenth_per_job": lambda rows: float(left[rows].mean()) if n >= 10 else np.nan,
    }
    if threshold is not None and decided_on is not None:
        flipped = (decided_on[0] >= threshold) != (decided_on[1] >= threshold)
        statistics["flip_rate"] = lambda rows: float(flipped[rows].mean())
    limit = float(np.abs(counterfactual - original).max()) or 1e-6
    edges = np.linspace(-limit, limit, _BINS + 1)
    return ShiftReport(
        pairs=n,
        jobs=len(members),
        figures={
            name: estimate(
                np.array([statistic(rows) for rows in draws]),
                n,
                "all original scores are equal" if name == "shift_over_sd" else _TOO_FEW,
            )
            for name, statistic in statistics.items()
        },
        shift_histogram=np.histogram(counterfactual - original, edges)[0].tolist(),
        shift_edges=[round(float(edge), 8) for edge in edges],
    )


def evaluate_counterfactual_pairs(
    matcher: Matcher,
    loaded: LoadedModel,
    examples: Sequence[CounterfactualExample],
    *,
    rounds: int,
    rng: np.random.Generator,
    redact: bool = True,
) -> ShiftReport:
    """Score given pairs by a bundle; shifts are of raw_score, flips of the decision at its threshold."""
    halves = [
        _Half(e.job_id, e.title, e.description, "", text)
        for e in examples
        for text in (e.original, e.counterfactual)
    ]
    scores = score_pairs(matcher, loaded, halves, redact=redact)
    bundle = matcher.bundle
    probabilities = np.array(
        [
            bundle.calibration.probability(float(score), titled=half.title is not None)
            for score, half in zip(scores, halves, strict=True)
        ]
    )
    return shift_report(
        scores[0::2],
        scores[1::2],
        [e.job_id for e in examples],
        rounds=rounds,
        rng=rng,
        threshold=bundle.decision.threshold,
        decided_on=(probabilities[0::2], probabilities[1::2]),
    )


def _top(scores: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    places = max(1, round(TOP_SHARE * len(scores)))
    top = np.zeros(len(scores), dtype=np.bool_)
    top[np.argsort(-scores, kind="stable")[:places]] = True
    return top


def _top_tenth_flips(original: Floats, counterfactual: Floats) -> float:
    if len(original) < 10:
        return float("nan")
    cut = np.quantile(original, 1 - TOP_SHARE)
    return float(((original >= cut) != (counterfactual >= cut)).mean())


def _over(shift: float, sd: float) -> float:
    return shift / sd if sd > 0 else float("nan")
