"""Labelled sets small enough to check by hand, and random ones for oracles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.evaluation.external.labelled_set import GivenDocument, LabelledSet
from training.evaluation.external.resampling import TwoWayResamples


def set_of(postings: Sequence[int], resumes: Sequence[int], labels: Sequence[int]) -> LabelledSet:
    """Pairs by number of posting and resume."""
    return LabelledSet(
        resumes=[GivenDocument(f"r{i}", f"resume {i}", f"r line {i}") for i in range(max(resumes) + 1)],
        postings=[GivenDocument(f"p{i}", f"posting {i}", f"p line {i}") for i in range(max(postings) + 1)],
        pair_postings=np.array(postings, dtype=np.int64),
        pair_resumes=np.array(resumes, dtype=np.int64),
        labels=np.array(labels, dtype=np.int64),
        every_pair=False,
    )


def one_posting(labels: Sequence[int]) -> LabelledSet:
    return set_of([0] * len(labels), list(range(len(labels))), labels)


def random_set(
    postings: int = 7, resumes: int = 25, share: float = 0.8, seed: int = 0
) -> tuple[LabelledSet, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Most pairs of all, with scores that tie now and then and know something of the labels."""
    rng = np.random.default_rng(seed)
    rows = [(p, r) for p in range(postings) for r in range(resumes) if rng.uniform() < share]
    labels = (rng.uniform(size=len(rows)) < 0.3).astype(np.int64)
    scores = np.round(rng.normal(size=len(rows)) + labels, 1)
    return set_of([p for p, _ in rows], [r for _, r in rows], labels.tolist()), scores


def resampled(data: LabelledSet, rounds: int = 8, seed: int = 1) -> TwoWayResamples:
    return TwoWayResamples(data, rounds, np.random.default_rng(seed))
