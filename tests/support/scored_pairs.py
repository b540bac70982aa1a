"""Scored pairs for tests, with known differences between groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.evaluation.schema import Subject
from training.evaluation.scored_pairs import ScoredPairs

SUBJECT = Subject(
    bundle="test",
    version="1.0.0",
    digest="0" * 64,
    engine="torch",
    precision="f32",
    redact=True,
    threshold=0.5,
    constraint="none",
)


def pairs_of(
    scores: Any, labels: Any, jobs: Sequence[str] | None = None, groups: Any = None, true_labels: Any = None
) -> ScoredPairs:
    n = len(labels)
    return ScoredPairs(
        np.asarray(scores, dtype=float),
        np.asarray(labels, dtype=np.int64),
        jobs or ["j"] * n,
        [f"r{i}" for i in range(n)],
        np.ones(n, np.bool_),
        groups or {},
        None if true_labels is None else np.asarray(true_labels, dtype=np.int64),
    )


def random_pairs(n: int = 600, jobs: int = 30, shift: float = 0.1, seed: int = 0) -> ScoredPairs:
    """Scores double as probabilities. Women score `shift` lower at the same label."""
    rng = np.random.default_rng(seed)
    labels = (rng.uniform(size=n) < 0.35).astype(np.int64)
    sex = rng.choice(["female", "male"], n)
    race = rng.choice(["asian", "white", "hispanic_or_latino"], n)
    scores = np.clip(rng.normal(0.35 + 0.3 * labels, 0.15) - shift * (sex == "female"), 0.01, 0.99).round(6)
    unknown = rng.uniform(size=n) < 0.1
    groups = {
        "sex": [None if u else str(s) for s, u in zip(sex, unknown, strict=True)],
        "race_ethnicity": [str(r) for r in race],
    }
    return pairs_of(scores, labels, [f"job{i % jobs}" for i in range(n)], groups)
