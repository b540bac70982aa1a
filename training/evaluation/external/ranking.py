"""How scores rank the matches, in all resamples at once.

Resamples are weights of pairs. Scores are sorted once, pairs of equal score made one step, and every figure
is sums along the steps: `pos` and `all`, (B, G), the weight of matches and of all pairs at each step, the
highest score first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.external.resampling import DRAWN, Drawn, Samples, TwoWayResamples
from training.evaluation.external.schema import Figure
from training.evaluation.resampling import ratio
from training.evaluation.scored_pairs import Floats, Labels

RECALL_DEPTH = 10
PRECISION_DEPTH = 5
NDCG_DEPTH = 10

FIGURES = {
    "roc_auc": "ROC-AUC, pooled",
    "average_precision": "average precision, pooled",
    "macro_roc_auc": "ROC-AUC, mean over postings",
    "macro_average_precision": "average precision, mean over postings",
    f"recall_at_{RECALL_DEPTH}": f"recall@{RECALL_DEPTH}",
    f"precision_at_{PRECISION_DEPTH}": f"precision@{PRECISION_DEPTH}",
    f"ndcg_at_{NDCG_DEPTH}": f"nDCG@{NDCG_DEPTH}",
    "recall_at_precision": "recall at the precision asked for",
}
"""Names of the figures, as reports show them."""

POOLED = ("roc_auc", "average_precision", "recall_at_precision")
_ONE_CLASS = "one class only: matches and others are needed"
_NO_POSTING = "no posting has a match and enough others"


@dataclass(frozen=True, slots=True)
class Steps:
    """Pairs in the order of their scores, best first. `starts`: where each step of equal scores begins."""

    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, scores: Floats) -> Steps:
        """Steps of the scores (n,), n >= 1."""
        order = np.argsort(-scores, kind="stable")
        falls = np.diff(scores[order]) != 0
        return cls(order, np.concatenate(([0], np.flatnonzero(falls) + 1)).astype(np.int64))

    def sums(self, weights: Floats, labels: Labels) -> tuple[Floats, Floats]:
        """`pos` and `all` of weights (B, n) whose columns are in the order of the scores already."""
        matches = weights * labels[self.order]
        if len(self.starts) == len(self.order):
            return matches, weights
        return np.add.reduceat(matches, self.starts, axis=1), np.add.reduceat(weights, self.starts, axis=1)


def roc_auc(pos: Floats, all_: Floats) -> Floats:
    """The share of (match, other) pairs in which the match scores higher, ties half; NaN for one class."""
    others = all_ - pos
    below = others.sum(axis=1, keepdims=True) - others.cumsum(axis=1)
    return ratio((pos * (below + others / 2)).sum(axis=1), pos.sum(axis=1) * others.sum(axis=1))


def average_precision(pos: Floats, all_: Floats) -> Floats:
    """Sum over steps of (recall gained) x (precision there); NaN for one class."""
    precision = ratio(pos.cumsum(axis=1), all_.cumsum(axis=1))
    found = ratio((pos * np.nan_to_num(precision)).sum(axis=1), pos.sum(axis=1))
    return np.where(all_.sum(axis=1) > pos.sum(axis=1), found, np.nan)


def recall_at_precision(pos: Floats, all_: Floats, precision: float) -> Floats:
    """The most recall that a threshold has whose precision is `precision` or more; NaN if none has."""
    hits, chosen = pos.cumsum(axis=1), all_.cumsum(axis=1)
    enough = (hits >= precision * chosen) & (hits > 0)
    best = np.where(enough, hits, 0.0).max(axis=1)
    return np.where(best > 0, ratio(best, pos.sum(axis=1)), np.nan)


def recall_at(pos: Floats, all_: Floats, k: int) -> Floats:
    """Share of the matches among the first k, over the orders that ties allow; NaN unless there are more."""
    found = ratio(_hits(pos, all_, k), pos.sum(axis=1))
    return np.where(all_.sum(axis=1) > k, found, np.nan)


def precision_at(pos: Floats, all_: Floats, k: int) -> Floats:
    """Share of matches among the first k; NaN without a match, or unless there are more than k."""
    known = (all_.sum(axis=1) > k) & (pos.sum(axis=1) > 0)
    return np.where(known, _hits(pos, all_, k) / k, np.nan)


def ndcg_at(pos: Floats, all_: Floats, k: int) -> Floats:
    """Järvelin & Kekäläinen 2002 with gain 1 for a match, mean over the orders that ties allow.

    NaN without a match or for a single pair. Weights must be whole numbers.
    """
    discounts = np.concatenate(([0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))))
    after = all_.cumsum(axis=1)
    places = np.minimum(np.stack([after - all_, after]), k).round().astype(np.int64)
    gained = ratio(pos, all_) * (discounts[places[1]] - discounts[places[0]])
    ideal = discounts[np.minimum(pos.sum(axis=1), k).round().astype(np.int64)]
    return np.where(all_.sum(axis=1) > 1, ratio(np.nan_to_num(gained).sum(axis=1), ideal), np.nan)


def _hits(pos: Floats, all_: Floats, k: int) -> Floats:
    before = all_.cumsum(axis=1) - all_
    taken = np.clip(k - before, 0, all_)
    hits: Floats = (np.nan_to_num(ratio(pos, all_)) * taken).sum(axis=1)
    return hits


_OF_POSTINGS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "macro_roc_auc": roc_auc,
    "macro_average_precision": average_precision,
    f"recall_at_{RECALL_DEPTH}": lambda pos, all_: recall_at(pos, all_, RECALL_DEPTH),
    f"precision_at_{PRECISION_DEPTH}": lambda pos, all_: precision_at(pos, all_, PRECISION_DEPTH),
    f"ndcg_at_{NDCG_DEPTH}": lambda pos, all_: ndcg_at(pos, all_, NDCG_DEPTH),
}


@dataclass(frozen=True, slots=True)
class RankingSamples:
    """Figures in every resample, and what each stands on."""

    samples: Mapping[str, Samples]
    counts: Mapping[str, int]

    def figures(self, resamples: TwoWayResamples) -> dict[str, Figure]:
        """The figures with their intervals."""
        return {
            name: resamples.figure(of, self.counts[name], _reason(name)) for name, of in self.samples.items()
        }

    def less(self, other: RankingSamples, resamples: TwoWayResamples) -> dict[str, Figure]:
        """These less those of another system on the same resamples."""
        return {
            name: resamples.figure(
                {way: of[way] - other.samples[name][way] for way in DRAWN}, self.counts[name], _reason(name)
            )
            for name, of in self.samples.items()
        }


def pooled_samples(
    scores: Floats, resamples: TwoWayResamples, rows: NDArray[np.int64], precision: float
) -> dict[str, Samples]:
    """`POOLED` of the pairs at `rows` (n,), whose scores are among (N,)."""
    steps = Steps.of(scores[rows])
    labels = resamples.data.labels[rows]
    found: dict[str, dict[Drawn, Floats]] = {name: {} for name in POOLED}
    for way in DRAWN:
        parts: dict[str, list[Floats]] = {name: [] for name in POOLED}
        for weights in resamples.pair_weights(way, rows[steps.order]):
            pos, all_ = steps.sums(weights, labels)
            parts["roc_auc"].append(roc_auc(pos, all_))
            parts["average_precision"].append(average_precision(pos, all_))
            parts["recall_at_precision"].append(recall_at_precision(pos, all_, precision))
        for name, of in parts.items():
            found[name][way] = np.concatenate(of)
    return dict(found)


def posting_values(scores: Floats, resamples: TwoWayResamples) -> dict[str, Floats]:
    """Each posting's own figures by the drawn resumes, (1 + rounds, P); NaN where it cannot show one."""
    data = resamples.data
    found = {name: np.full((1 + resamples.rounds, len(data.postings)), np.nan) for name in _OF_POSTINGS}
    for posting, rows in enumerate(data.rows_of_postings):
        if not data.labels[rows].any():
            continue
        steps = Steps.of(scores[rows])
        done = 0
        for weights in resamples.pair_weights("resume", rows[steps.order]):
            sums = steps.sums(weights, data.labels[rows])
            for name, figure in _OF_POSTINGS.items():
                found[name][done : done + len(weights), posting] = figure(*sums)
            done += len(weights)
    return found


def ranking_samples(scores: Floats, resamples: TwoWayResamples, precision: float) -> RankingSamples:
    """Every figure of `FIGURES` in every resample, of scores (N,)."""
    samples = pooled_samples(scores, resamples, np.arange(len(scores)), precision)
    counts = dict.fromkeys(samples, len(scores))
    for name, of in posting_values(scores, resamples).items():
        samples[name] = resamples.posting_means(of)
        counts[name] = int(np.isfinite(of[0]).sum())
    return RankingSamples({name: samples[name] for name in FIGURES}, counts)


def _reason(name: str) -> str:
    if name == "recall_at_precision":
        return "no threshold reaches the precision"
    return _ONE_CLASS if name in POOLED else _NO_POSTING
