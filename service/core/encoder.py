"""The encoder in torch: forward -> pool -> normalise. Training and serving use this one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel
from transformers.utils import logging as transformers_logging

from service.core.errors import BundleError
from service.core.manifest import Pooling


class Encoder(nn.Module):
    """A BERT-family backbone with the pooling that it was trained with."""

    def __init__(self, backbone: nn.Module, pooling: Pooling) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """input_ids and attention_mask (B, T) -> unit vectors (B, D)."""
        hidden = self.backbone(input_ids=input_ids, attention_mask=attention_mask)[0]  # (B, T, D)
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weights = attention_mask.unsqueeze(-1).to(hidden.dtype)  # (B, T, 1)
            pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)
        return nn.functional.normalize(pooled, p=2.0, dim=-1)


def load_encoder(base: Path, pooling: Pooling, adapter: Path | None = None) -> Encoder:
    """Load the base model from a folder and merge the PEFT adapter into it, if there is one.

    Safetensors only, no remote code, no network. Raises `BundleError` if either cannot be loaded.
    """
    try:
        # transformers' overloads do not resolve under mypy strict.
        backbone: Any = AutoModel.from_pretrained(
            base, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
        if adapter is not None:
            from peft import PeftModel

            backbone = PeftModel.from_pretrained(backbone, str(adapter)).merge_and_unload()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise BundleError(
            f"cannot load the encoder from {adapter or base}: {type(error).__name__}: {error}"
        ) from error
    return Encoder(backbone, pooling).eval()


def silence_transformers() -> None:
    """Keep its progress bars and remarks off a command's own output. For the whole process."""
    library: Any = transformers_logging  # untyped
    library.set_verbosity_error()
    library.disable_progress_bar()
