"""The bundle: its only reader and its only writer.

A bundle is a folder. `manifest.json` holds the SHA-256 of every other file; a file that is
missing, changed or not listed makes the whole bundle unusable (`BundleError`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from service.core.calibration import Calibration
from service.core.eraser import ERASER, Eraser, parse_eraser
from service.core.errors import BundleError
from service.core.folders import draft_of
from service.core.hashing import sha256_bytes, sha256_file
from service.core.manifest import (
    FORMAT_VERSION,
    DecisionRule,
    Manifest,
    Probes,
)

MANIFEST = "manifest.json"
REQUIRED = ("calibration.json", "decision.json", "probes.json")

_Schema = TypeVar("_Schema", bound=BaseModel)


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and verified. `digest` is the SHA-256 of its manifest, hence of all of it.

    `eraser` is None for a bundle that erases nothing.
    """

    path: Path
    digest: str
    manifest: Manifest
    calibration: Calibration
    decision: DecisionRule
    probes: Probes
    eraser: Eraser | None = field(default=None, compare=False)  # the digest covers it

    @property
    def adapter_path(self) -> Path | None:
        """The PEFT adapter's folder, or None for a bundle that is the plain base model."""
        return self.path / "adapter" if self.manifest.has_adapter else None

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
    file (with both hashes), an unknown format version, and on JSON that does not fit the schema.
    """
    if not path.is_dir():
        raise BundleError(f"no bundle at {path}: not a folder")
    manifest_file = path / MANIFEST
    raw = _read_bytes(manifest_file)
    _check_format_version(raw, manifest_file)
    manifest = _parse(Manifest, raw, manifest_file)
    _check_files(path, manifest)
    calibration = _parse(Calibration, _read_bytes(path / "calibration.json"), path / "calibration.json")
    decision = _parse(DecisionRule, _read_bytes(path / "decision.json"), path / "decision.json")
    probes = _parse(Probes, _read_bytes(path / "probes.json"), path / "probes.json")
    for i, probe in enumerate(probes.probes):
        if len(probe.vector) != manifest.base_model.dimensions:
            raise BundleError(
                f"{path / 'probes.json'}: probe {i} has {len(probe.vector)} dimensions; "
                f"the base model has {manifest.base_model.dimensions}"
            )
    return Bundle(
        path=path,
        digest=sha256_bytes(raw),
        manifest=manifest,
        calibration=calibration,
        decision=decision,
        probes=probes,
        eraser=_read_eraser(path / ERASER, manifest) if manifest.has_eraser else None,
    )


def write_bundle(
    path: Path,
    manifest: Manifest,
    parts: Mapping[str, BaseModel | dict[str, Any] | str],
    *,
    adapter: Path | None = None,
    eraser: Eraser | None = None,
    overwrite: bool = False,
) -> Bundle:
    """Write a bundle to `path` and return it as read back.

    `parts` maps file names to a schema object or dict (written as JSON) or to text; `adapter` is a
    folder in PEFT's format. `manifest.files` is filled in here. Everything is written to a hidden
    folder beside `path`, the manifest last, and put in place in one step, so a half-written bundle is
    never found under its name. Raises `BundleError` if `path` exists and `overwrite` is false, or if
    a required file is not among the parts.
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
    """Raises `BundleError` if a bundle cannot be put at `path`: what stands there must be a bundle itself.

    Whatever is overwritten is deleted, so a folder of something else never is.
    """
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise BundleError(f"{path} exists already; choose another place or ask to overwrite it")
    if not (path / MANIFEST).is_file() and not (path.is_dir() and not any(path.iterdir())):
        raise BundleError(f"{path} is not a bundle and is not overwritten; choose another place")


def _write(file: Path, part: BaseModel | dict[str, Any] | str) -> None:
    if isinstance(part, BaseModel):
        part = part.model_dump(mode="json")
    text = part if isinstance(part, str) else json.dumps(part, indent=2, ensure_ascii=False) + "\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")


def _read_eraser(file: Path, manifest: Manifest) -> Eraser:
    try:
        return parse_eraser(_read_bytes(file), manifest.base_model.dimensions)
    except BundleError as error:
        raise BundleError(f"{file}: {error.message}") from None


def _check_format_version(raw: bytes, file: Path) -> None:
    """Say "unknown format version" rather than a list of the fields that a newer format has."""
    try:
        content = json.loads(raw)
    except ValueError as error:
        raise BundleError(f"{file} is not JSON: {error}") from None
    version = content.get("format_version") if isinstance(content, dict) else None
    if version != FORMAT_VERSION:
        raise BundleError(f"{file}: unknown format_version {version!r}; this release reads {FORMAT_VERSION}")


def _check_files(path: Path, manifest: Manifest) -> None:
    unlisted_required = [name for name in REQUIRED if name not in manifest.files]
    if unlisted_required:
        raise BundleError(f"{path / MANIFEST}: `files` does not list {', '.join(unlisted_required)}")
    for name, expected in manifest.files.items():
        file = path / name
        if not file.is_file():
            raise BundleError(f"{file} is missing; the manifest lists it")
        actual = sha256_file(file)
        if actual != expected:
            raise BundleError(f"{file} was changed: SHA-256 {actual}, the manifest says {expected}")
    listed = {MANIFEST, *manifest.files}
    for file in _files_in(path):
        if _name_in(path, file) not in listed:
            raise BundleError(f"{file} is foreign: the manifest does not list it")


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
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BundleError(f"{file}: {where}: {first['msg']}") from None
