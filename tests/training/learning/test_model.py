"""Each loss trains what it should, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import PeftModel
from pydantic import ValidationError

from service.core.encoder import load_encoder
from service.core.engines.torch_engine import TorchEngine
from tests.support.training_world import World
from training.learning.adapter import (
    AdapterConfig,
    AdapterError,
    check_adapter,
    find_targets,
    interpolated,
    save_adapter,
)
from training.learning.batches import Collator, SamplingConfig, TrainingItems
from training.learning.model import (
    NAME_GROUP,
    FairMatcher,
    GroupClassifier,
    LossWeights,
    MatchHead,
    encode_chunks,
    reverse_gradient,
)

ALL = dict.fromkeys(LossWeights.model_fields, 1.0)


def model_and_batch(world: World, weights: LossWeights) -> tuple[FairMatcher, dict[str, object]]:
    config = SamplingConfig(counterfactual_share=1.0, edited_share=1.0, retold_share=1.0)
    items = TrainingItems(world.pairs, world.tokenizer, config, seed=1)
    groups = world.pairs.groups()
    model = FairMatcher(
        world.encoder(),
        world.policy,
        weights,
        groups | {NAME_GROUP: items.name_groups},
        dimensions=world.base.spec.dimensions,
    )
    batch = Collator(world.pairs, groups, config)([items[i] for i in range(0, 12, 2)])
    return model, batch


def test_losses_that_are_gone_may_be_named_with_a_weight_of_0() -> None:
    assert LossWeights.model_validate({"group_order": 0.0, "distillation": 0}) == LossWeights()
    with pytest.raises(ValidationError, match="distillation"):
        LossWeights.model_validate({"distillation": 0.5})


def test_all_losses_together_train_adapter_and_heads_only(world: World) -> None:
    model, batch = model_and_batch(world, LossWeights(**ALL))
    outputs = model(**batch)
    outputs["loss"].backward()
    assert set(LossWeights.model_fields) - {"temperature"} <= set(outputs)
    assert all(torch.isfinite(value) for value in outputs.values())
    trained = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert any("lora_B" in name for name in trained)
    assert any(name.startswith("adversary") for name in trained)
    assert any(name.startswith("attribute_head") for name in trained)
    assert all("lora_" in name for name in trained if name.startswith("encoder"))


@pytest.mark.parametrize("name", sorted(set(LossWeights.model_fields) - {"temperature", "contrastive"}))
def test_every_loss_reaches_the_adapter_on_its_own(world: World, name: str) -> None:
    model, batch = model_and_batch(world, LossWeights(**{"contrastive": 0.0, name: 1.0}))
    model(**batch)["loss"].backward()
    reached = [p.grad for n, p in model.named_parameters() if "lora_B" in n]
    assert any(grad is not None and bool((grad != 0).any()) for grad in reached)


def test_the_adversary_alone_leaves_the_encoder_in_peace(world: World) -> None:
    model, batch = model_and_batch(world, LossWeights(contrastive=0.0, adversary=1.0))
    model.strengths.reversal = 0.0
    model(**batch)["loss"].backward()
    assert all(p.grad is None or not p.grad.any() for n, p in model.named_parameters() if "lora_" in n)
    assert any(p.grad is not None and p.grad.any() for n, p in model.named_parameters() if "adversary" in n)


def test_an_adversary_without_anybodys_group_learns_nothing_and_does_not_fail(world: World) -> None:
    """Data that names no groups, in a batch that brings no variants."""
    config = SamplingConfig(counterfactual_share=0.0)
    items = TrainingItems(world.pairs, world.tokenizer, config, seed=1)
    model = FairMatcher(
        world.encoder(),
        world.policy,
        LossWeights(adversary=1.0, attributes=1.0),
        {NAME_GROUP: items.name_groups},
        dimensions=world.base.spec.dimensions,
    )
    outputs = model(**Collator(world.pairs, {}, config)([items[0], items[1]]))
    assert outputs["adversary"] == outputs["attributes"] == 0
    outputs["loss"].backward()


def test_attributes_may_be_called_what_modules_may_not() -> None:
    head = GroupClassifier(4, {"a.b": ["x", "y"], "type": ["x", "y", "z"]})
    assert {name: len(logits[0]) for name, logits in head(torch.zeros(1, 4)).items()} == {"a.b": 2, "type": 3}


def test_a_module_that_is_not_there_is_named_beside_those_that_are(world: World) -> None:
    there = "its linear layers are called dense, key, query, value"
    for targets, said in (
        (("query", "kay"), "the base model has no kay to adapt"),
        (("kay",), "target_modules kay: there is no such module"),
    ):
        config = AdapterConfig(target_modules=targets)
        with pytest.raises(AdapterError, match=f"{said}; {there}"):
            world.encoder(config)
        with pytest.raises(AdapterError, match=f"{said}; {there}"):
            check_adapter(world.base.folder, config)  # without the weights


def test_warm_up_scales_fairness_losses_but_not_the_match(world: World) -> None:
    model, batch = model_and_batch(world, LossWeights(contrastive=1.0, pairing=1.0))
    model.strengths.fairness = 0.0
    outputs = model(**batch)
    head = outputs["match_head"]
    assert outputs["loss"].item() == pytest.approx((outputs["contrastive"] + head).item(), rel=1e-5)


def test_parity_does_not_train_the_match_head() -> None:
    head = MatchHead()
    scores = torch.tensor([0.2, 0.7], requires_grad=True)
    probabilities = head.probabilities(scores)
    torch.testing.assert_close(probabilities, torch.sigmoid(head(scores)))
    torch.autograd.backward(probabilities.sum())
    assert scores.grad is not None
    assert (scores.grad > 0).all()
    assert head.log_slope.grad is None
    assert head.centre.grad is None


@given(strength=st.floats(0, 3))
def test_reversed_gradients(strength: float) -> None:
    inputs = torch.ones(3, requires_grad=True)
    torch.autograd.backward((reverse_gradient(inputs, strength) * 2.0).sum())
    torch.testing.assert_close(inputs.grad, torch.full((3,), -2.0 * strength))


def test_a_classifier_has_an_output_for_each_attribute() -> None:
    head = GroupClassifier(4, {"sex": ["f", "m"], "race_ethnicity": ["a", "b", "c"]})
    shapes = {name: tuple(logits.shape) for name, logits in head(torch.zeros(5, 4)).items()}
    assert shapes == {"sex": (5, 2), "race_ethnicity": (5, 3)}


def test_chunks_encode_as_the_engine_does(world: World) -> None:
    model, batch = model_and_batch(world, LossWeights())
    model.eval()
    chunks = batch["chunks"]
    assert isinstance(chunks, list)
    texts = {
        int(row): tuple(ids[mask == 1].tolist())
        for chunk in chunks
        for row, ids, mask in zip(chunk["rows"], chunk["input_ids"], chunk["attention_mask"], strict=True)
    }
    with torch.no_grad():
        vectors = encode_chunks(model.encoder, chunks)
    encoder = load_encoder(world.base.folder, world.base.pooling)
    engine = TorchEngine(
        encoder, device="cpu", precision="f32", positions=64, dimensions=32, reference_texts=[texts[0]]
    )
    # A fresh LoRA changes nothing yet.
    expected = torch.tensor(engine.embed([texts[row] for row in range(len(texts))]))
    torch.testing.assert_close(vectors, expected, atol=1e-5, rtol=1e-4)


def test_targets_are_found_and_frozen_layers_left_alone(world: World) -> None:
    encoder = world.encoder(AdapterConfig(r=2, frozen_layers=1))
    adapted = {name for name, _ in encoder.named_parameters() if "lora_" in name}
    assert adapted
    assert all(".layer.1." in name for name in adapted)
    plain = load_encoder(world.base.folder, world.base.pooling)
    assert find_targets(plain.backbone) == ("query", "key", "value", "dense")


def test_an_adapter_that_does_not_fit_is_refused(world: World) -> None:
    with pytest.raises(AdapterError, match="frozen_layers is 2; the base model has 2 layers"):
        world.encoder(AdapterConfig(frozen_layers=2))
    with pytest.raises(AdapterError, match="target_modules no_such"):
        world.encoder(AdapterConfig(target_modules=("no_such",)))


def test_a_saved_adapter_loads_into_the_service(world: World, tmp_path: Path) -> None:
    encoder = world.encoder()
    for name, parameter in encoder.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    assert isinstance(encoder.backbone, PeftModel)
    save_adapter(encoder.backbone, tmp_path / "adapter")
    config = (tmp_path / "adapter" / "adapter_config.json").read_text("utf-8")
    assert json.loads(config)["base_model_name_or_path"] is None
    assert json.loads(config)["target_modules"] == ["dense", "key", "query", "value"]
    assert str(world.base.folder) not in config
    assert {file.name for file in (tmp_path / "adapter").iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    served = load_encoder(world.base.folder, world.base.pooling, tmp_path / "adapter")
    ids, mask = torch.tensor([[2, 7, 8, 9, 3]]), torch.ones(1, 5, dtype=torch.long)
    encoder.eval()
    with torch.no_grad():
        torch.testing.assert_close(served(ids, mask), encoder(ids, mask), atol=1e-5, rtol=1e-4)


def test_a_share_of_the_update_lies_between_base_and_trained(world: World) -> None:
    encoder = world.encoder()
    torch.manual_seed(1)
    lora_b = [p for name, p in encoder.backbone.named_parameters() if "lora_B" in name]
    with torch.no_grad():
        for parameter in lora_b:
            parameter.normal_(std=0.1)
    before = [parameter.clone() for parameter in lora_b]
    with interpolated(encoder.backbone, 0.3):
        for parameter, trained in zip(lora_b, before, strict=True):
            torch.testing.assert_close(parameter, 0.3 * trained)
    assert all(torch.equal(p, trained) for p, trained in zip(lora_b, before, strict=True))
