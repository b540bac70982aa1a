"""What every inference engine offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from service.core.tokenization import TokenIds

EngineName = Literal["openvino", "torch"]
Precision = Literal["f32", "bf16", "f16"]
Device = Literal["cpu", "cuda", "mps"]

LENGTH_STEP = 8
"""On a CPU texts are padded to a multiple of this many tokens and batched with equals only, so that a
text's padding never depends on what travels beside it (see docs/adr/0004)."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """`batch_invariant`: tried at load; a text's vector does not depend on its batch, bit for bit."""

    name: EngineName
    device: Device
    precision: Precision
    dimensions: int
    threads: int
    batch_invariant: bool


class Engine(Protocol):
    """RequestScheduler token ids into unit vectors. Used by one thread at a time."""

    @property
    def info(self) -> EngineInfo: ...

    def embed(self, batch: Sequence[TokenIds]) -> NDArray[np.float32]:
        """Vectors of `batch`, (B, D), rows of length 1, in the order given.

        Raises `EngineError` if a vector is not finite.
        """
        ...

    def close(self) -> None:
        """Free the model. The engine is not used after that."""
        ...
