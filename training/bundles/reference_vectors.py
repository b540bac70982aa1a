"""The probe texts of a bundle and their vectors: what the service must reproduce before it is ready."""

from __future__ import annotations

from pathlib import Path

from service.core.base_model import BaseModel
from service.core.concept_eraser import Eraser
from service.core.encoder import load_encoder
from service.core.engines.torch_engine import TorchEngine
from service.core.manifest import Kind, Manifest, Probe, Probes
from service.core.tokenization import TextTokenizer

PROBES: tuple[tuple[Kind, str], ...] = (
    ("resume", "Built payment services in Python and PostgreSQL, on call for twelve services."),
    ("resume", "Registered nurse on a surgical ward; wound care, triage and medication rounds."),
    ("job", "Warehouse supervisor"),
    ("job", "You will keep the books, reconcile accounts and prepare the yearly statements."),
    ("resume", "Électricien · câblage 400 V — maintenance préventive, 10 ans."),
    ("resume", " ".join(["Planned routes, led drivers, cut delivery times by a tenth."] * 6)),
)


def make_probes(
    base: BaseModel, manifest: Manifest, adapter: Path | None = None, eraser: Eraser | None = None
) -> Probes:
    """Encode the probe texts with torch in f32, the reference that every engine is held against."""
    tokenizer = TextTokenizer.load(base.tokenizer_file, manifest)
    ids = [tokenizer.encode_all([text], kind)[0] for kind, text in PROBES]
    engine = TorchEngine(
        load_encoder(base.folder, manifest.pooling, adapter, eraser),
        device="cpu",
        precision="f32",
        positions=manifest.max_tokens,
        dimensions=manifest.base_model.dimensions,
        probes=ids,
    )
    vectors = engine.embed(ids)
    return Probes(
        probes=[
            Probe(kind=kind, text=text, vector=[round(float(x), 6) for x in vector])
            for (kind, text), vector in zip(PROBES, vectors, strict=True)
        ]
    )
