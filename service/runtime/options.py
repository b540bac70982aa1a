"""The parts of the settings that the runtime reads: the model, redaction, and how much a request may hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.core.calibration import Prevalence
from service.core.counterfactual_audit.plan import DEFAULT_MAX_CHARACTERS, DEFAULT_MAX_TEXTS
from service.core.documents import MAX_TEXT_CHARACTERS
from service.core.redaction.policy import Category
from service.runtime.devices import EngineSetting

BUNDLES = Path(__file__).resolve().parents[1] / "bundles"
"""The shipped bundles."""


class ModelOptions(BaseModel):
    """What is loaded, and how it computes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bundle: str = Field("minilm-fair", description="Name of a shipped bundle, or a bundle's folder.")
    cohort: Path | None = Field(
        None,
        description="Folder of the cohort that scores are normalised by (docs/cohorts.md); empty: none.",
    )
    base_model: str | None = Field(
        None,
        description="Where the bundle's base model lies, if not where the bundle says; hashes must agree.",
    )
    models_dir: Path | None = Field(
        None,
        description="Folder of models that `evenmatch convert` made ahead of time; it is only read.",
    )
    prevalence: Prevalence | None = Field(
        None,
        description="Share of true matches, in (0, 1), for which probabilities are given where a request "
        "says none (docs/calibration.md). Left out: that of the bundle's calibration. No decision depends on "
        "it.",
    )
    engine: EngineSetting = Field("auto", description="Inference engine; `auto` takes the fastest here.")
    threads: int = Field(0, ge=0, le=256, description="CPU cores for inference; 0 takes all usable ones.")
    batch_tokens: int = Field(4_096, ge=8, description="Most tokens in one engine call.")
    queue_tokens: int = Field(
        400_000,
        ge=8,
        description="Most words and tokens waiting, and in one request; above it requests get 429 or 413.",
    )
    accept_token_arrays: bool = Field(
        False,
        description="Take lists of token ids in `/v1/embeddings`, from clients that use this model's own "
        "tokenizer.",
    )
    cache_mib: int = Field(32, ge=0, le=65_536, description="Memory for the embedding cache, in MiB.")
    stall_seconds: float = Field(
        120.0, gt=0, description="An engine call longer than this counts as hung; the worker is replaced."
    )
    ready_seconds: float = Field(5.0, gt=0, description="Longest forward pass that readiness accepts.")

    @model_validator(mode="after")
    def _one_batch_fits(self) -> ModelOptions:
        if self.queue_tokens < self.batch_tokens:
            raise ValueError(
                f"queue_tokens ({self.queue_tokens}) must not be below batch_tokens ({self.batch_tokens})"
            )
        return self

    @property
    def bundle_path(self) -> Path:
        """The bundle's folder: a shipped bundle by its name, anything with a slash as a path."""
        shipped = BUNDLES / self.bundle
        if "/" not in self.bundle and shipped.is_dir():
            return shipped
        return Path(self.bundle).expanduser()


class RedactionOptions(BaseModel):
    """What redaction hides beside, or instead of, what the bundle's policy says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    categories: tuple[Category, ...] | None = Field(
        None,
        description="What redaction hides, a JSON list (docs/redaction.md); empty: the bundle's policy.",
    )
    entities: str | None = Field(
        None, description="A spaCy model that looks for names beside the rules; needs the extra `ner`."
    )


class RequestLimits(BaseModel):
    """How much one request may hold, and how much all of them together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_candidates: int = Field(200, ge=1, description="Most candidates in one `/v1/score` request.")
    max_inputs: int = Field(
        2_048, ge=1, description="Most texts in one `/v1/embed` or `/v1/embeddings` request."
    )
    max_outcomes: int = Field(
        1_000, ge=1, le=10_000, description="Most outcomes in one `/v1/outcomes/bulk` request."
    )
    max_text_characters: int = Field(
        MAX_TEXT_CHARACTERS, ge=1, description="Most characters in one resume, job or text."
    )
    max_audit_texts: int = Field(
        DEFAULT_MAX_TEXTS,
        ge=1,
        description="Most distinct texts that one audit may score, variants included.",
    )
    max_audit_characters: int = Field(
        DEFAULT_MAX_CHARACTERS,
        ge=1,
        description="Most characters in all texts that one audit may score, variants included.",
    )
    max_passages: int = Field(
        8_192, ge=1, description="Most vectors, or explained passages, in one answer; each passage has one."
    )
    max_body_bytes: int = Field(8 * 2**20, ge=1_024, description="Largest request body, in bytes.")
    max_form_bytes: int = Field(
        32 * 2**20,
        ge=1_024,
        description="Largest body with documents, as multipart/form-data; at most the bytes in flight.",
    )
    max_inflight_bytes: int = Field(
        64 * 2**20,
        ge=1_024,
        description="Most bytes of bodies that one process holds at a time; above it requests get 429.",
    )
    max_requests: int = Field(
        256,
        ge=1,
        description="Most requests with a body that one process has open; above it requests get 429.",
    )

    @model_validator(mode="after")
    def _one_body_fits(self) -> RequestLimits:
        if self.max_inflight_bytes < self.max_body_bytes:
            raise ValueError(
                f"max_inflight_bytes ({self.max_inflight_bytes}) must not be below max_body_bytes "
                f"({self.max_body_bytes})"
            )
        return self


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """What a runtime is built from. `cache`: folder for converted models."""

    cache: Path
    model: ModelOptions = field(default_factory=ModelOptions)
    redaction: RedactionOptions = field(default_factory=RedactionOptions)
    limits: RequestLimits = field(default_factory=RequestLimits)
