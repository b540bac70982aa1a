"""LoRA on a BERT-family encoder (Hu et al. 2021, package peft)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from service.core.encoder import Encoder
from service.core.errors import EvenmatchError

_ATTENTION = ("query", "key", "value")
_DENSE = ("dense",)


class AdapterError(EvenmatchError):
    """The adapter does not fit the base model."""

    code = "adapter_unfit"
    title = "Adapter does not fit the base model"


class AdapterConfig(BaseModel):
    """LoRA."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    r: int = Field(8, ge=1, le=256, description="Rank of the update of each matrix.")
    alpha: int = Field(16, ge=1, description="The update is scaled by alpha / r.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the inputs of the update, in training.")
    backbone_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="In the base model's own layers, in training. By default none: it would move the "
        "variants of a resume apart, which are to be brought together.",
    )
    target_modules: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="Names of the linear layers to adapt; None finds those of attention and feed- forward.",
    )
    frozen_layers: int = Field(0, ge=0, description="The first layers, that are left as they are.")


def add_adapter(encoder: Encoder, config: AdapterConfig) -> PeftModel:
    """Put LoRA into the encoder's backbone, the only part that then trains; returns the wrapped backbone.

    Raises `AdapterError` if the base model has no such modules, or no layer is left to adapt.
    """
    backbone: Any = encoder.backbone
    layers = int(getattr(backbone.config, "num_hidden_layers", 0))
    if config.frozen_layers >= layers:
        raise AdapterError(f"frozen_layers is {config.frozen_layers}; the base model has {layers} layers")
    for module in backbone.modules():
        if isinstance(module, nn.Dropout):
            module.p = config.backbone_dropout
    targets = list(config.target_modules or find_targets(backbone))
    lora = LoraConfig(
        r=config.r,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=targets,
        layers_to_transform=list(range(config.frozen_layers, layers)) if config.frozen_layers else None,
        bias="none",
    )
    try:
        wrapped: PeftModel = get_peft_model(backbone, lora)
    except ValueError as error:
        raise AdapterError(f"target_modules {', '.join(targets)}: {error}") from error
    adapted = {name.rsplit(".", 1)[0] for name, _ in wrapped.named_modules() if name.endswith(".lora_A")}
    idle = [t for t in targets if not any(name == t or name.endswith(f".{t}") for name in adapted)]
    if idle:
        raise AdapterError(f"target_modules: the base model has no {', '.join(idle)} to adapt")
    encoder.backbone = wrapped
    return wrapped


def find_targets(backbone: nn.Module) -> tuple[str, ...]:
    """The names of attention's and feed-forward's linear layers in a BERT-family backbone.

    Raises `AdapterError` if it has none of them: then `target_modules` must be given.
    """
    linear = {name.rsplit(".", 1)[-1] for name, module in _layers(backbone) if isinstance(module, nn.Linear)}
    found = tuple(name for name in (*_ATTENTION, *_DENSE) if name in linear)
    if not set(_ATTENTION) <= set(found):
        raise AdapterError(
            f"no query, key and value among the linear layers ({', '.join(sorted(linear)) or 'none'}): "
            "give target_modules"
        )
    return found


@contextmanager
def interpolated(backbone: nn.Module, share: float) -> Iterator[None]:
    """Within it the adapter's update has `share` of its size; afterwards its exact values are back.

    Between the base model (0) and the trained one (1) lie models that know both (Wortsman et al. 2022,
    arXiv 2109.01903).
    """
    trained = {p: p.detach().clone() for name, p in backbone.named_parameters() if "lora_B" in name}
    with torch.no_grad():
        for parameter, values in trained.items():
            parameter.copy_(values * share)
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, values in trained.items():
                parameter.copy_(values)


def save_adapter(backbone: PeftModel, folder: Path) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`; the base model's path is left out."""
    backbone.save_pretrained(str(folder), safe_serialization=True)
    # peft writes where the base model lies on this machine, and a card with placeholders.
    file = folder / "adapter_config.json"
    config = json.loads(file.read_text("utf-8")) | {"base_model_name_or_path": None}
    # From a set, whose order is another in every process: the same run would get another digest.
    config["target_modules"] = sorted(config["target_modules"])
    file.write_text(json.dumps(config, indent=2, sort_keys=True), "utf-8")
    (folder / "README.md").unlink(missing_ok=True)


def _layers(backbone: nn.Module) -> list[tuple[str, nn.Module]]:
    """Modules inside the encoder's layers: not the pooler, whose output is not used."""
    return [(name, module) for name, module in backbone.named_modules() if ".layer." in f".{name}."]
