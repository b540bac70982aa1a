"""Exposure: shares of the first places by group, beside their share of the candidates.

The candidates of known group of each job divide the places among them: `top_k`, one each for the first k
places; `discounted`, 1 / log2(1 + place) for all (Singh & Joachims 2018). Equal scores share their places
equally. The share of a group is its mean over jobs, and `ratio` is that over its mean share of the
candidates: 1 is what a draw by lot would give. Groups may differ in how well they match, so a ratio is an
observation, not a judgement.
"""

from __future__ import annotations

import numpy as np

from training.evaluation.resampling import JobResamples, estimate, ratio
from training.evaluation.schema import Estimate
from training.evaluation.scored_pairs import Floats, ScoredPairs

DEPTHS = (1, 5, 10)


def place_weights(scores: Floats, weights: Floats) -> Floats:
    """Weight of each candidate's place, (C,): `weights` by place from the first on, ties averaged."""
    order = np.argsort(-scores, kind="stable")
    _, tie, counts = np.unique(-scores[order], return_inverse=True, return_counts=True)
    sums = np.bincount(tie, weights=weights)
    given = np.empty(len(scores))
    given[order] = (sums / counts)[tie]
    return given


def exposure_figures(
    pairs: ScoredPairs, attribute: str, resamples: JobResamples
) -> dict[str, dict[str, Estimate]]:
    """For each group: share and ratio of every kind of exposure. `n` counts jobs."""
    names = pairs.group_names(attribute)
    members = np.stack([pairs.members(attribute, name) for name in names], axis=1).astype(float)  # (N, G)
    found: dict[str, dict[str, Estimate]] = {name: {} for name in names}
    for kind, depth in [("discounted", None), *((f"top_{k}", k) for k in DEPTHS)]:
        shares = np.full((pairs.jobs_count, len(names)), np.nan)
        pool = np.full_like(shares, np.nan)
        for job, rows in enumerate(pairs.job_rows):
            known = members[rows].sum(axis=0)
            if np.count_nonzero(known) < 2 or (depth is not None and len(rows) <= depth):
                continue
            places = np.arange(1, len(rows) + 1)
            weights = 1 / np.log2(1 + places) if depth is None else (places <= depth).astype(float)
            given = place_weights(pairs.raw_scores[rows], weights) @ members[rows]  # (G,)
            if given.sum() > 0:
                shares[job], pool[job] = given / given.sum(), known / known.sum()
        jobs = int(np.isfinite(shares[:, 0]).sum())
        reason = "no job whose candidates are of two known groups" + (
            "" if depth is None else f" and more than {depth}"
        )
        share, of_pool = resamples.job_means(shares), resamples.job_means(pool)
        for i, name in enumerate(names):
            if depth is None:
                found[name]["pool_share"] = estimate(of_pool[:, i], jobs, reason)
            found[name][f"{kind}_share"] = estimate(share[:, i], jobs, reason)
            found[name][f"{kind}_ratio"] = estimate(ratio(share[:, i], of_pool[:, i]), jobs, reason)
    return found
