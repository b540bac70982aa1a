"""Attention of the base model's last layers: trained whole, saved with the adapter, loaded by everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from service.core.bundle import write_bundle
from service.core.encoder import Encoder, load_encoder
from service.core.engines.loading import EngineOptions, load_model
from service.core.errors import BundleParityError
from tests.support.bundles import write_test_bundle
from tests.support.training_world import World
from training.bundles.export import export_adapter, rebuild_bundle
from training.learning.adapter import (
    AdapterConfig,
    AdapterError,
    at_own_rate,
    check_adapter,
    interpolated,
    save_adapter,
    whole_parameters,
)

CONFIG = AdapterConfig(r=2, attention_layers=1)
TEXTS = [(2, 7, 8, 9, 3), (2, 11, 3)]


def moved(world: World, config: AdapterConfig = CONFIG) -> Encoder:
    """An encoder all of whose trainable parameters were moved."""
    encoder = world.encoder(config)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in encoder.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return encoder.eval()


def vectors(encoder: Encoder) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([encoder(torch.tensor([ids]), torch.ones(1, len(ids))) for ids in TEXTS])


def saved(encoder: Encoder, folder: Path) -> Path:
    assert isinstance(encoder.backbone, PeftModel)
    save_adapter(encoder.backbone, folder)
    return folder


def test_the_last_layers_attention_trains_whole_and_the_rest_by_lora(world: World) -> None:
    encoder = world.encoder(CONFIG)
    trained = {name for name, p in encoder.named_parameters() if p.requires_grad}
    whole = {name for name in trained if "lora_" not in name}
    place = "backbone.base_model.model.encoder.layer.1.attention."
    parts = ("self.query", "self.key", "self.value", "output.dense")
    assert whole == {
        f"{place}{part}.modules_to_save.default.{kind}" for part in parts for kind in ("weight", "bias")
    }
    assert not any(name.startswith(place) for name in trained - whole)
    for part in ("encoder.layer.0.attention.self.query", "encoder.layer.1.intermediate.dense"):
        assert any(part in name for name in trained - whole)
    # A fresh encoder gives the base model's vectors.
    torch.testing.assert_close(
        vectors(encoder.eval()), vectors(load_encoder(world.base.folder, world.base.pooling))
    )


def test_the_service_and_plain_peft_give_the_trained_vectors(world: World, tmp_path: Path) -> None:
    encoder = moved(world)
    expected = vectors(encoder)
    folder = saved(encoder, tmp_path / "adapter")
    assert {file.name for file in folder.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    torch.testing.assert_close(
        vectors(load_encoder(world.base.folder, world.base.pooling, folder)), expected, atol=1e-5, rtol=1e-4
    )
    plain = PeftModel.from_pretrained(AutoModel.from_pretrained(world.base.folder), str(folder))
    torch.testing.assert_close(
        vectors(Encoder(plain, world.base.pooling).eval()), expected, atol=1e-5, rtol=1e-4
    )
    without = vectors(load_encoder(world.base.folder, world.base.pooling))
    assert (expected - without).abs().max() > 0.01


@pytest.mark.parametrize("name", ["torch", pytest.param("openvino", marks=pytest.mark.slow)])
def test_a_bundle_with_it_passes_the_services_own_check(world: World, tmp_path: Path, name: str) -> None:
    """Loading holds the engine against the bundle's reference vectors."""
    encoder = moved(world)
    folder = saved(encoder, tmp_path / "adapter")
    bundle = write_test_bundle(tmp_path / "bundle", str(world.base.folder), adapter=folder)
    loaded = load_model(
        bundle,
        EngineOptions(
            "openvino" if name == "openvino" else "torch", "cpu", threads=1, cache=tmp_path, precision="f32"
        ),
    )
    found = torch.tensor(loaded.engine.embed(TEXTS))
    torch.testing.assert_close(found, vectors(encoder), atol=1e-4, rtol=1e-3)


def test_a_bundle_that_lost_it_does_not_pass(world: World, tmp_path: Path) -> None:
    """Reference vectors are of the whole adapter; with the base model's own attention they are others."""
    encoder = moved(world)
    bundle = write_test_bundle(
        tmp_path / "whole", str(world.base.folder), adapter=saved(encoder, tmp_path / "adapter")
    )
    own = load_encoder(world.base.folder, world.base.pooling).backbone.state_dict()
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    weights = load_file(file)
    for name in weights:
        if "lora_" not in name:
            weights[name] = own[name.removeprefix("base_model.model.")]
    save_file(weights, file)
    lacking = write_bundle(
        tmp_path / "lacking",
        bundle.manifest,
        {
            "calibration.json": bundle.calibration,
            "decision.json": bundle.decision,
            "probes.json": bundle.reference_vectors,
        },
        adapter=tmp_path / "adapter",
    )
    options = EngineOptions("torch", "cpu", threads=1, cache=tmp_path, precision="f32")
    with pytest.raises(BundleParityError, match="reference vector 0 has cosine"):
        load_model(lacking, options)


def test_what_is_published_loads_with_plain_peft_and_comes_back_whole(world: World, tmp_path: Path) -> None:
    encoder = moved(world)
    bundle = write_test_bundle(
        tmp_path / "bundle", str(world.base.folder), adapter=saved(encoder, tmp_path / "adapter")
    )
    published = export_adapter(bundle, tmp_path / "out", base_model="example/base")
    plain = PeftModel.from_pretrained(AutoModel.from_pretrained(world.base.folder), str(published))
    torch.testing.assert_close(
        vectors(Encoder(plain, world.base.pooling).eval()), vectors(encoder), atol=1e-5, rtol=1e-4
    )
    assert rebuild_bundle(published, tmp_path / "again").digest == bundle.digest


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_share_of_it_lies_between_base_and_trained(world: World, share: float) -> None:
    encoder = moved(world)
    before = [(p, p.clone(), original) for p, original in whole_parameters(encoder.backbone)]
    assert len(before) == 8
    with interpolated(encoder.backbone, share):
        for parameter, trained, original in before:
            torch.testing.assert_close(parameter, original + share * (trained - original))
            if share == 1:
                assert torch.equal(parameter, trained)
    assert all(torch.equal(parameter, trained) for parameter, trained, _ in before)


def test_it_has_a_learning_rate_of_its_own_and_no_decay(world: World) -> None:
    encoder = world.encoder(CONFIG)
    trained = [p for p in encoder.parameters() if p.requires_grad]
    whole = [p for p, _ in whole_parameters(encoder.backbone)]
    optimizer = torch.optim.AdamW([{"params": trained[::2]}, {"params": trained[1::2]}], lr=1e-3)
    at_own_rate(optimizer, whole, 1e-5)
    rates = {id(p): (g["lr"], g["weight_decay"]) for g in optimizer.param_groups for p in g["params"]}
    assert len(rates) == len(trained)
    assert {rates[id(p)] for p in whole} == {(1e-5, 0.0)}
    assert {rates[id(p)] for p in trained if id(p) not in {id(w) for w in whole}} == {(1e-3, 1e-2)}
    assert all(group["params"] for group in optimizer.param_groups)
    before = [(group["lr"], len(group["params"])) for group in optimizer.param_groups]
    at_own_rate(optimizer, [], 1.0)
    assert [(group["lr"], len(group["params"])) for group in optimizer.param_groups] == before
    slower = torch.optim.AdamW([{"params": whole[:4], "lr": 5e-4}, {"params": whole[4:], "lr": 1e-3}])
    at_own_rate(slower, whole, 1e-5)
    assert [(group["lr"], len(group["params"])) for group in slower.param_groups] == [(5e-6, 4), (1e-5, 4)]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (AdapterConfig(attention_layers=3), "attention_layers is 3; the base model has 2 layers"),
        (AdapterConfig(attention_layers=2, frozen_layers=1), "2 layers, of which frozen_layers keeps 1"),
    ],
)
def test_more_layers_than_there_are_is_refused_before_the_texts_are_read(
    world: World, config: AdapterConfig, said: str
) -> None:
    state = torch.random.get_rng_state()
    with pytest.raises(AdapterError, match=said):
        check_adapter(world.base.folder, config)
    check_adapter(world.base.folder, CONFIG)
    assert torch.equal(torch.random.get_rng_state(), state)
