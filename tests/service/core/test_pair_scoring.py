"""Scores in stacks are those of single pairs, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from service.core import pair_scoring
from service.core.pair_scoring import all_raw_scores
from service.core.scoring import MatchPolicy, late_interaction

Chance = np.random.Generator


def vectors(chance: Chance, count: int) -> NDArray[np.float32]:
    found = chance.standard_normal((count, 384)).astype(np.float32)
    unit: NDArray[np.float32] = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


@pytest.mark.parametrize("block", [pair_scoring._BLOCK, 500, 40])
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_stacks_score_as_pairs(monkeypatch: pytest.MonkeyPatch, block: int, share: float) -> None:
    monkeypatch.setattr(pair_scoring, "_BLOCK", block)
    chance = np.random.default_rng(3)
    policy = MatchPolicy(resume_share=share)
    jobs = [(vectors(chance, 1 + i % 4), vectors(chance, 1)[0] if i % 3 else None) for i in range(12)]
    resumes = [vectors(chance, 1 + i % 9) for i in range(30)]
    expected = [[late_interaction(job, one, title, policy) for one in resumes] for job, title in jobs]
    assert all_raw_scores(jobs, resumes, policy).tolist() == expected
