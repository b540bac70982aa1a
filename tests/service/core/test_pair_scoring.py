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
@pytest.mark.parametrize(
    "policy", [MatchPolicy(), MatchPolicy(resume_share=0.5), MatchPolicy(resume_share=0.5, title_focus=4.0)]
)
@pytest.mark.parametrize("with_shares", [False, True])
def test_stacks_score_as_pairs(
    monkeypatch: pytest.MonkeyPatch, block: int, policy: MatchPolicy, with_shares: bool
) -> None:
    monkeypatch.setattr(pair_scoring, "_BLOCK", block)
    chance = np.random.default_rng(3)
    jobs = [(vectors(chance, 1 + i % 4), vectors(chance, 1)[0] if i % 3 else None) for i in range(12)]
    # Of some postings nothing tells what is about the work, in others all is, or nothing.
    shares = [
        None if i % 4 == 0 else np.full(len(job), float(i % 2)) if i % 5 == 0 else chance.random(len(job))
        for i, (job, _) in enumerate(jobs)
    ]
    given = shares if with_shares else None
    resumes = [vectors(chance, 1 + i % 9) for i in range(30)]
    expected = [
        [late_interaction(job, one, title, policy, given[i] if given else None) for one in resumes]
        for i, (job, title) in enumerate(jobs)
    ]
    assert all_raw_scores(jobs, resumes, policy, given).tolist() == expected


@pytest.mark.parametrize("jobs", [1, 2, 7])
@pytest.mark.parametrize("resumes", [1, 3, 10])
@pytest.mark.parametrize("cosines", [1, 3, 5, 20, 30])
def test_blocks_hold_every_pair_once_and_no_more_than_they_may(
    monkeypatch: pytest.MonkeyPatch, jobs: int, resumes: int, cosines: int
) -> None:
    monkeypatch.setattr(pair_scoring, "_BLOCK", 30)
    seen = np.zeros((jobs, resumes), np.int64)
    blocks = list(pair_scoring._blocks(jobs, resumes, cosines))
    for block in blocks:
        assert block is not None
        seen[block] += 1
        assert seen[block].size * cosines <= 30
    assert (seen == 1).all()
    # As large as they may be: of the resumes first.
    at_once = min(resumes, 30 // cosines)
    assert blocks[0] == (slice(0, max(1, min(jobs, 30 // (cosines * at_once)))), slice(0, at_once))
    assert list(pair_scoring._blocks(jobs, resumes, 31)) == [None]
