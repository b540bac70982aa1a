"""A bundle on disk -> an engine that provably reproduces it, and the tokenizer that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from service.core.base_model import find_verified
from service.core.bundle import Bundle
from service.core.engines.engine import Device, Engine, EngineName, Precision
from service.core.errors import BundleParityError
from service.core.tokenization import TextTokenizer, TokenIds

PARITY_TOLERANCE: dict[Precision, float] = {"f32": 1e-4, "bf16": 2e-3, "f16": 2e-3}
"""Largest allowed 1 - cosine between a reference vector of the bundle and the loaded model's."""


@dataclass(frozen=True)
class LoadedModel:
    engine: Engine
    tokenizer: TextTokenizer


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """`precision` None: the best of the device. `threads`: CPU cores. `cache`: of converted models.

    `ready`: converted models made ahead of time, looked up first and never written to.
    """

    name: EngineName
    device: Device
    threads: int
    cache: Path
    precision: Precision | None = None
    base_model: str | None = None
    ready: Path | None = None


def load_model(bundle: Bundle, options: EngineOptions) -> LoadedModel:
    """Load the bundle's encoder on an engine and check it against the bundle's reference vectors.

    Raises `BundleError` for a missing or foreign base model, `BundleParityError` if a reference
    vector is off, `EngineError` if the engine cannot run.
    """
    loaded = _openvino(bundle, options) if options.name == "openvino" else _torch(bundle, options)
    check_parity(bundle, loaded)
    return loaded


def check_parity(bundle: Bundle, loaded: LoadedModel) -> None:
    """Re-encode the reference texts; raises `BundleParityError` beyond the precision's tolerance."""
    tolerance = PARITY_TOLERANCE[loaded.engine.info.precision]
    actual = loaded.engine.embed(_reference_texts(bundle, loaded.tokenizer))
    for i, (one, vector) in enumerate(zip(bundle.reference_vectors.probes, actual, strict=True)):
        expected = np.asarray(one.vector, dtype=np.float32)
        cosine = float(expected @ vector) / float(np.linalg.norm(expected) * np.linalg.norm(vector))
        if not cosine >= 1 - tolerance:
            raise BundleParityError(
                f"{bundle.path / 'probes.json'}: reference vector {i} has cosine {cosine:.6f} to the "
                f"loaded model ({loaded.engine.info.name}, {loaded.engine.info.precision}); "
                f"{1 - tolerance:.4f} is needed"
            )


def _reference_texts(bundle: Bundle, tokenizer: TextTokenizer) -> list[TokenIds]:
    return [tokenizer.encode_all([one.text], one.kind)[0] for one in bundle.reference_vectors.probes]


def _openvino(bundle: Bundle, options: EngineOptions) -> LoadedModel:
    from service.core.engines.openvino_convert import converted
    from service.core.engines.openvino_engine import OpenVinoEngine, default_precision

    model = converted(bundle, options.cache, options.base_model, options.ready)
    tokenizer = TextTokenizer.load(model.tokenizer_file, bundle.manifest)
    engine = OpenVinoEngine(
        model.model_file,
        precision=options.precision or default_precision(),
        positions=bundle.manifest.max_tokens,
        dimensions=bundle.manifest.base_model.dimensions,
        threads=options.threads,
        reference_texts=_reference_texts(bundle, tokenizer),
    )
    return LoadedModel(engine, tokenizer)


def _torch(bundle: Bundle, options: EngineOptions) -> LoadedModel:
    import torch

    from service.core.encoder import load_encoder
    from service.core.engines.torch_engine import TorchEngine, default_precision

    if options.device == "cpu":
        torch.set_num_threads(options.threads)
    base = find_verified(bundle.manifest.base_model, options.base_model)
    tokenizer = TextTokenizer.load(base / "tokenizer.json", bundle.manifest)
    engine = TorchEngine(
        load_encoder(base, bundle.manifest.pooling, bundle.adapter_path, bundle.eraser),
        device=options.device,
        precision=options.precision or default_precision(options.device),
        positions=bundle.manifest.max_tokens,
        dimensions=bundle.manifest.base_model.dimensions,
        reference_texts=_reference_texts(bundle, tokenizer),
    )
    return LoadedModel(engine, tokenizer)
