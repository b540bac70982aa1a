"""Bodies of `GET /v1/model` and the health checks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from service.api.schemas.base import Body
from service.core.cohort import CohortPolicy
from service.core.cohort_manifest import CohortWarning


class BundleOut(Body):
    name: str
    version: str
    digest: str = Field(description="SHA-256 of the manifest, which holds the hash of every file.")
    adapter: bool
    eraser_directions: int = Field(
        description="How many directions a linear concept eraser takes out of every vector; 0 without one."
    )


class BaseModelOut(Body):
    id: str
    revision: str | None
    weights_sha256: str
    pooling: str
    max_tokens: int
    dimensions: int


class EngineOut(Body):
    name: str
    device: str
    precision: str
    threads: int
    batch_invariant: bool = Field(description="Tried at start: a text's vector is the same in any batch.")
    reason: str = Field(description="Why this engine was chosen.")


class DecisionOut(Body):
    threshold: float = Field(description="At the prevalence in force.")
    borderline: tuple[float, float] = Field(description="At the prevalence in force.")
    rule: str
    constraint: str
    calibration_prevalence: float = Field(
        description="Share of matches in the calibration data, for which the bundle's own probabilities hold."
    )
    prevalence: float = Field(
        description="Share of matches in force where a request names none: `EVENMATCH_PREVALENCE`, or "
        "`calibration_prevalence`."
    )


class CohortTextsOut(Body):
    used: int = Field(description="Texts in the cohort.")
    passages: int


class CohortOut(Body):
    digest: str = Field(description="SHA-256 of `cohort.json`, which holds the hash of the vectors.")
    created: datetime
    expires: datetime | None = Field(description="From when on it is refused at a start.")
    resumes: CohortTextsOut
    postings: CohortTextsOut
    policy: CohortPolicy = Field(description="How scores are normalised.")
    warnings: tuple[CohortWarning, ...] = Field(description="Why it may normalise badly, or not at all.")


class LimitsOut(Body):
    max_candidates: int
    max_inputs: int
    max_audit_texts: int
    max_text_characters: int
    max_title_characters: int
    max_body_bytes: int
    max_request_tokens: int = Field(description="Also the most words of a request, before redaction.")
    max_audit_characters: int
    max_passages: int = Field(description="Most vectors or explained passages in one answer.")


class RedactionOut(Body):
    version: int = Field(description="Version of the redaction policy.")
    categories: list[str] = Field(description="What is hidden here.")
    bundle_categories: list[str] = Field(description="What was hidden when the bundle was calibrated.")


class ModelResponse(Body):
    bundle: BundleOut
    base_model: BaseModelOut
    engine: EngineOut
    decision: DecisionOut
    redaction: RedactionOut
    cohort: CohortOut | None = Field(
        None, description="What scores are normalised by (docs/cohorts.md); null without a cohort."
    )
    limits: LimitsOut
    groups: dict[str, tuple[str, ...]] = Field(description="Attributes and groups that are accepted.")


class LiveResponse(Body):
    status: Literal["alive"] = "alive"


class ReadyResponse(Body):
    status: Literal["ready"] = "ready"
    forward_pass_ms: float
    store: Literal["ok", "spooling"] = Field(
        description="Where decisions go: to the database, or to disk while it is away or catches up."
    )
