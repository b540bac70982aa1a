"""Bundles that exist only to be reloaded: what is calibrated and evaluated is what will be served."""

from __future__ import annotations

from pathlib import Path

import torch

from service.core.base_model import BaseModel
from service.core.bundle import Bundle, write_bundle
from service.core.calibration import Calibration, PlattCurve
from service.core.concept_eraser import Eraser
from service.core.engines.loading import EngineOptions, LoadedModel, load_model
from service.core.engines.torch_engine import available_device
from service.core.manifest import DecisionRule, Manifest, Prefixes, Probes
from service.core.passages import PassagePolicy
from service.core.redaction.policy import RedactionPolicy
from service.core.scoring import MatchPolicy


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
        prefixes=Prefixes(
            job=base.prefixes.job if job_prefix is None else job_prefix,
            resume=base.prefixes.resume if resume_prefix is None else resume_prefix,
        ),
        max_tokens=base.max_tokens,
        passages=passages or PassagePolicy(),
        matching=matching or MatchPolicy(),
        redaction=RedactionPolicy(),
        files={},
    )


def write_draft(
    folder: Path,
    manifest: Manifest,
    probes: Probes,
    *,
    adapter: Path | None = None,
    eraser: Eraser | None = None,
) -> Bundle:
    """A bundle with a neutral calibration and threshold, as read back."""
    curve = PlattCurve(slope=1.0, intercept=0.0)
    rule = DecisionRule(threshold=0.5, borderline=(0.5, 0.5), rule="draft", constraint="none")
    return write_bundle(
        folder,
        manifest,
        {
            "calibration.json": Calibration(with_title=curve, without_title=curve, pairs=2, prevalence=0.5),
            "decision.json": rule,
            "probes.json": probes,
        },
        adapter=adapter,
        eraser=eraser,
        overwrite=True,
    )


def load_reference(bundle: Bundle, base: BaseModel, cache: Path) -> LoadedModel:
    """The bundle in torch, f32 on a CPU: the engine that the others are held against."""
    device = available_device()
    threads = torch.get_num_threads()  # what the run was given
    options = EngineOptions(
        "torch", device, threads=threads, cache=cache, precision="f32", base_model=str(base.folder)
    )
    return load_model(bundle, options)
