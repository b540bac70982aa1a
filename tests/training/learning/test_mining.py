from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.support.training_world import World, examples_of
from training.learning.batches import Collator, SamplingConfig, TrainingItems
from training.learning.losses import UNKNOWN
from training.learning.mining import NegativeMiner


@pytest.fixture(scope="module")
def mined(world: World) -> dict[int, list[int]]:
    miner = NegativeMiner(world.pairs, world.policy, most=1_000, each=5, seed=1)
    encoder = world.encoder().train()
    found = {job: list(of) for job, of in miner.mine(encoder, torch.device("cpu"), 0).items()}
    assert encoder.training
    assert all(p.grad is None for p in encoder.parameters())
    return found


def test_mined_are_resumes_without_a_label_that_nothing_speaks_for(
    world: World, mined: dict[int, list[int]]
) -> None:
    assert set(mined) == set(world.pairs.by_job)
    assert any(mined.values())
    for job, resumes in mined.items():
        assert len(resumes) == len(set(resumes)) <= 5
        assert all(world.pairs.is_negative(job, resume) for resume in resumes)


def test_they_are_the_same_again_and_of_a_sample(world: World, mined: dict[int, list[int]]) -> None:
    encoder = world.encoder().eval()
    again = NegativeMiner(world.pairs, world.policy, most=1_000, each=5, seed=1)
    assert again.mine(encoder, torch.device("cpu"), 0) == mined
    few = NegativeMiner(world.pairs, world.policy, most=6, each=5, seed=1)
    seen = {resume for of in few.mine(encoder, torch.device("cpu"), 0).values() for resume in of}
    assert len(seen) <= 6
    other = {resume for of in few.mine(encoder, torch.device("cpu"), 7).values() for resume in of}
    assert other != seen


def test_the_hardest_come_first(world: World, mined: dict[int, list[int]]) -> None:
    miner = NegativeMiner(world.pairs, world.policy, most=1_000, each=10_000, seed=1)
    for job, ranked in miner.mine(world.encoder().eval(), torch.device("cpu"), 0).items():
        assert ranked[:5] == mined[job]


def test_items_draw_mined_negatives_and_label_them(world: World, mined: dict[int, list[int]]) -> None:
    config = SamplingConfig(pairs="one_a_job", mined_negatives=2, in_batch_negatives=False)
    items = TrainingItems(world.pairs, world.tokenizer, config, seed=1)
    plain = items[0]
    items.set_mined(mined)
    item = items[0]
    assert [r.number for r in item.resumes[: len(plain.resumes)]] == [r.number for r in plain.resumes]
    assert len(item.mined) == min(2, len(mined[item.job]))
    assert item.mined <= set(mined[item.job])
    labels = Collator(world.pairs, world.pairs.groups(), config)([item, items[3]])["labels"][0]
    of_mined = labels[len(plain.resumes) : len(item.resumes)]
    assert of_mined.tolist() == [0] * len(item.mined)
    assert UNKNOWN in labels.tolist()  # in_batch_negatives is off for all others


def test_postings_of_one_family_share_their_matches(world: World, tmp_path: Path) -> None:
    examples = examples_of(2, prefix="f")
    engineers = [e for e in examples if e.job_id.startswith("f-engineer")]
    first, second = sorted({e.job_id for e in engineers})
    texts = {e.job_id: e.description for e in engineers}
    resume_of = {e.job_id: e for e in engineers if e.label == 1}
    for change, expected in (
        ({}, 0),
        ({"job_family": "engineering"}, UNKNOWN),
        ({"description": texts[first], "title": None}, UNKNOWN),
    ):
        # Keys of their own, so that nothing but the family joins them.
        changed = [
            replace(e, occupation=None, job_occupation=None, **(change if e in engineers else {}))
            for e in examples
        ]
        pairs = world.tokenizer.tokenize(changed)
        job = next(i for i, one in enumerate(pairs.jobs) if one.id == second)
        resume = next(i for i, one in enumerate(pairs.resumes) if one.id == resume_of[first].resume_id)
        assert pairs.label(job, resume) == expected, change
        assert pairs.is_negative(job, resume) == (expected == 0)
