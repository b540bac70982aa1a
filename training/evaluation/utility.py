"""How well scores find the matches: decisions, each job's ranking, and calibration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from service.core.calibration_quality import ECE_BINS, equal_width_bins
from training.evaluation.resampling import JobResamples, estimate, ratio
from training.evaluation.schema import Estimate, ReliabilityBin
from training.evaluation.scored_pairs import Flags, Floats, Labels, ScoredPairs

ProperScore = Literal["log_loss", "brier"]

Threshold = float | Floats
"""One for all pairs, or one for each, (N,): in cross-fitting, that of the folds which the pair is not in."""

DEPTHS = (1, 3, 5, 10)

_BOTH = "one class only: matches and others are needed"


def decision_samples(
    pairs: ScoredPairs, labels: Labels, probabilities: Floats, resamples: JobResamples, threshold: Threshold
) -> dict[str, Floats]:
    """Pooled ROC-AUC and PR-AUC of raw_score; decisions at the threshold; calibration. (1 + rounds,) each."""
    selected = probabilities >= threshold
    everybody = np.ones(len(pairs), dtype=np.bool_)
    totals = resamples.totals(np.stack([everybody, labels == 1, selected, selected & (labels == 1)], axis=1))
    size, matches, chosen, hits = totals.T
    recall = ratio(hits, matches)
    return {
        "roc_auc": resamples.each(_of_both_classes(labels, roc_auc_score, pairs.raw_scores)),
        "pr_auc": resamples.each(_of_both_classes(labels, average_precision_score, pairs.raw_scores)),
        "accuracy": ratio(size - matches - chosen + 2 * hits, size),
        "balanced_accuracy": (recall + ratio(size - matches - chosen + hits, size - matches)) / 2,
        "f1": ratio(2 * hits, chosen + matches),
        "precision": ratio(hits, chosen),
        "recall": recall,
        "selection_rate": ratio(chosen, size),
        "log_loss": ratio(resamples.totals(proper_losses(probabilities, labels, "log_loss")), size),
        "brier": ratio(resamples.totals(proper_losses(probabilities, labels, "brier")), size),
        "ece": ece_samples(resamples, probabilities, labels, everybody),
    }


def decision_figures(
    pairs: ScoredPairs, labels: Labels, probabilities: Floats, resamples: JobResamples, threshold: Threshold
) -> dict[str, Estimate]:
    """`decision_samples` as figures. `n` counts pairs."""
    reasons = {
        "precision": "nobody was selected",
        "recall": "no matches",
        "f1": "no matches and nobody selected",
    }
    samples = decision_samples(pairs, labels, probabilities, resamples, threshold)
    return {name: estimate(of, len(pairs), reasons.get(name, _BOTH)) for name, of in samples.items()}


def ranking_figures(pairs: ScoredPairs, labels: Labels, resamples: JobResamples) -> dict[str, Estimate]:
    """Means over jobs of each job's own ranking. `n` counts the jobs that can show the figure."""
    found = {}
    for name, values in job_rankings(pairs, labels).items():
        found[name] = estimate(
            resamples.job_means(values), np.isfinite(values).sum(), "no job with a match and enough others"
        )
    return found


def job_rankings(pairs: ScoredPairs, labels: Labels) -> dict[str, Floats]:
    """For each figure one value a job, (J,), NaN where the job cannot show it.

    roc_auc and pr_auc need both classes; hit_at_k (a match among the first k) needs a match and more than k
    candidates; ndcg_at_k (Järvelin & Kekäläinen 2002, gain 1 for a match) and the reciprocal rank of the
    first match need a match and two candidates. Where scores tie, ndcg averages over the orders that are
    possible, and a match comes last among equals in the others.
    """
    names = ["macro_roc_auc", "macro_pr_auc", "mean_reciprocal_rank"]
    names += [f"{name}_at_{k}" for k in DEPTHS for name in ("hit", "ndcg")]
    found = {name: np.full(pairs.jobs_count, np.nan) for name in names}
    for job, rows in enumerate(pairs.job_rows):
        y, scores = labels[rows], pairs.raw_scores[rows]
        matches = int(y.sum())
        if matches == 0 or len(rows) < 2:
            continue
        if matches < len(rows):
            found["macro_roc_auc"][job] = roc_auc_score(y, scores)
            found["macro_pr_auc"][job] = average_precision_score(y, scores)
        first = 1 + int((scores[y == 0] >= scores[y == 1].max()).sum())
        found["mean_reciprocal_rank"][job] = 1 / first
        for k in DEPTHS:
            found[f"ndcg_at_{k}"][job] = ndcg_score(y[None], scores[None], k=k)
            if len(rows) > k:
                found[f"hit_at_{k}"][job] = first <= k
    return found


def proper_losses(probabilities: Floats, labels: Labels, score: ProperScore) -> Floats:
    """Loss of each pair, (N,): log loss in nats (probabilities clipped at 1e-6) or squared error."""
    if score == "brier":
        return np.asarray((probabilities - labels) ** 2, dtype=np.float64)
    clipped = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return np.asarray(-np.where(labels == 1, np.log(clipped), np.log1p(-clipped)), dtype=np.float64)


def ece_samples(resamples: JobResamples, probabilities: Floats, labels: Labels, rows: Flags) -> Floats:
    """Expected calibration error of the pairs in `rows`, in [0, 1], ideal 0, (1 + rounds,).

    Sum over equal-width bins of n_b/n * |match rate - mean probability| (Naeini et al. 2015).
    """
    bins = equal_width_bins(probabilities)
    in_bin = (bins[:, None] == np.arange(ECE_BINS)) & rows[:, None]  # (N, B)
    gaps = np.abs(resamples.totals(in_bin * (labels - probabilities)[:, None]))
    return ratio(gaps.sum(axis=1), resamples.totals(rows))


def reliability(probabilities: Floats, labels: Labels) -> list[ReliabilityBin]:
    """The bins of the calibration error, for plots."""
    bins = equal_width_bins(probabilities)
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


def _of_both_classes(
    labels: Labels, metric: Callable[..., float], raw_scores: Floats
) -> Callable[[Floats], float]:
    def statistic(weights: Floats) -> float:
        there = weights > 0
        if not 0 < labels[there].sum() < there.sum():
            return float("nan")
        return float(metric(labels[there], raw_scores[there], sample_weight=weights[there]))

    return statistic
