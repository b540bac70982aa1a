"""Every setting, once. The README's table is generated from this class."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import DirectoryPath, Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from service.core.groups import GroupSchema
from service.core.redaction.policy import Category
from service.runtime.devices import EngineSetting
from service.runtime.runtime import RuntimeOptions

BUNDLES = Path(__file__).resolve().parent.parent / "bundles"


class Settings(BaseSettings):
    """Read from the environment (`EVENMATCH_` and the field's name) and from files of secrets.

    The command line goes before both.
    """

    model_config = SettingsConfigDict(env_prefix="EVENMATCH_", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65_535, description="TCP port; 0 takes a free one.")
    data_dir: Path = Field(
        Path("~/.evenmatch"), description="Folder for what the service writes: converted models."
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
    batch_tokens: int = Field(4_096, ge=8, description="Most tokens in one engine call.")
    queue_tokens: int = Field(400_000, ge=8, description="Most tokens waiting; above it requests get 429.")
    cache_mib: int = Field(32, ge=0, le=65_536, description="Memory for the embedding cache, in MiB.")
    stall_seconds: float = Field(
        120.0, gt=0, description="An engine call longer than this counts as hung; the worker is replaced."
    )
    ready_seconds: float = Field(5.0, gt=0, description="Longest forward pass that readiness accepts.")
    drain_seconds: float = Field(30.0, gt=0, description="Time given to open requests after SIGTERM.")
    max_candidates: int = Field(200, ge=1, description="Most candidates in one `/v1/score` request.")
    max_inputs: int = Field(
        256, ge=1, description="Most texts in one `/v1/embed` or `/v1/embeddings` request."
    )
    max_audit_texts: int = Field(
        5_000, ge=1, description="Most distinct texts that one audit may score, variants included."
    )
    max_text_characters: int = Field(100_000, ge=1, description="Most characters in one resume, job or text.")
    max_body_bytes: int = Field(8 * 2**20, ge=1_024, description="Largest request body, in bytes.")
    redact_categories: tuple[Category, ...] | None = Field(
        None,
        description="What redaction hides, a JSON list (docs/redaction.md); empty: the bundle's policy.",
    )
    redact_entities: str | None = Field(
        None, description="A spaCy model that looks for names beside the rules; needs the extra `ner`."
    )
    groups: GroupSchema = Field(
        GroupSchema(), description="Attributes and groups for monitoring, as JSON (see docs/groups.md)."
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
        return self

    @property
    def bundle_path(self) -> Path:
        """The bundle's folder: a shipped bundle by its name, anything with a slash as a path."""
        shipped = BUNDLES / self.bundle
        if "/" not in self.bundle and shipped.is_dir():
            return shipped
        return Path(self.bundle).expanduser()

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
            ready_models=self.models_dir,
        )
