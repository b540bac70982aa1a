"""Inference with OpenVINO on the CPU: bf16 where the processor has it, else f32.

`ov` is `openvino` without its telemetry: everybody imports it from here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.core.engines.engine import (
    LENGTH_STEP,
    EngineInfo,
    Precision,
    checked,
    is_batch_invariant,
    padded,
    same_length_groups,
)
from service.core.errors import EngineError, EngineUnavailableError
from service.core.tokenization import TokenIds

# Importing openvino sends usage events to its vendor unless the user opted out in a file of their home
# folder. A service that reads resumes sends nothing to anybody, so the package that would do it is hidden
# first (its documented way), and openvino falls back to its own stub.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino as ov  # noqa: E402

__all__ = ["OpenVinoEngine", "default_precision", "ov"]

_ROWS = 8
_TOKENS = 2_048
_HINTS: dict[Precision, str] = {"f32": "f32", "bf16": "bf16"}


def default_precision() -> Precision:
    """bf16 if the processor computes in it (AVX512-BF16, AMX), else f32."""
    capabilities = ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bf16" if "BF16" in capabilities else "f32"


class OpenVinoEngine:
    """One compiled model with one stream per thread: texts run side by side, each on one core.

    If grouping texts changes their vectors on this processor (it is tried at load), every text runs
    alone, so that `info.batch_invariant` holds all the same.
    """

    def __init__(
        self,
        model_file: Path,
        *,
        precision: Precision,
        positions: int,
        dimensions: int,
        threads: int,
        reference_texts: Sequence[TokenIds],
    ) -> None:
        if precision not in _HINTS:
            raise EngineUnavailableError(f"OpenVINO does not compute in {precision} on a CPU")
        self._positions = positions
        self._dimensions = dimensions
        self._rows = _ROWS
        try:
            compiled = ov.Core().compile_model(
                model_file,
                "CPU",
                {
                    "NUM_STREAMS": threads,
                    "INFERENCE_NUM_THREADS": threads,
                    # Every process would bind its threads to the same first cores, and two would share one.
                    "ENABLE_CPU_PINNING": False,
                    "INFERENCE_PRECISION_HINT": _HINTS[precision],
                },
            )
            self._compiled: Any = compiled
            self._requests: list[Any] = []
        except RuntimeError as error:
            raise EngineError(f"OpenVINO cannot compile {model_file}: {error}") from error
        invariant = is_batch_invariant(self.embed, reference_texts)
        if not invariant:
            self._rows = 1
            invariant = is_batch_invariant(self.embed, reference_texts)
        self.info = EngineInfo(
            name="openvino",
            device="cpu",
            precision=precision,
            dimensions=dimensions,
            threads=threads,
            batch_invariant=invariant,
        )

    def embed(self, batch: Sequence[TokenIds]) -> NDArray[np.float32]:
        vectors = np.empty((len(batch), self._dimensions), dtype=np.float32)
        groups = list(
            same_length_groups(
                batch, step=LENGTH_STEP, rows=self._rows, tokens=_TOKENS, positions=self._positions
            )
        )
        try:
            # One request for each group, read when all are done. A callback would need the interpreter's
            # lock in between, and a core would stand idle whenever another thread holds it.
            while len(self._requests) < len(groups):
                self._requests.append(self._compiled.create_infer_request())
            for request, (length, indices) in zip(self._requests, groups, strict=False):
                ids, mask = padded([batch[i] for i in indices], length)
                request.start_async({"input_ids": ids, "attention_mask": mask})
            for request, (_, indices) in zip(self._requests, groups, strict=False):
                request.wait()
                vectors[indices] = request.get_output_tensor(0).data
        except RuntimeError as error:
            self._requests = []  # some may be at work still
            raise EngineError(f"OpenVINO failed: {type(error).__name__}") from error
        return checked(vectors)

    def close(self) -> None:
        self._requests = []
        self._compiled = None
