"""All fairness options at once: they train, leave their figures, and resume to the bit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import set_seed

from tests.support.training_world import World, examples_of
from training.learning.adapter import AdapterConfig
from training.learning.adversary import CLAMP_FILE, AdversaryClampConfig
from training.learning.batches import Collator, SamplingConfig, TrainingItems
from training.learning.epochs import SelectionConfig
from training.learning.model import NAME_GROUP, FairMatcher, LossWeights
from training.learning.reweighing import ReweighingConfig
from training.learning.trainer import WEIGHTS, FairTrainer, TrainerConfig
from training.learning.validation import Validator

CLAMP = AdversaryClampConfig(adaptive=True, memory=3, lower_below=-0.5, raise_above=-0.4, match_tolerance=9.0)
"""Raises the strength at nearly every step, so that a state that was lost would be seen."""


def trainer_of(world: World, folder: Path) -> FairTrainer:
    set_seed(3)
    config = TrainerConfig(
        epochs=2,
        batch_jobs=4,
        learning_rate=2e-3,
        attention_learning_rate=1e-4,
        precision="f32",
        validation_resumes=0,
        adversary_alone=0.1,
        adversary_clamp=CLAMP,
    )
    sampling = SamplingConfig(
        balance_by="sex",
        reweighing=ReweighingConfig(method="kamiran_calders"),
        edited_share=0.0,
        counterfactual_share=0.3,
    )
    groups = world.pairs.groups()
    items = TrainingItems(world.pairs, world.tokenizer, sampling, seed=3, batch=4)
    model = FairMatcher(
        world.encoder(AdapterConfig(r=2, attention_layers=1)),
        world.policy,
        LossWeights(pairing=0.01, adversary=0.1, equalized_odds=0.1),
        groups | {NAME_GROUP: items.name_groups},
        dimensions=world.base.spec.dimensions,
        clamp=config.adversary_clamp,
    )
    validation = world.tokenizer.tokenize(examples_of(2, prefix="validation", seed=5))
    return FairTrainer(
        model,
        items,
        Collator(world.pairs, groups, sampling, items.weights),
        Validator(validation, world.tokenizer, world.policy, counterfactual_resumes=0, seed=3),
        folder,
        config,
        SelectionConfig(),
        seed=3,
        quiet=True,
    )


def test_batches_reach_the_model_as_they_were_balanced(world: World, tmp_path: Path) -> None:
    """The data loader neither shuffles nor splits them."""
    trainer = trainer_of(world, tmp_path)
    sexes = world.pairs.groups()["sex"]
    batches = list(trainer.get_train_dataloader())
    assert len(batches) == len(trainer.items) // 4
    for batch in batches:
        found = Counter(sexes[number] for number in batch["groups"]["sex"].tolist())
        assert abs(found["female"] - found["male"]) <= 2, found
    assert sum(len(batch["groups"]["sex"]) for batch in batches) >= 48
    assert all(batch["weights"]["match"].shape == batch["labels"].shape for batch in batches)


def test_whole_attention_moves_at_its_own_rate(world: World, tmp_path: Path) -> None:
    trainer = trainer_of(world, tmp_path)
    optimizer = trainer.create_optimizer()
    assert trainer.create_optimizer() is optimizer
    rates = {
        id(p): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for p in group["params"]
    }
    for name, parameter in trainer._matcher.named_parameters():
        if "modules_to_save" in name:
            assert rates[id(parameter)] == (1e-4, 0.0)
        elif parameter.requires_grad:
            assert rates[id(parameter)][0] == 2e-3
    assert all(group["params"] for group in optimizer.param_groups)


@pytest.mark.slow
def test_a_run_with_all_of_them_resumes_to_the_same_result(world: World, tmp_path: Path) -> None:
    whole = trainer_of(world, tmp_path / "whole")
    whole.train_from(None)
    begun = trainer_of(world, tmp_path / "begun")
    begun.train_from(None)
    half, last = sorted(
        (tmp_path / "begun").glob("checkpoint-*"), key=lambda of: int(of.name.rpartition("-")[2])
    )
    before = {file: (last / file).read_bytes() for file in (WEIGHTS, CLAMP_FILE)}
    assert before == {file: (tmp_path / "whole" / last.name / file).read_bytes() for file in before}

    resumed = trainer_of(world, tmp_path / "begun")
    resumed.train_from(half)
    assert resumed.history.rows == whole.history.rows
    expected, actual = load_file(tmp_path / "whole" / last.name / WEIGHTS), load_file(last / WEIGHTS)
    assert actual.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(actual[name], tensor, atol=0, rtol=0)
    assert (last / CLAMP_FILE).read_bytes() == before[CLAMP_FILE]

    # What the checkpoint holds beside the adapter: attention, whole, which moved; and the clamp.
    attention = {name: tensor for name, tensor in expected.items() if "modules_to_save" in name}
    assert len(attention) == 8
    first = load_file(half / WEIGHTS)
    assert all(not torch.equal(tensor, first[name]) for name, tensor in attention.items() if "weight" in name)
    rows = whole.history.rows
    strengths = [row["adversary_strength"] for row in rows]
    assert 1 < strengths[0] < strengths[1] <= CLAMP.most
    assert all(-1 <= row["adversary_advantage"] <= 1 for row in rows)
    assert "adversary_strength" in (tmp_path / "whole" / "epoch_metrics.csv").read_text("utf-8")
    kept = load_file(tmp_path / "whole" / "kept" / "best" / "adapter_model.safetensors")
    assert sum("attention" in name and "lora_" not in name for name in kept) == 8
