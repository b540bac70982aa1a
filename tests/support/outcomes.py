"""Scored decisions with outcomes that follow a known curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import expit, logit

from service.core.recalibration import ScoredDecisions

GROUPS: Sequence[Mapping[str, str]] = ({"sex": "female"}, {"sex": "male"}, {})


def judged(
    n: int = 1_200,
    *,
    slope: float = 2.0,
    intercept: float = 1.0,
    postings: int = 40,
    followed: Sequence[float] = (1.0, 1.0),
    threshold: float = 0.6,
    seed: int = 0,
) -> ScoredDecisions:
    """Of a bundle whose log odds should be `slope` times what they are, plus `intercept`.

    `followed`: shares of those at the threshold and above, and of the others, whose outcome is known.
    """
    rng = np.random.default_rng(seed)
    probabilities = expit(rng.normal(-1.5, 1.2, n)).round(6)
    matches = rng.uniform(size=n) < expit(slope * logit(probabilities) + intercept)
    share = np.where(probabilities >= threshold, followed[0], followed[1])
    labels = np.where(rng.uniform(size=n) < share, matches.astype(np.int64), -1)
    return ScoredDecisions(
        probabilities, labels, np.arange(n) % postings, np.arange(n) // 3, rng.integers(0, 3, n), GROUPS
    )


def rows_of(decisions: ScoredDecisions) -> list[dict[str, Any]]:
    """A row of a table for each, as `evenmatch log export` writes them, with the outcome."""
    return [
        {
            "candidate_id": f"c-{candidate}",
            "job_id": f"req-{posting}",
            "calibrated_probability": probability,
            "outcome": {1: "hired", 0: "no", -1: ""}[label],
            "sex": decisions.groups[cell].get("sex", ""),
        }
        for candidate, posting, probability, label, cell in zip(
            decisions.candidates.tolist(),
            decisions.postings.tolist(),
            decisions.probabilities.tolist(),
            decisions.labels.tolist(),
            decisions.cells.tolist(),
            strict=True,
        )
    ]
