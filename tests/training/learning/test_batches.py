from __future__ import annotations

import random
from dataclasses import replace

import torch

from service.core.counterfactual.lexicons import load_groups
from tests.support.training_world import World, examples_of
from training.learning.batches import Collator, SamplingConfig, TrainingItem, TrainingItems
from training.learning.losses import UNKNOWN
from training.learning.tokenized import VERSIONS


def items_of(world: World, config: SamplingConfig, seed: int = 1) -> TrainingItems:
    return TrainingItems(world.pairs, world.tokenizer, config, seed=seed)


def collated(
    world: World, config: SamplingConfig, count: int = 6
) -> tuple[list[TrainingItem], dict[str, object]]:
    items = items_of(world, config)
    chosen = [items[i] for i in range(count)]
    return chosen, Collator(world.pairs, world.pairs.groups(), config)(chosen)


def test_an_item_is_drawn_from_seed_epoch_and_number_alone(world: World) -> None:
    config = SamplingConfig(counterfactual_share=1.0, bare_share=0.5)
    one, other = items_of(world, config), items_of(world, config)
    assert one[3] == other[3]
    other.set_epoch(1)
    assert one[3] != other[3]
    one.set_epoch(1)
    assert one[3] == other[3]
    assert items_of(world, config, seed=2)[3] != items_of(world, config)[3]


def test_a_match_comes_first_and_negatives_follow(world: World) -> None:
    for item in [items_of(world, SamplingConfig(pairs="one_a_job", negatives=2))[i] for i in range(12)]:
        labels = [world.pairs.labels[item.job, resume.number] for resume in item.resumes]
        assert labels == [1, 0, 0]


def test_labels_of_a_batch(world: World) -> None:
    items, batch = collated(world, SamplingConfig())
    labels = batch["labels"]
    assert isinstance(labels, torch.Tensor)
    resumes = [resume for item in items for resume in item.resumes]
    for j, item in enumerate(items):
        for r, resume in enumerate(resumes):
            known = world.pairs.labels.get((item.job, resume.number))
            same = world.pairs.resumes[resume.number].key == world.pairs.jobs[item.job].key
            assert labels[j, r] == (known if known is not None else UNKNOWN if same else 0)


def test_without_in_batch_negatives_only_labelled_pairs_count(world: World) -> None:
    items, batch = collated(world, SamplingConfig(in_batch_negatives=False))
    labels = batch["labels"]
    assert isinstance(labels, torch.Tensor)
    resumes = [resume for item in items for resume in item.resumes]
    for j, item in enumerate(items):
        for r, resume in enumerate(resumes):
            if (item.job, resume.number) not in world.pairs.labels:
                assert labels[j, r] == UNKNOWN


def test_potential_fits_can_go_without_a_label(world: World) -> None:
    examples = examples_of(1, prefix="p")
    example = next(e for e in examples if e.label == 0)
    potential = replace(example, grade=1)
    (job, resume), *_ = world.tokenizer.tokenize([potential], potential_unknown=True).labels
    assert (job, resume) == (0, 0)
    assert world.tokenizer.tokenize([potential], potential_unknown=True).labels[0, 0] == UNKNOWN
    assert world.tokenizer.tokenize([potential]).labels[0, 0] == 0


def test_a_job_of_nothing_but_potential_fits_brings_no_item(world: World) -> None:
    examples = examples_of(2, prefix="p")
    job = examples[0].job_id
    unsure = [replace(e, grade=1, label=0) if e.job_id == job else e for e in examples]
    pairs = world.tokenizer.tokenize(unsure, potential_unknown=True)
    items = TrainingItems(pairs, world.tokenizer, SamplingConfig(pairs="one_a_job"), seed=1)
    assert len(items) == len(pairs.jobs) - 1 == 5
    drawn = [items[i] for i in range(len(items))]
    assert all(item.tokens.id != job and item.resumes for item in drawn)


def test_without_negatives_a_job_without_a_match_brings_no_item(world: World) -> None:
    examples = [replace(e, label=0) if e.job_id == "p-nurse-0" else e for e in examples_of(1, prefix="p")]
    pairs = world.tokenizer.tokenize(examples)
    items = TrainingItems(pairs, world.tokenizer, SamplingConfig(pairs="one_a_job", negatives=0), seed=1)
    assert [items[i].tokens.id for i in range(len(items))] == ["p-engineer-0", "p-accountant-0"]


def test_two_resumes_of_one_person_are_two(world: World) -> None:
    """`resume_id` says who wrote it; each pair is trained with its own text and label."""
    one, two, *_ = examples_of(1, prefix="p")
    older = replace(one, resume="worked in a warehouse as a senior", label=0, grade=0)
    pairs = world.tokenizer.tokenize([one, older, two])
    assert [r.id for r in pairs.resumes] == [one.resume_id, one.resume_id, two.resume_id]
    assert [pairs.labels[0, i] for i in range(3)] == [1, 0, 1]
    assert pairs.resumes[0].redacted != pairs.resumes[1].redacted


def test_one_job_in_two_texts_is_two(world: World) -> None:
    one, *_ = examples_of(1, prefix="p")
    again = replace(one, description="a backend engineer in java")
    pairs = world.tokenizer.tokenize([one, again])
    assert len(pairs.jobs) == 2
    assert pairs.jobs[0].passages != pairs.jobs[1].passages


def test_equal_passages_share_a_row_and_every_row_is_in_one_chunk(world: World) -> None:
    _, batch = collated(world, SamplingConfig(counterfactual_share=1.0))
    chunks = batch["chunks"]
    assert isinstance(chunks, list)
    rows = torch.cat([chunk["rows"] for chunk in chunks]).tolist()
    assert sorted(rows) == list(range(len(rows)))
    texts = [
        tuple(ids[mask == 1].tolist())
        for chunk in chunks
        for ids, mask in zip(chunk["input_ids"], chunk["attention_mask"], strict=True)
    ]
    assert len(set(texts)) == len(texts)
    assert all(chunk["input_ids"].shape[1] % 16 == 0 for chunk in chunks)


def test_variants_differ_from_each_other_and_name_every_group(world: World) -> None:
    items = items_of(world, SamplingConfig(counterfactual_share=1.0, spliced_share=0.0))
    groups = [group for group, _ in items[0].variants]
    assert groups == items.name_groups
    assert len(groups) == 8
    assert len({passages for _, passages in items[0].variants}) > 1
    assert not items_of(world, SamplingConfig(counterfactual_share=0.0))[0].variants


def test_a_spliced_name_changes_one_passage_of_the_redacted_text_and_the_same_for_all(world: World) -> None:
    resume = world.pairs.resumes[0]
    variants = world.tokenizer.variants(resume, load_groups("train"), random.Random(3), spliced=True)
    changed = [
        [i for i, (a, b) in enumerate(zip(resume.redacted, passages, strict=True)) if a != b]
        for _, passages in variants
    ]
    assert len(changed[0]) == 1
    assert all(places == changed[0] for places in changed)
    assert len({passages for _, passages in variants}) > 1


def test_versions_of_a_resume_hold_all_of_it_and_more(world: World) -> None:
    resume = world.pairs.resumes[0]
    first, *others = world.tokenizer.versions(resume, random.Random(3))
    assert first == resume.redacted
    assert len(others) == VERSIONS - 1
    assert all(version[: len(first)] == first and len(version) > len(first) for version in others)
    assert others[0] != others[1]


def test_an_item_brings_its_match_as_it_stands_and_retold(world: World) -> None:
    items = items_of(world, SamplingConfig(retold_share=1.0))
    for item in (items[i] for i in range(len(items))):
        stands, paraphrase = item.paraphrases
        assert stands == item.resumes[0].tokens.redacted
        assert paraphrase == item.resumes[0].tokens.paraphrase
        assert paraphrase != stands
    assert not items_of(world, SamplingConfig(retold_share=0.0))[0].paraphrases


def test_data_that_tells_nothing_twice_is_drawn_as_it_ever_was(world: World) -> None:
    once = world.tokenizer.tokenize([replace(e, paraphrase=None) for e in examples_of(4, prefix="train")])
    assert not any(resume.paraphrase for resume in once.resumes)
    with_all = TrainingItems(world.pairs, world.tokenizer, SamplingConfig(), seed=1)
    without = TrainingItems(once, world.tokenizer, SamplingConfig(), seed=1)
    for i in range(len(without)):
        assert without[i].variants == with_all[i].variants
        assert without[i].versions == with_all[i].versions
        assert not without[i].paraphrases
