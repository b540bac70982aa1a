"""Bundles for tests, written by the same code as real ones."""

from __future__ import annotations

from pathlib import Path

from service.core.base_model import describe
from service.core.bundle import Bundle, write_bundle
from service.core.calibration import Calibration, PlattCurve
from service.core.concept_eraser import ConceptEraser
from service.core.manifest import DecisionRule, Manifest, Prefixes
from service.core.redaction.policy import RedactionPolicy
from training.bundles.candidate import make_reference_vectors

CURVE = PlattCurve(slope=10.0, intercept=-5.0)
CALIBRATION = Calibration(with_title=CURVE, without_title=CURVE, pairs=100, prevalence=0.25)
RULE = DecisionRule(threshold=0.6, borderline=(0.5, 0.7), rule="set for the tests", constraint="none")


def write_test_bundle(
    path: Path,
    base_model: str,
    *,
    job_prefix: str = "",
    adapter: Path | None = None,
    eraser: ConceptEraser | None = None,
) -> Bundle:
    """A bundle of `base_model` with a calibration made up for tests."""
    base = describe(base_model)
    manifest = Manifest(
        name="test-bundle",
        version="1.0.0",
        base_model=base.spec,
        pooling=base.pooling,
        prefixes=Prefixes(job=job_prefix),
        max_tokens=base.max_tokens,
        redaction=RedactionPolicy(),
        files={},
    )
    parts = {
        "calibration.json": CALIBRATION,
        "decision.json": RULE,
        "probes.json": make_reference_vectors(base, manifest, adapter, eraser),
    }
    return write_bundle(path, manifest, parts, adapter=adapter, eraser=eraser)
