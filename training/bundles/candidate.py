"""Candidate bundles: written to be read back, so that what is calibrated and evaluated is what is served.

Each carries reference vectors, which the service must reproduce before it becomes ready.
"""

from __future__ import annotations

from pathlib import Path

import torch

from service.core.base_model import BaseModel
from service.core.bundle import Bundle, write_bundle
from service.core.calibration import Calibration, PlattCurve
from service.core.concept_eraser import ConceptEraser
from service.core.encoder import load_encoder
from service.core.engines.loading import EngineOptions, LoadedModel, load_model
from service.core.engines.torch_engine import TorchEngine, available_device
from service.core.manifest import DecisionRule, Kind, Manifest, ReferenceVector, ReferenceVectors
from service.core.occupations import Occupations
from service.core.passages import PassagePolicy
from service.core.redaction.policy import RedactionPolicy
from service.core.scoring import MatchPolicy
from service.core.tokenization import TextTokenizer

REFERENCE_TEXTS: tuple[tuple[Kind, str], ...] = (
    ("resume", "Built payment services in Python and PostgreSQL, on call for twelve services."),
    ("resume", "Registered nurse on a surgical ward; wound care, triage and medication rounds."),
    ("job", "Warehouse supervisor"),
    ("job", "You will keep the books, reconcile accounts and prepare the yearly statements."),
    ("resume", "Électricien · câblage 400 V — maintenance préventive, 10 ans."),
    ("resume", " ".join(["Planned routes, led drivers, cut delivery times by a tenth."] * 6)),
)
"""Short and long, both kinds, and one that is not ASCII."""


def new_manifest(
    name: str,
    version: str,
    base: BaseModel,
    *,
    job_prefix: str | None = None,
    resume_prefix: str | None = None,
    passages: PassagePolicy | None = None,
    matching: MatchPolicy | None = None,
) -> Manifest:
    """The manifest of a bundle of `base`, before its files are known. Prefixes None: the model's own."""
    return Manifest(
        name=name,
        version=version,
        base_model=base.spec,
        pooling=base.pooling,
        prefixes=base.found_prefixes.overridden(job_prefix, resume_prefix),
        max_tokens=base.max_tokens,
        passages=passages or PassagePolicy(),
        matching=matching or MatchPolicy(),
        redaction=RedactionPolicy(),
        files={},
    )


def make_reference_vectors(
    base: BaseModel, manifest: Manifest, adapter: Path | None = None, eraser: ConceptEraser | None = None
) -> ReferenceVectors:
    """The reference texts and their vectors by torch in f32: the bundle's `probes.json`.

    The service encodes the texts again when it starts, and does not become ready if its engine gives other
    vectors.
    """
    tokenizer = TextTokenizer.load(base.tokenizer_file, manifest)
    ids = [tokenizer.encode_all([text], kind)[0] for kind, text in REFERENCE_TEXTS]
    engine = TorchEngine(
        load_encoder(base.folder, manifest.pooling, adapter, eraser),
        device="cpu",
        precision="f32",
        positions=manifest.max_tokens,
        dimensions=manifest.base_model.dimensions,
        reference_texts=ids,
    )
    vectors = engine.embed(ids)
    return ReferenceVectors(
        probes=[
            ReferenceVector(kind=kind, text=text, vector=[round(float(x), 6) for x in vector])
            for (kind, text), vector in zip(REFERENCE_TEXTS, vectors, strict=True)
        ]
    )


def write_candidate(
    folder: Path,
    manifest: Manifest,
    base: BaseModel,
    *,
    adapter: Path | None = None,
    eraser: ConceptEraser | None = None,
    occupations: Occupations | None = None,
) -> Bundle:
    """Write a bundle with a neutral calibration and threshold to `folder`; returns it as read back.

    Without `occupations` it scores without any, whatever the manifest's policy says.
    """
    if occupations is None:
        matching = manifest.matching.model_copy(update={"occupations": None})
        manifest = manifest.model_copy(update={"matching": matching})
    curve = PlattCurve(slope=1.0, intercept=0.0)
    rule = DecisionRule(threshold=0.5, borderline=(0.5, 0.5), rule="draft", constraint="none")
    return write_bundle(
        folder,
        manifest,
        {
            "calibration.json": Calibration(with_title=curve, without_title=curve, pairs=2, prevalence=0.5),
            "decision.json": rule,
            "probes.json": make_reference_vectors(base, manifest, adapter, eraser),
        },
        adapter=adapter,
        eraser=eraser,
        occupations=occupations,
        overwrite=True,
    )


def load_reference_engine(bundle: Bundle, base: BaseModel, cache: Path) -> LoadedModel:
    """The bundle in torch with f32: the engine that the others are held against."""
    options = EngineOptions(
        "torch",
        available_device(),
        threads=torch.get_num_threads(),  # what the run was given
        cache=cache,
        precision="f32",
        base_model=str(base.folder),
    )
    return load_model(bundle, options)
