"""How well scores find the matches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from training.evaluation.calibration_error import ece_samples
from training.evaluation.ranking import job_rankings
from training.evaluation.resampling import JobResamples, figure, ratio
from training.evaluation.schema import Figure
from training.evaluation.scored_pairs import Floats, Labels, ScoredPairs
from training.postprocessing.calibration import proper_losses

_BOTH = "one class only: matches and others are needed"


def decision_samples(
    pairs: ScoredPairs, labels: Labels, probabilities: Floats, resamples: JobResamples, threshold: float
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
    pairs: ScoredPairs, labels: Labels, probabilities: Floats, resamples: JobResamples, threshold: float
) -> dict[str, Figure]:
    """`decision_samples` as figures. `n` counts pairs."""
    reasons = {
        "precision": "nobody was selected",
        "recall": "no matches",
        "f1": "no matches and nobody selected",
    }
    samples = decision_samples(pairs, labels, probabilities, resamples, threshold)
    return {name: figure(of, len(pairs), reasons.get(name, _BOTH)) for name, of in samples.items()}


def ranking_figures(pairs: ScoredPairs, labels: Labels, resamples: JobResamples) -> dict[str, Figure]:
    """Means over jobs of each job's own ranking. `n` counts the jobs that can show the figure."""
    found = {}
    for name, values in job_rankings(pairs, labels).items():
        found[name] = figure(
            resamples.job_means(values), np.isfinite(values).sum(), "no job with a match and enough others"
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
