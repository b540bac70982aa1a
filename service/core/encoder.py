"""The encoder in torch: forward -> pool -> normalise -> erase. Training and serving use this one."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel
from transformers.utils import logging as transformers_logging

from service.core.concept_eraser import ConceptEraser
from service.core.errors import BundleError
from service.core.manifest import Pooling


class Encoder(nn.Module):
    """A BERT-family backbone with the pooling that it was trained with, and a concept eraser, if any.

    Only the backbone may compute in half precision: what an eraser leaves behind should be rounding
    of f32, not of bf16.
    """

    def __init__(self, backbone: nn.Module, pooling: Pooling, eraser: ConceptEraser | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.eraser = None if eraser is None else _Erasing(eraser)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """input_ids and attention_mask (B, T) -> unit vectors (B, D)."""
        hidden = self.backbone(input_ids=input_ids, attention_mask=attention_mask)[0]  # (B, T, D)
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weights = attention_mask.unsqueeze(-1).to(hidden.dtype)  # (B, T, 1)
            pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)
        unit = nn.functional.normalize(pooled, p=2.0, dim=-1)
        return unit if self.eraser is None else self.eraser(unit)


class _Erasing(nn.Module):
    """`ConceptEraser` in torch, in f32. Its numbers are buffers: moved with the model and not trained."""

    mean: Tensor
    left: Tensor
    right: Tensor

    def __init__(self, eraser: ConceptEraser) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(eraser.mean))  # (D,)
        self.register_buffer("left", torch.tensor(eraser.left.T))  # (R, D)
        self.register_buffer("right", torch.tensor(eraser.right))  # (R, D)

    def forward(self, vectors: Tensor) -> Tensor:
        """Unit vectors (B, D) -> unit vectors (B, D).

        Products and sums instead of matrix products: those would run in bf16 under OpenVINO's hint,
        and their order of summing may depend on B.
        """
        x = vectors.float()
        parts = ((x - self.mean).unsqueeze(1) * self.right).sum(-1)  # (B, R)
        erased = x - (parts.unsqueeze(-1) * self.left).sum(1)  # (B, D)
        return nn.functional.normalize(erased, p=2.0, dim=-1)


def load_encoder(
    base: Path, pooling: Pooling, adapter: Path | None = None, eraser: ConceptEraser | None = None
) -> Encoder:
    """Load the base model from a folder and merge the PEFT adapter into it, if there is one.

    Safetensors only, no remote code, no network. Raises `BundleError` if either cannot be loaded.
    """
    try:
        # transformers' overloads do not resolve under mypy strict.
        backbone: Any = AutoModel.from_pretrained(  # nosec B615
            base, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
        if adapter is not None:
            from peft import PeftModel

            backbone = PeftModel.from_pretrained(backbone, str(adapter)).merge_and_unload()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise BundleError(
            f"cannot load the encoder from {adapter or base}: {type(error).__name__}: {error}"
        ) from error
    return Encoder(backbone, pooling, eraser).eval()


def silence_transformers() -> None:
    """Keep its progress bars and remarks off a command's own output. For the whole process."""
    library: Any = transformers_logging  # untyped
    library.set_verbosity_error()
    library.disable_progress_bar()
    # PEFT asks for a property that transformers has renamed.
    warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
