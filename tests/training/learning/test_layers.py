"""Learning rates by layer, and gradients that are the same when activations are computed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import TrainerCallback

from service.core.encoder import Encoder
from tests.support.training_world import World
from tests.training.learning.test_trainer import CONFIG, trainer_of
from training.learning.adapter import AdapterConfig, AdapterError
from training.learning.batches import Collator, SamplingConfig, TrainingItems
from training.learning.layers import parameter_groups, rate_share, recompute_activations
from training.learning.model import FairMatcher, LossWeights
from training.learning.trainer import WEIGHTS

_ONE_EPOCH = CONFIG.model_copy(update={"epochs": 1})


def matcher_of(world: World, adapter: AdapterConfig | None = None) -> FairMatcher:
    torch.manual_seed(0)
    weights = LossWeights(pairing=0.01, adversary=0.1, classification=0.1)
    return FairMatcher(
        world.encoder(adapter),
        world.policy,
        weights,
        {"sex": ["female", "male"]},
        dimensions=world.base.spec.dimensions,
    )


def batch_of(world: World, *, items: int = 4) -> dict[str, Any]:
    sampling = SamplingConfig(counterfactual_share=0.0, edited_share=0.0, retold_share=0.0)
    drawn = TrainingItems(world.pairs, world.tokenizer, sampling, seed=5)
    return Collator(world.pairs, {"sex": ["female", "male"]}, sampling)([drawn[i] for i in range(items)])


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("encoder.backbone.base_model.model.encoder.layer.3.output.dense.lora_A.default.weight", 1.0),
        ("encoder.backbone.base_model.model.encoder.layer.2.attention.self.query.lora_B.default.weight", 0.5),
        ("encoder.backbone.base_model.model.layers.0.attn.Wqkv.lora_A.default.weight", 0.125),
        ("encoder.backbone.base_model.model.embeddings.word_embeddings.weight", 0.0625),
        ("encoder.backbone.base_model.model.final_norm.weight", 1.0),
        ("match_head.log_slope", 1.0),
        ("adversary.outputs.0.weight", 1.0),
    ],
)
def test_each_layer_learns_slower_than_the_one_above_it(name: str, share: float) -> None:
    assert rate_share(name, 4, 0.5) == share


def test_groups_have_the_rates_and_decays_that_one_counts_by_hand(world: World) -> None:
    model = matcher_of(world)
    decayed = {name for name, _ in model.named_parameters() if not name.endswith("bias")}
    groups = parameter_groups(
        model, layers=2, decay=0.4, learning_rate=1e-3, weight_decay=0.01, decayed=decayed
    )
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert [(group["lr"], group["weight_decay"]) for group in groups] == [
        (1e-3, 0.01),
        (1e-3, 0.0),
        (pytest.approx(4e-4), 0.01),
    ]
    found = [{names[id(parameter)] for parameter in group["params"]} for group in groups]
    assert all(".layer.0." in name for name in found[2])
    assert all(".layer.0." not in name for name in found[0] | found[1])
    assert {"match_head.centre", "adversary.shared.0.weight"} <= found[0]
    assert {"adversary.shared.0.bias", "adversary.outputs.0.bias"} <= found[1]
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert sum(len(group["params"]) for group in groups) == len(trained)


class _Rates(TrainerCallback):
    """The rates that the optimizer steps with."""

    def __init__(self) -> None:
        self.seen: list[list[float]] = []

    def on_pre_optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        self.seen.append([group["lr"] for group in kwargs["optimizer"].param_groups])


def test_the_schedule_moves_all_rates_together_and_a_resumed_run_has_them(
    world: World, tmp_path: Path
) -> None:
    """Six steps of two epochs, and the last three again from the checkpoint after the first epoch."""
    config = CONFIG.model_copy(update={"epochs": 2, "layer_decay": 0.25, "gradient_checkpointing": True})
    trainer = trainer_of(world, tmp_path, config)
    trainer.add_callback(rates := _Rates())
    trainer.train_from(None)
    assert len(rates.seen) == 6
    assert max(seen[0] for seen in rates.seen) == pytest.approx(config.learning_rate)
    for full, *others in rates.seen:
        assert others[-1] == pytest.approx(full / 4)
    whole = load_file(tmp_path / "checkpoint-6" / WEIGHTS)

    resumed = trainer_of(world, tmp_path, config)
    resumed.add_callback(again := _Rates())
    resumed.train_from(tmp_path / "checkpoint-3")
    assert again.seen == rates.seen[3:]
    for name, weight in load_file(tmp_path / "checkpoint-6" / WEIGHTS).items():
        torch.testing.assert_close(weight, whole[name], atol=0, rtol=0)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_gradients_are_the_same_when_activations_are_computed_again(world: World, dropout: float) -> None:
    """The embeddings are frozen, and dropout must draw the same masks a second time."""
    batch = batch_of(world)

    def gradients(model: FairMatcher) -> tuple[float, dict[str, Tensor]]:
        torch.manual_seed(1)
        loss = model.train()(**batch)["loss"]
        loss.backward()
        named = model.named_parameters()
        return float(loss.detach()), {name: p.grad for name, p in named if p.grad is not None}

    adapter = AdapterConfig(r=4, dropout=dropout, backbone_dropout=dropout)
    loss, expected = gradients(matcher_of(world, adapter))
    again = matcher_of(world, adapter)
    recompute_activations(again.encoder)
    calls = _forward_calls(again.encoder)
    other, actual = gradients(again)
    assert other == loss
    assert any("lora_B" in name and bool(gradient.any()) for name, gradient in actual.items())
    torch.testing.assert_close(actual, expected, atol=1e-7, rtol=1e-5)
    layers = [count for name, count in calls.items() if ".layer." in name]
    assert layers == [2 * len(batch["chunks"])] * 2  # once on the way there, once on the way back


def test_less_is_kept_for_the_backward_pass(world: World) -> None:
    batch = batch_of(world)
    plain, checkpointed = matcher_of(world), matcher_of(world)
    recompute_activations(checkpointed.encoder)
    assert _kept(checkpointed.train(), batch) < _kept(plain.train(), batch) / 2


def test_a_model_that_cannot_do_it_is_named(world: World) -> None:
    with pytest.raises(AdapterError, match=r"trainer\.gradient_checkpointing: Linear cannot"):
        recompute_activations(Encoder(nn.Linear(2, 2), "mean"))


def _forward_calls(encoder: Encoder) -> dict[str, int]:
    calls: dict[str, int] = {}

    def count(name: str) -> Any:
        def hook(*args: Any) -> None:
            calls[name] = calls.get(name, 0) + 1

        return hook

    for name, module in _layers(encoder):
        # The attention inside: a layer's own hooks do not see the second pass.
        module.attention.register_forward_hook(count(name))
    return calls


def _layers(encoder: Encoder) -> Iterator[tuple[str, Any]]:
    for name, module in encoder.named_modules():
        if name.rpartition(".")[2].isdecimal() and ".layer." in name:
            yield name, module


def _kept(model: FairMatcher, batch: dict[str, Any]) -> int:
    """Bytes of the tensors that the forward pass keeps, each storage once."""
    kept: dict[int, int] = {}
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}

    def pack(tensor: Tensor) -> Tensor:
        place = tensor.untyped_storage().data_ptr()
        if place not in own:
            kept[place] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        outputs = model(**batch)
    assert outputs["loss"].requires_grad
    return sum(kept.values())
