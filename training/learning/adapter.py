"""What of a BERT-family encoder is trained: LoRA (Hu et al. 2021, package peft), the last layers' attention.

Both are in one adapter of PEFT's format: attention matrices that are trained whole are saved whole
(`modules_to_save`), so that plain PEFT loads what the service loads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils.other import ModulesToSaveWrapper
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from service.core.encoder import Encoder
from service.core.errors import EvenmatchError

_ATTENTION = ("query", "key", "value")
_DENSE = ("dense",)
_LAYER = re.compile(r"\.(?:layer|layers|h|block)\.(\d+)\.")
_ATTENTION_PART = re.compile(r"\.(?:attention|attn|self_attn)\.")
_MOST_LISTED = 12


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
        description="Names of the linear layers to adapt; None finds those of attention and feed-forward.",
    )
    frozen_layers: int = Field(0, ge=0, description="The first layers, that are left as they are.")
    attention_layers: int = Field(
        0,
        ge=0,
        description="Of so many of the last layers the base model's own attention matrices (query, key, "
        "value and output, with their biases) are trained whole, in place of LoRA on them, at "
        "`trainer.attention_learning_rate`. They are saved whole with the adapter: of each layer 4 D (D + 1) "
        "numbers of 4 bytes, 2.4 MB for MiniLM (D = 384), 17 MB for bge-large (D = 1,024). 0: none.",
    )


def add_adapter(encoder: Encoder, config: AdapterConfig) -> PeftModel:
    """Put LoRA into the encoder's backbone, the only part that then trains; returns the wrapped backbone.

    With `config.attention_layers` the attention matrices of the last layers train, too, whole.
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
    whole = last_attention(backbone, config.attention_layers, layers, config.frozen_layers)
    exists = _linear_names(backbone)
    lora = LoraConfig(
        r=config.r,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=targets,
        layers_to_transform=list(range(config.frozen_layers, layers)) if config.frozen_layers else None,
        modules_to_save=list(whole) or None,
        bias="none",
    )
    try:
        wrapped: PeftModel = get_peft_model(backbone, lora)
    except ValueError as error:
        said = str(error) if set(targets) & exists else f"there is no such module{_listed(exists)}"
        raise AdapterError(f"adapter.target_modules {', '.join(targets)}: {said}") from error
    adapted = {name.rsplit(".", 1)[0] for name, _ in wrapped.named_modules() if name.endswith(".lora_A")}
    adapted |= {name for name, module in wrapped.named_modules() if isinstance(module, ModulesToSaveWrapper)}
    idle = [t for t in targets if not any(name == t or name.endswith(f".{t}") for name in adapted)]
    if idle:
        raise AdapterError(
            f"adapter.target_modules: the base model has no {', '.join(idle)} to adapt{_listed(exists)}"
        )
    encoder.backbone = wrapped
    return wrapped


def check_adapter(base: Path, config: AdapterConfig) -> None:
    """Raise what `add_adapter` would for the base model in folder `base`, without loading its weights.

    To be asked before the texts are read, which may take hours. No random number is drawn.
    """
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        known: Any = AutoConfig
        model: Any = AutoModel
        skeleton = model.from_config(
            known.from_pretrained(base, local_files_only=True, trust_remote_code=False),
            trust_remote_code=False,
        )
        add_adapter(Encoder(skeleton, "mean"), config)


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


def last_attention(backbone: nn.Module, count: int, layers: int, frozen: int = 0) -> tuple[str, ...]:
    """The names of the linear layers of attention in the last `count` of `layers` layers.

    Raises `AdapterError` if there are not so many layers that are not frozen, or none has attention.
    """
    if count > layers - frozen:
        left = f"{layers} layers" + (f", of which frozen_layers keeps {frozen}" if frozen else "")
        raise AdapterError(f"adapter.attention_layers is {count}; the base model has {left}")
    found = []
    for name, module in backbone.named_modules():
        layer = _LAYER.search(f".{name}")
        inside = isinstance(module, nn.Linear) and _ATTENTION_PART.search(name)
        if inside and layer and int(layer[1]) >= layers - count:
            found.append(name)
    if count and not found:
        raise AdapterError(
            "adapter.attention_layers: no linear layers of attention are known in this base model"
            f"{_listed(_linear_names(backbone))}"
        )
    return tuple(found)


def whole_parameters(backbone: nn.Module) -> Iterator[tuple[nn.Parameter, Tensor]]:
    """Parameters of the base model that are trained whole, each with the base model's own values."""
    for module in backbone.modules():
        if isinstance(module, ModulesToSaveWrapper):
            original = dict(module.original_module.named_parameters())
            for saved in module.modules_to_save.values():
                for name, parameter in saved.named_parameters():
                    yield parameter, original[name]


def at_own_rate(
    optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], learning_rate: float
) -> None:
    """Give parameters groups of their own, with another learning rate and without weight decay.

    `learning_rate` is that of the fastest groups; slower ones keep their share of it. Decay would pull the
    base model's weights to 0, not back to the base model.
    """
    chosen = {id(parameter) for parameter in parameters}
    highest = max(group["lr"] for group in optimizer.param_groups)
    for group in list(optimizer.param_groups):
        moved = [p for p in group["params"] if id(p) in chosen]
        if moved:
            group["params"] = [p for p in group["params"] if id(p) not in chosen]
            own = {"params": moved, "lr": learning_rate * (group["lr"] / highest), "weight_decay": 0.0}
            optimizer.add_param_group({name: of for name, of in group.items() if name != "params"} | own)
    if chosen:
        optimizer.param_groups[:] = [group for group in optimizer.param_groups if group["params"]]


@contextmanager
def interpolated(backbone: nn.Module, share: float) -> Iterator[None]:
    """Within it the adapter's update has `share` of its size; afterwards its exact values are back.

    Between the base model (0) and the trained one (1) lie models that know both (Wortsman et al. 2022,
    arXiv 2109.01903).
    """
    trained = {p: p.detach().clone() for name, p in backbone.named_parameters() if "lora_B" in name}
    whole = [(p, p.detach().clone(), original) for p, original in whole_parameters(backbone)]
    with torch.no_grad():
        for parameter, values in trained.items():
            parameter.copy_(values * share)
        for parameter, values, original in whole:
            # At 1 the values as they are: original + (values - original) rounds.
            parameter.copy_(values if share == 1 else torch.lerp(original, values, share))
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, values in (*trained.items(), *((p, values) for p, values, _ in whole)):
                parameter.copy_(values)


def save_adapter(backbone: PeftModel, folder: Path) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`; the base model's path is left out.

    The second holds LoRA's matrices and, whole, the attention matrices that were trained whole.
    """
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


def _linear_names(backbone: nn.Module) -> set[str]:
    """Last parts of the names of all linear layers: what `target_modules` may hold."""
    named = backbone.named_modules()
    return {name.rsplit(".", 1)[-1] for name, module in named if isinstance(module, nn.Linear)}


def _listed(names: Collection[str]) -> str:
    shown = sorted(names)[:_MOST_LISTED]
    more = f" and {len(names) - len(shown)} others" if len(names) > len(shown) else ""
    return f"; its linear layers are called {', '.join(shown) or 'nothing'}{more}"
