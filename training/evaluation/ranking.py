"""Figures of each job's own ranking, by raw_score."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from training.evaluation.scored_pairs import Floats, Labels, ScoredPairs

DEPTHS = (1, 3, 5, 10)


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
