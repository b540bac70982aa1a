"""Layers of the encoder: how fast each learns, and what it keeps in memory for the backward pass."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from torch import nn

from service.core.encoder import Encoder
from training.learning.adapter import AdapterError

_LAYER = re.compile(r"\.(?:layers?|h|blocks?)\.(\d+)\.")
_ENCODER = "encoder."
"""Where the encoder stands in a `FairMatcher`; what is beside it are heads."""


def rate_share(name: str, layers: int, decay: float) -> float:
    """The share of the learning rate that the parameter of this name in a `FairMatcher` learns at, in (0, 1].

    1 for the last of the encoder's layers, for what stands above it, and for the heads; each layer below has
    `decay` of the share of the one above it, and the embeddings `decay` of the first layer's (discriminative
    fine-tuning: Howard & Ruder 2018, arXiv 1801.06146; with one factor: Clark et al. 2020, arXiv 2003.10555).
    """
    if not name.startswith(_ENCODER):
        return 1.0
    if found := _LAYER.search(name):
        return decay ** (layers - 1 - int(found[1]))
    return decay**layers if "embedding" in name else 1.0


def parameter_groups(
    model: nn.Module,
    *,
    layers: int,
    decay: float,
    learning_rate: float,
    weight_decay: float,
    decayed: Collection[str],
) -> list[dict[str, Any]]:
    """Groups for an optimizer, the fastest first: one for each rate, with and without weight decay.

    `decayed`: names of the parameters that have weight decay. What is not trained is in no group.
    """
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            place = rate_share(name, layers, decay), name in decayed
            groups.setdefault(place, []).append(parameter)
    return [
        {
            "params": groups[share, is_decayed],
            "lr": learning_rate * share,
            "weight_decay": weight_decay if is_decayed else 0.0,
        }
        for share, is_decayed in sorted(groups, reverse=True)
    ]


def recompute_activations(encoder: Encoder) -> None:
    """In training keep each layer's input only, and compute the rest again for its gradient.

    The gradients are the same (Chen et al. 2016, arXiv 1604.06174); dropout draws the same masks again.
    Raises `AdapterError` if transformers cannot do it with this model.
    """
    backbone: Any = encoder.backbone
    if not getattr(backbone, "supports_gradient_checkpointing", False):
        raise AdapterError(
            f"trainer.gradient_checkpointing: {type(backbone).__name__} cannot compute its layers again"
        )
    backbone.config.use_cache = False  # of no use here; transformers remarks on it otherwise
    # Not the reentrant kind: it gives no gradient where the layer's input needs none, as with frozen
    # embeddings, and does not go with DDP's search for unused parameters.
    kind = {"use_reentrant": False}
    if hasattr(backbone, "activation_checkpointing_enable"):  # its name since transformers 5.2x
        backbone.activation_checkpointing_enable(kind)
    else:
        backbone.gradient_checkpointing_enable(gradient_checkpointing_kwargs=kind)
