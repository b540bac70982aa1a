"""The bundle: its only reader and its only writer.

A bundle is a folder. `manifest.json` holds the SHA-256 of every other file; a file that is
missing, changed or not listed makes the whole bundle unusable (`BundleError`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from service.core.calibration import Calibration, PriorShift
from service.core.concept_eraser import ERASER, ConceptEraser, parse_concept_eraser
from service.core.errors import BundleError
from service.core.files import draft_of, is_in_the_way, sha256_bytes, sha256_file
from service.core.manifest import (
    FORMAT_VERSION,
    DecisionRule,
    Manifest,
    ReferenceVectors,
)
from service.core.printable import shortened

MANIFEST = "manifest.json"
REQUIRED = ("calibration.json", "decision.json", "probes.json")
KINDS = (".json", ".safetensors", ".csv", ".html", ".md")
"""What a bundle's files may be: data and text. Above all no pickle, which runs code when it is read."""

_ADAPTER = ("adapter/adapter_config.json", "adapter/adapter_model.safetensors")

_Schema = TypeVar("_Schema", bound=BaseModel)


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and verified. `digest` is the SHA-256 of its manifest, and so of all of it.

    `eraser` is None for a bundle that erases nothing.
    """

    path: Path
    digest: str
    manifest: Manifest
    calibration: Calibration
    decision: DecisionRule
    reference_vectors: ReferenceVectors
    eraser: ConceptEraser | None = field(default=None, compare=False)  # the digest covers it

    @property
    def adapter_path(self) -> Path | None:
        """The PEFT adapter's folder, or None for a bundle that is the plain base model."""
        return self.path / "adapter" if self.manifest.has_adapter else None

    def at_prevalence(self, prevalence: float | None) -> PriorShift:
        """How probabilities are reported where a share `prevalence` matches; None: as they are."""
        of = self.calibration.prevalence
        return PriorShift(of, of if prevalence is None else prevalence, self.decision.threshold)

    @property
    def makeup(self) -> str:
        """What the vectors come from, in words: base model, adapter, eraser."""
        parts = [self.manifest.base_model.id]
        if self.manifest.has_adapter:
            parts.append("adapter")
        if self.eraser is not None:
            parts.append(f"eraser of {self.eraser.directions} directions")
        return " + ".join(parts)


def read_bundle(path: Path) -> Bundle:
    """Read and verify the bundle in folder `path`.

    Raises `BundleError`, which names the file, on a missing folder or file, a changed or unlisted
    file (with both hashes), a file of another kind than `KINDS`, an adapter without its weights, an
    unknown format version, and on JSON that does not fit the schema.
    """
    if not _stat_says(path.is_dir, path):
        raise BundleError(f"no bundle at {path}: not a folder")
    manifest_file = path / MANIFEST
    raw = _read_bytes(manifest_file)
    _check_format_version(raw, manifest_file)
    manifest = _parse(Manifest, raw, manifest_file)
    _check_files(path, manifest)
    calibration = _parse(Calibration, _read_bytes(path / "calibration.json"), path / "calibration.json")
    decision = _parse(DecisionRule, _read_bytes(path / "decision.json"), path / "decision.json")
    reference = _parse(ReferenceVectors, _read_bytes(path / "probes.json"), path / "probes.json")
    for i, one in enumerate(reference.probes):
        if len(one.vector) != manifest.base_model.dimensions:
            raise BundleError(
                f"{path / 'probes.json'}: reference vector {i} has {len(one.vector)} dimensions; "
                f"the base model has {manifest.base_model.dimensions}"
            )
    return Bundle(
        path=path,
        digest=sha256_bytes(raw),
        manifest=manifest,
        calibration=calibration,
        decision=decision,
        reference_vectors=reference,
        eraser=_read_eraser(path / ERASER, manifest) if manifest.has_eraser else None,
    )


def write_bundle(
    path: Path,
    manifest: Manifest,
    parts: Mapping[str, BaseModel | dict[str, Any] | str],
    *,
    adapter: Path | None = None,
    eraser: ConceptEraser | None = None,
    overwrite: bool = False,
) -> Bundle:
    """Write a bundle to `path` and return it as read back.

    `parts` maps file names to a schema object or dict (written as JSON) or to text; `adapter` is a
    folder in PEFT's format. `manifest.files` is filled in here. Everything is written to a hidden
    folder beside `path`, the manifest last, and put in place in one step, so a half-written bundle is
    never found under its name. Raises `BundleError` as `check_place` does, or if a required file is not
    among the parts.
    """
    missing = [name for name in REQUIRED if name not in parts]
    if missing:
        raise BundleError(f"a bundle needs {', '.join(missing)}")
    check_place(path, overwrite=overwrite)
    with draft_of(path) as draft:
        for name, part in parts.items():
            _write(draft / name, part)
        if adapter is not None:
            shutil.copytree(adapter, draft / "adapter")
        if eraser is not None:
            (draft / ERASER).write_bytes(eraser.to_bytes())
        hashes = {_name_in(draft, file): sha256_file(file) for file in _files_in(draft)}
        _write(draft / MANIFEST, manifest.model_copy(update={"files": hashes}))
        read_bundle(draft)
    return read_bundle(path)


def check_place(path: Path, *, overwrite: bool) -> None:
    """May a bundle be written to `path`? To be asked before work that takes hours.

    Raises `BundleError` if `path` exists and `overwrite` is false, or if what stands there is no bundle.
    """
    if path.exists() and not overwrite:
        raise BundleError(f"{path} exists already; choose another place or ask to overwrite it")
    if is_in_the_way(path, sign=MANIFEST):
        raise BundleError(f"{path} is not a bundle (it has no {MANIFEST}), so it is not overwritten")


def _write(file: Path, part: BaseModel | dict[str, Any] | str) -> None:
    if isinstance(part, BaseModel):
        part = part.model_dump(mode="json")
    text = part if isinstance(part, str) else json.dumps(part, indent=2, ensure_ascii=False) + "\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")


def _read_eraser(file: Path, manifest: Manifest) -> ConceptEraser:
    try:
        return parse_concept_eraser(_read_bytes(file), manifest.base_model.dimensions)
    except BundleError as error:
        raise BundleError(f"{file}: {error.message}") from None


def _check_format_version(raw: bytes, file: Path) -> None:
    """Say "unknown format version" rather than a list of the fields that a newer format has."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{file} is not JSON: {error}") from None
    version = content.get("format_version") if isinstance(content, dict) else None
    if version != FORMAT_VERSION:
        said = shortened(str(version)) if isinstance(version, int) else f"of type {type(version).__name__}"
        raise BundleError(f"{file}: unknown format_version {said}; this release reads {FORMAT_VERSION}")


def _check_files(path: Path, manifest: Manifest) -> None:
    unlisted_required = [name for name in REQUIRED if name not in manifest.files]
    if unlisted_required:
        raise BundleError(f"{path / MANIFEST}: `files` does not list {', '.join(unlisted_required)}")
    config, weights = _ADAPTER
    if (config in manifest.files) != (weights in manifest.files):
        raise BundleError(f"{path / MANIFEST}: `files` lists one of {config} and {weights} without the other")
    for name, expected in manifest.files.items():
        file = path / name
        if file.suffix not in KINDS:
            raise BundleError(f"{file} is none of {', '.join(KINDS)}: no bundle holds such a file")
        if not _stat_says(file.is_file, file):
            raise BundleError(f"{file} is missing; the manifest lists it")
        actual = _hash(file)
        if actual != expected:
            raise BundleError(f"{file} was changed: SHA-256 {actual}, the manifest says {expected}")
    listed = {MANIFEST, *manifest.files}
    for file in _files_in(path):
        if _name_in(path, file) not in listed:
            raise BundleError(f"{file} is foreign: the manifest does not list it")


def _stat_says(question: Callable[[], bool], place: Path) -> bool:
    """`place.is_file()` and the like, which raise an `OSError` on a path that is too long as a whole."""
    try:
        return question()
    except OSError as error:
        raise BundleError(f"{shortened(str(place))} cannot be read: {error.strerror}") from None


def _hash(file: Path) -> str:
    try:
        return sha256_file(file)
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror}") from None


def _files_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _name_in(folder: Path, file: Path) -> str:
    return file.relative_to(folder).as_posix()


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise BundleError(f"{file} is missing") from None
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror}") from None


def _parse(schema: type[_Schema], raw: bytes, file: Path) -> _Schema:
    try:
        return schema.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(shortened(str(part)) for part in first["loc"]) or "the file"
        limit = first.get("ctx", {}).get("max_length")
        given = first["input"]
        actual = len(given) if limit is not None and isinstance(given, str | dict | list) else None
        said = shortened(first["msg"], 300) + ("" if actual is None else f"; it has {actual:,}")
        raise BundleError(f"{file}: {where}: {said}", field=where, limit=limit, actual=actual) from None
