"""Inference with torch: CUDA, MPS, or the CPU where nothing faster runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from service.core.encoder import Encoder
from service.core.engines.engine import (
    LENGTH_STEP,
    Device,
    EngineInfo,
    Precision,
    checked,
    is_batch_invariant,
    padded,
    same_length_groups,
)
from service.core.errors import EngineError, EngineUnavailableError
from service.core.tokenization import TokenIds

_ROWS = {"cpu": 8, "cuda": 512, "mps": 64}
_TOKENS = {"cpu": 2_048, "cuda": 65_536, "mps": 8_192}
_STEP = {"cpu": LENGTH_STEP, "cuda": 64, "mps": 64}
_DTYPES: dict[Precision, torch.dtype] = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


def available_device() -> Device:
    """The best device that this build of torch can really use: CUDA, then MPS, then the CPU."""
    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def default_precision(device: Device) -> Precision:
    """bf16 on CUDA where it is native, f16 on MPS, f32 on the CPU."""
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "f16"
    return "f16" if device == "mps" else "f32"


class TorchEngine:
    """Runs an `Encoder` on one device."""

    def __init__(
        self,
        encoder: Encoder,
        *,
        device: Device,
        precision: Precision,
        positions: int,
        dimensions: int,
        reference_texts: Sequence[TokenIds],
    ) -> None:
        if device != "cpu" and device != available_device():
            raise EngineUnavailableError(f"torch cannot use {device} on this machine")
        self._device = device
        self._positions = positions
        self._encoder = encoder.to(device)
        self._encoder.backbone.to(_DTYPES[precision])
        self.info = EngineInfo(
            name="torch",
            device=device,
            precision=precision,
            dimensions=dimensions,
            threads=torch.get_num_threads(),
            batch_invariant=is_batch_invariant(self.embed, reference_texts),
        )

    def embed(self, batch: Sequence[TokenIds]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] | None = None
        groups = same_length_groups(
            batch,
            step=_STEP[self._device],
            rows=_ROWS[self._device],
            tokens=_TOKENS[self._device],
            positions=self._positions,
        )
        for length, indices in groups:
            part = self._forward([batch[i] for i in indices], length)
            if vectors is None:
                vectors = np.empty((len(batch), part.shape[1]), dtype=np.float32)
            vectors[indices] = part
        if vectors is None:
            return np.empty((0, self.info.dimensions), dtype=np.float32)
        return checked(vectors)

    def close(self) -> None:
        self._encoder = self._encoder.to("meta")

    def _forward(self, batch: Sequence[TokenIds], length: int) -> NDArray[np.float32]:
        ids, mask = padded(batch, length)
        try:
            with torch.inference_mode():
                out = self._encoder(
                    torch.from_numpy(ids).to(self._device), torch.from_numpy(mask).to(self._device)
                )
            result: NDArray[np.float32] = out.float().cpu().numpy()
        except RuntimeError as error:
            raise EngineError(f"torch failed on {self._device}: {type(error).__name__}") from error
        # Half precision leaves rows a little off unit length.
        unit: NDArray[np.float32] = result / np.linalg.norm(result, axis=1, keepdims=True)
        return unit
