"""The base model of a bundle alone, without its adapter and eraser: what training has to beat."""

from __future__ import annotations

from service.core.base_model import find_verified
from service.core.bundle import Bundle
from service.core.engines.loading import LoadedModel
from service.core.engines.torch_engine import TorchEngine, available_device
from service.core.tokenization import TextTokenizer


def load_plain_base(bundle: Bundle, override: str | None = None) -> LoadedModel:
    """An engine of torch in f32, with the bundle's tokenizer, prefixes and passages.

    The bundle's reference vectors are of the whole and are not checked. `override`: a copy of the base model.
    Raises `BundleError` for a missing or foreign base model.
    """
    from service.core.encoder import load_encoder, silence_transformers

    silence_transformers()
    base = find_verified(bundle.manifest.base_model, override)
    tokenizer = TextTokenizer.load(base / "tokenizer.json", bundle.manifest)
    engine = TorchEngine(
        load_encoder(base, bundle.manifest.pooling),
        device=available_device(),
        precision="f32",
        positions=bundle.manifest.max_tokens,
        dimensions=bundle.manifest.base_model.dimensions,
        reference_texts=[
            tokenizer.encode_all([one.text], one.kind)[0] for one in bundle.reference_vectors.probes
        ],
    )
    return LoadedModel(engine, tokenizer)
