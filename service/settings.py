"""Every setting, once. The README's table is generated from this class."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import DirectoryPath, Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from service.core.counterfactual.variants import ATTRIBUTES, Attribute
from service.core.counterfactual_audit.plan import DEFAULT_MAX_CHARACTERS, MAX_CONTROLS, MAX_NAMES, MIN_NAMES
from service.core.groups import GroupSchema
from service.core.redaction.policy import Category
from service.runtime.devices import EngineSetting
from service.runtime.runtime import RuntimeOptions
from service.runtime.shadow import ShadowOptions
from service.store.outcomes import OutcomeKind
from service.store.recorder import StoreOptions
from service.store.retention import MAX_DAYS, SIX_MONTHS_DAYS
from service.store.writer import Policy

BUNDLES = Path(__file__).resolve().parent / "bundles"


class Settings(BaseSettings):
    """Read from the environment (`EVENMATCH_` and the field's name) and from files of secrets.

    The command line goes before both.
    """

    model_config = SettingsConfigDict(env_prefix="EVENMATCH_", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65_535, description="TCP port; 0 takes a free one.")
    data_dir: Path = Field(
        Path("~/.evenmatch"),
        description="Folder for what the service writes: converted models, decisions, the log's key.",
    )
    models_dir: Path | None = Field(
        None,
        description="Folder of models that `evenmatch convert` made ahead of time; it is only read.",
    )
    secrets_dir: DirectoryPath | None = Field(
        None,
        description="Folder of secret settings, a file each, named as the variable but in lower case.",
    )
    bundle: str = Field("minilm-fair", description="Name of a shipped bundle, or a bundle's folder.")
    base_model: str | None = Field(
        None,
        description="Where the bundle's base model lies, if not where the bundle says; hashes must agree.",
    )
    engine: EngineSetting = Field("auto", description="Inference engine; `auto` takes the fastest here.")
    threads: int = Field(0, ge=0, le=256, description="CPU cores for inference; 0 takes all usable ones.")
    workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Serving processes behind the port; each loads the model, they share the cores.",
    )
    batch_tokens: int = Field(4_096, ge=8, description="Most tokens in one engine call.")
    queue_tokens: int = Field(
        400_000,
        ge=8,
        description="Most words and tokens waiting, and in one request; above it requests get 429 or 413.",
    )
    cache_mib: int = Field(32, ge=0, le=65_536, description="Memory for the embedding cache, in MiB.")
    stall_seconds: float = Field(
        120.0, gt=0, description="An engine call longer than this counts as hung; the worker is replaced."
    )
    ready_seconds: float = Field(5.0, gt=0, description="Longest forward pass that readiness accepts.")
    drain_seconds: float = Field(30.0, gt=0, description="Time given to open requests after SIGTERM.")
    start_seconds: float = Field(
        600.0,
        gt=0,
        description="With several workers: one that does not serve so long after its start is replaced.",
    )
    keep_alive_seconds: int = Field(
        75,
        ge=1,
        description="Seconds that a connection stays open between two requests; above the proxy's own.",
    )
    header_seconds: float = Field(
        20.0, gt=0, description="Time for a request's header, from the connection's or the header's begin."
    )
    body_seconds: float = Field(
        20.0,
        gt=0,
        description="Time for a request's body; bytes that arrive earn time back, 10,000 a second.",
    )
    write_seconds: float = Field(
        60.0, gt=0, description="Longest time in which a client reads nothing of its answer."
    )
    max_connections: int = Field(
        1_000,
        ge=8,
        description="Most open connections of one process; fewer where too few files may be open.",
    )
    max_candidates: int = Field(200, ge=1, description="Most candidates in one `/v1/score` request.")
    max_inputs: int = Field(
        256, ge=1, description="Most texts in one `/v1/embed` or `/v1/embeddings` request."
    )
    max_audit_texts: int = Field(
        5_000, ge=1, description="Most distinct texts that one audit may score, variants included."
    )
    max_text_characters: int = Field(100_000, ge=1, description="Most characters in one resume, job or text.")
    max_audit_characters: int = Field(
        DEFAULT_MAX_CHARACTERS,
        ge=1,
        description="Most characters in all texts that one audit may score, variants included.",
    )
    max_passages: int = Field(
        8_192, ge=1, description="Most vectors, or explained passages, in one answer; each passage has one."
    )
    max_body_bytes: int = Field(8 * 2**20, ge=1_024, description="Largest request body, in bytes.")
    max_inflight_bytes: int = Field(
        16 * 2**20,
        ge=1_024,
        description="Most bytes of bodies that one process holds at a time; above it requests get 429.",
    )
    max_requests: int = Field(
        256,
        ge=1,
        description="Most requests with a body that one process has open; above it requests get 429.",
    )
    redact_categories: tuple[Category, ...] | None = Field(
        None,
        description="What redaction hides, a JSON list (docs/redaction.md); empty: the bundle's policy.",
    )
    redact_entities: str | None = Field(
        None, description="A spaCy model that looks for names beside the rules; needs the extra `ner`."
    )
    shadow_audit_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of scored candidates that is audited in the background (docs/metrics.md).",
    )
    shadow_audits_per_request: int = Field(
        1, ge=1, description="Most candidates of one request chosen for a shadow audit."
    )
    shadow_audit_attributes: tuple[Attribute, ...] = Field(
        ATTRIBUTES, min_length=1, description="Attributes that shadow audits change, a JSON list."
    )
    shadow_audit_names: int = Field(
        2,
        ge=MIN_NAMES,
        le=MAX_NAMES,
        description="Names (schools, postal codes ...) of each group in a shadow audit.",
    )
    shadow_audit_controls: int = Field(
        4, ge=2, le=MAX_CONTROLS, description="Benign edits in a shadow audit: its noise floor."
    )
    shadow_audit_bare: bool = Field(
        False,
        description="Shadow audits score without redaction, whatever the request asked: the bare model.",
    )
    shadow_audit_backlog: int = Field(
        8, ge=1, le=1_000, description="Candidates that may wait for a shadow audit; more are dropped."
    )
    shadow_audit_seconds: float = Field(
        60.0, gt=0, description="Longest that a candidate's text is held for a shadow audit."
    )
    groups: GroupSchema = Field(
        GroupSchema(), description="Attributes and groups for monitoring, as JSON (see docs/groups.md)."
    )
    database_url: str = Field(
        "",
        repr=False,
        description="Where decisions are kept (docs/decision-log.md): a `sqlite:///` or `postgresql://` URL; "
        "empty: a SQLite file in `data_dir`.",
    )
    database_seconds: float = Field(
        10.0,
        ge=1,
        le=60,
        description="Longest that decisions wait for the database (a lock, a server that does not answer) "
        "before they go to the spool; one question to PostgreSQL may take six times as long.",
    )
    durable: bool = Field(
        True,
        description="Answer `/v1/score` only after its decisions are committed or on disk; `false`: a crash "
        "loses the last ones.",
    )
    store_failure: Policy = Field(
        "spool",
        description="While the database is away, keep decisions on disk or refuse to make any.",
    )
    retention_days: int = Field(
        200,
        ge=SIX_MONTHS_DAYS,
        le=MAX_DAYS,
        description="Days after which decisions are purged; six months at least.",
    )
    log_key: SecretStr = Field(
        SecretStr(""),
        description="Secret of the decision log's hash chain; empty: made once, in a file in `data_dir`.",
    )
    ground_truth: OutcomeKind = Field(
        "label", description="Which outcomes count as the truth where nothing else is asked."
    )
    max_outcomes: int = Field(
        1_000, ge=1, le=10_000, description="Most outcomes in one `/v1/outcomes/bulk` request."
    )
    clock_skew_seconds: float = Field(
        300.0, ge=0, le=86_400, description="How far the clock of who sends outcomes may differ, in seconds."
    )
    fairness_seconds: float = Field(
        60.0, ge=1, le=3_600, description="Seconds between two refreshes of the live fairness gauges."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log level."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The command line, then the environment, then the files of `secrets_dir`."""
        folder = (env_settings() | init_settings()).get("secrets_dir")
        if folder is None or not Path(folder).is_dir():  # the field's own check refuses what is no folder
            return init_settings, env_settings
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, secrets_dir=folder)

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.queue_tokens < self.batch_tokens:
            raise ValueError(
                f"queue_tokens ({self.queue_tokens}) must not be below batch_tokens ({self.batch_tokens})"
            )
        if self.max_inflight_bytes < self.max_body_bytes:
            raise ValueError(
                f"max_inflight_bytes ({self.max_inflight_bytes}) must not be below max_body_bytes "
                f"({self.max_body_bytes})"
            )
        if len(set(self.shadow_audit_attributes)) != len(self.shadow_audit_attributes):
            raise ValueError("shadow_audit_attributes names one of them twice")
        return self

    def shadow_options(self) -> ShadowOptions:
        return ShadowOptions(
            share=self.shadow_audit_share,
            per_request=self.shadow_audits_per_request,
            attributes=self.shadow_audit_attributes,
            names_per_group=self.shadow_audit_names,
            controls=self.shadow_audit_controls,
            bare=self.shadow_audit_bare,
            backlog=self.shadow_audit_backlog,
            hold_seconds=self.shadow_audit_seconds,
        )

    @property
    def bundle_path(self) -> Path:
        """The bundle's folder: a shipped bundle by its name, anything with a slash as a path."""
        shipped = BUNDLES / self.bundle
        if "/" not in self.bundle and shipped.is_dir():
            return shipped
        return Path(self.bundle).expanduser()

    def store_options(self) -> StoreOptions:
        return StoreOptions(
            data_dir=self.data_dir.expanduser(),
            url=self.database_url,
            key=self.log_key.get_secret_value(),
            durable=self.durable,
            on_failure=self.store_failure,
            retention_days=self.retention_days,
            timeout=self.database_seconds,
        )

    @property
    def store_url(self) -> str:
        """The database's URL."""
        return self.store_options().database_url

    def runtime_options(self) -> RuntimeOptions:
        return RuntimeOptions(
            bundle=self.bundle_path,
            cache=self.data_dir.expanduser() / "models",
            engine=self.engine,
            threads=self.threads,
            base_model=self.base_model,
            batch_tokens=self.batch_tokens,
            queue_tokens=self.queue_tokens,
            embedding_cache_bytes=self.cache_mib * 2**20,
            stall_seconds=self.stall_seconds,
            max_text_characters=self.max_text_characters,
            redact_categories=self.redact_categories,
            redact_entities=self.redact_entities,
            max_audit_resumes=self.max_candidates,
            max_audit_texts=self.max_audit_texts,
            max_audit_characters=self.max_audit_characters,
            ready_models=self.models_dir,
        )
