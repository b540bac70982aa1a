from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.learning.draws import EveryPair, OneMatchAJob
from training.learning.losses import UNKNOWN
from training.learning.tokenized import TokenizedPairs

# 238 pairs of 4 jobs: as uneven as those of a company.
SIZES = ((3, 120), (1, 0), (10, 2), (2, 100))


def pairs_of(sizes: tuple[tuple[int, int], ...]) -> TokenizedPairs:
    pairs = TokenizedPairs([], [], {})
    resume = 0
    for job, (matches, others) in enumerate(sizes):
        for label in [1] * matches + [0] * others + [UNKNOWN]:
            pairs.labels[job, resume] = label
            pairs.by_job.setdefault(job, []).append(resume)
            resume += 1
    return pairs


def drawn(draw: EveryPair | OneMatchAJob, seed: int = 0) -> list[tuple[int, list[int]]]:
    return [draw.item(i, random.Random(f"{seed}:{i}")) for i in range(len(draw))]


def counted(items: list[tuple[int, list[int]]]) -> Counter[tuple[int, int]]:
    return Counter((job, resume) for job, resumes in items for resume in resumes)


@pytest.mark.parametrize("negatives", [1, 3, 200])
def test_an_epoch_passes_over_every_labelled_pair_once(negatives: int) -> None:
    pairs = pairs_of(SIZES)
    draw = EveryPair(pairs, negatives, batch=1, seed=1)
    assert (draw.drawn, draw.labelled) == (238, 238)
    known = {pair for pair, label in pairs.labels.items() if label != UNKNOWN}
    for epoch in range(2):
        draw.set_epoch(epoch)
        assert counted(drawn(draw)) == dict.fromkeys(known, 1)


def test_a_match_comes_first_and_negatives_are_few() -> None:
    pairs = pairs_of(SIZES)
    for job, resumes in drawn(EveryPair(pairs, 3, batch=1, seed=1)):
        labels = [pairs.labels[job, resume] for resume in resumes]
        assert labels[0] == max(labels)
        assert labels.count(1) <= 1
        assert labels.count(0) <= 3


def test_the_last_batch_is_whole_and_what_fills_it_is_of_the_split() -> None:
    pairs = pairs_of(SIZES)
    alone, whole = EveryPair(pairs, 3, batch=1, seed=1), EveryPair(pairs, 3, batch=12, seed=1)
    assert len(whole) % 12 == 0
    assert 0 <= len(whole) - len(alone) < 12
    extra = counted(drawn(whole)) - counted(drawn(alone))
    assert set(extra) <= set(counted(drawn(alone)))
    assert max(counted(drawn(whole)).values()) <= 2


def test_epochs_pair_otherwise_and_the_same_again() -> None:
    pairs = pairs_of(SIZES)
    draw = EveryPair(pairs, 3, batch=1, seed=1)
    epochs = []
    for epoch in (0, 1, 2, 1):
        draw.set_epoch(epoch)
        epochs.append(drawn(draw))
    assert epochs[1] == epochs[3]
    assert all(one != other for one, other in pairwise(epochs))
    assert drawn(EveryPair(pairs, 3, batch=1, seed=1)) == epochs[0]


def test_one_match_a_job_says_how_little_that_is() -> None:
    draw = OneMatchAJob(pairs_of(SIZES), 1)
    assert (len(draw), draw.drawn, draw.labelled) == (4, 7, 238)


def test_without_negatives_every_match_is_drawn() -> None:
    pairs = pairs_of(SIZES)
    draw = EveryPair(pairs, 0, batch=1, seed=1)
    assert draw.drawn == len(draw) == 16
    assert {pairs.labels[job, resume] for job, (resume,) in drawn(draw)} == {1}


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=6),
    st.integers(0, 5),
    st.integers(1, 8),
)
def test_no_item_is_empty_and_none_is_of_another_job(
    sizes: list[tuple[int, int]], negatives: int, batch: int
) -> None:
    pairs = pairs_of(tuple(sizes))
    draw = EveryPair(pairs, negatives, batch=batch, seed=1)
    for job, resumes in drawn(draw):
        assert resumes
        assert set(resumes) <= set(pairs.by_job[job])
