"""The folder of a cohort: its only reader and its only writer.

`cohort.json` says what the vectors are of and how scores are normalised by them, and holds the SHA-256 of
`vectors.safetensors`; the cohort's digest is the SHA-256 of `cohort.json`, and so of all of it. It holds no
text and no id. Vectors of redacted texts are personal data all the same: both files are their owner's only.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError

from service.core.bundle import Bundle
from service.core.cohort import Cohort, CohortPolicy, Levels, Posting, References, levels_of
from service.core.cohort_manifest import (
    FORMAT_VERSION,
    CohortBundle,
    CohortManifest,
    CohortRedaction,
    CountedTexts,
    agreement_of,
    warnings_of,
)
from service.core.errors import CohortError
from service.core.files import draft_of, is_in_the_way, private_bytes, sha256_bytes
from service.core.printable import shortened
from service.core.redaction.policy import Category
from service.core.scorer import Scorer
from service.core.vectors import Vectors

COHORT = "cohort.json"
VECTORS = "vectors.safetensors"

STORED = np.float16
"""On real texts it moves raw scores against references by up to 4e-5 and normalised ones by up to 1.3e-5, of
a spread of 0.07 (docs/cohorts.md). What is stored is what levels are computed from, so that scores are
reproduced exactly."""

_UNIT = 1e-2
"""How far the length of a stored vector may be from 1."""


@dataclass(frozen=True)
class ReadCohort:
    """A cohort as it was read; `fitted` makes one of it that a bundle can use."""

    path: Path
    manifest: CohortManifest
    digest: str
    references: References
    levels: Levels


@dataclass(frozen=True)
class FittedCohort:
    """A cohort that fits the loaded bundle, ready to normalise its scores."""

    manifest: CohortManifest
    cohort: Cohort


@dataclass(frozen=True, slots=True)
class CohortMaking:
    """What is said of a cohort beside its vectors."""

    redaction: CohortRedaction
    engine: str
    precision: str
    policy: CohortPolicy
    seed: int
    resumes: CountedTexts
    postings: CountedTexts
    created: datetime
    expires: datetime | None = None


def write_cohort(
    path: Path, bundle: Bundle, references: References, making: CohortMaking, *, overwrite: bool = False
) -> ReadCohort:
    """Compute the levels, write the folder in one step, and return it as read back.

    Raises `CohortError` as `check_place` does, or without a resume or a posting.
    """
    check_place(path, overwrite=overwrite)
    if not references.resumes or not references.postings:
        kind = "resumes" if not references.resumes else "postings"
        raise CohortError(f"a cohort needs resumes and postings, and there are no {kind}")
    stored = References(
        [_as_stored(vectors) for vectors in references.resumes],
        [
            Posting(
                _as_stored(posting.body),
                None if posting.title is None else _as_stored(posting.title),
                _shares(posting).astype(np.float64),
            )
            for posting in references.postings
        ],
    )
    manifest = bundle.manifest
    levels, scores = levels_of(stored, making.policy, Scorer(manifest.matching, bundle.occupations))
    agreement = agreement_of(scores)
    data = _packed(stored, levels)
    found = CohortManifest(
        created=making.created,
        expires=making.expires,
        bundle=CohortBundle(name=manifest.name, version=manifest.version, digest=bundle.digest),
        base_model_sha256=manifest.base_model.weights_sha256,
        dimensions=stored.resumes[0].shape[1],
        engine=making.engine,
        precision=making.precision,
        redaction=making.redaction,
        passages=manifest.passages,
        matching=manifest.matching,
        policy=making.policy,
        seed=making.seed,
        resumes=making.resumes,
        postings=making.postings,
        titled_postings=sum(posting.title is not None for posting in stored.postings),
        agreement=agreement,
        warnings=warnings_of(stored, making.policy, agreement),
        constant=levels.constant,
        vectors_sha256=sha256_bytes(data),
    )
    with draft_of(path) as draft:
        draft.chmod(0o700)
        for name, content in ((VECTORS, data), (COHORT, _json(found))):
            with private_bytes(draft / name) as stream:
                stream.write(content)
    return read_cohort(path)


def check_place(path: Path, *, overwrite: bool) -> None:
    """Raise `CohortError` if something stands at `path` that may not be replaced."""
    if path.exists() and not overwrite:
        raise CohortError(f"{path} exists already; choose another place or ask to overwrite it")
    if is_in_the_way(path, sign=COHORT):
        raise CohortError(f"{path} is not a cohort (it has no {COHORT}), so it is not overwritten")


def read_manifest(path: Path) -> tuple[CohortManifest, str]:
    """`cohort.json` of the folder, and the cohort's digest. Raises `CohortError`, which names the file."""
    file = path / COHORT
    raw = _read_bytes(file)
    try:
        version = json.loads(raw).get("format_version")
    except (ValueError, RecursionError, AttributeError):
        raise CohortError(f"{file} is no JSON object") from None
    if version != FORMAT_VERSION:
        raise CohortError(
            f"{file}: unknown format_version {shortened(str(version))}; this release reads {FORMAT_VERSION}"
        )
    try:
        return CohortManifest.model_validate_json(raw), sha256_bytes(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(shortened(str(part)) for part in first["loc"]) or "the file"
        raise CohortError(f"{file}: {where}: {shortened(first['msg'], 300)}", field=where) from None


def read_cohort(path: Path) -> ReadCohort:
    """Read and verify a cohort. Whether it fits a bundle is the question of `fitted`.

    Raises `CohortError`, which names the file: missing, changed (with both hashes), not as it must be.
    """
    manifest, digest = read_manifest(path)
    file = path / VECTORS
    data = _read_bytes(file)
    if (actual := sha256_bytes(data)) != manifest.vectors_sha256:
        raise CohortError(f"{file} was changed: SHA-256 {actual}, {COHORT} says {manifest.vectors_sha256}")
    try:
        references, levels = _unpacked(data, manifest)
    except CohortError as error:
        raise CohortError(f"{file}: {error.message}") from None
    return ReadCohort(path, manifest, digest, references, levels)


def fitted(
    read: ReadCohort,
    bundle: Bundle,
    *,
    categories: Collection[Category],
    entities: str | None,
    now: datetime | None = None,
) -> FittedCohort:
    """A cohort for the bundle that it was made by.

    Raises `CohortError` if that was another encoder, policy or bundle, or if the cohort is over.
    `categories`, `entities`: what redaction hides here, and the model that looks for names beside its rules.
    """
    made, manifest = read.manifest, bundle.manifest
    digests = (
        f"it was made with bundle {made.bundle.name} {made.bundle.version} ({made.bundle.digest}), and "
        f"{manifest.name} {manifest.version} ({bundle.digest}) is loaded"
    )
    here = CohortRedaction(
        version=manifest.redaction.version, categories=tuple(sorted(categories)), entities=entities
    )
    for what, theirs, ours in (
        ("encoder", made.base_model_sha256, manifest.base_model.weights_sha256),
        ("redaction policy", _redaction_text(made.redaction), _redaction_text(here)),
        ("passage policy", made.passages.model_dump_json(), manifest.passages.model_dump_json()),
        ("matching policy", made.matching.model_dump_json(), manifest.matching.model_dump_json()),
    ):
        if theirs != ours:
            raise CohortError(
                f"the cohort {read.path} is of another {what}: {theirs} there, {ours} here; {digests}: build "
                "it anew"
            )
    if made.bundle.digest != bundle.digest:
        raise CohortError(f"the cohort {read.path} is of another bundle: {digests}: build it anew")
    if made.expires is not None and made.expires <= (now or datetime.now(UTC)):
        raise CohortError(
            f"the cohort {read.path} was to be kept until {made.expires:%Y-%m-%d}, which is over: delete it, "
            "and build another"
        )
    scorer = Scorer(made.matching, bundle.occupations)
    return FittedCohort(made, Cohort(read.digest, read.references, read.levels, made.policy, scorer))


def _redaction_text(redaction: CohortRedaction) -> str:
    names = f", names by {redaction.entities}" if redaction.entities else ""
    return f"version {redaction.version} hiding {', '.join(sorted(redaction.categories)) or 'nothing'}{names}"


def _as_stored(vectors: Vectors) -> Vectors:
    return vectors.astype(STORED).astype(np.float32)


def _shares(posting: Posting) -> NDArray[np.float32]:
    """As stored: 1 for every passage of which all words count."""
    if posting.shares is None:
        return np.ones(len(posting.body), dtype=np.float32)
    return posting.shares.astype(np.float32)


def _json(manifest: CohortManifest) -> bytes:
    return (json.dumps(manifest.model_dump(mode="json"), indent=2) + "\n").encode()


def _packed(references: References, levels: Levels) -> bytes:
    titles = [posting.title for posting in references.postings if posting.title is not None]
    bodies = [posting.body for posting in references.postings]
    dimensions = references.resumes[0].shape[1]
    tensors: dict[str, NDArray[Any]] = {
        "resumes": np.concatenate(references.resumes).astype(STORED),
        "resume_lengths": np.array([len(one) for one in references.resumes], dtype=np.int32),
        "postings": np.concatenate(bodies).astype(STORED),
        "posting_lengths": np.array([len(one) for one in bodies], dtype=np.int32),
        "titles": np.stack(titles).astype(STORED) if titles else np.empty((0, dimensions), STORED),
        "has_title": np.array([one.title is not None for one in references.postings], dtype=np.uint8),
        "shares": np.concatenate([_shares(posting) for posting in references.postings]),
        "levels_of_resumes": levels.of_resumes,
        "levels_titled": levels.titled,
        "levels_untitled": levels.untitled,
    }
    return safetensors.numpy.save(tensors)


def _unpacked(data: bytes, manifest: CohortManifest) -> tuple[References, Levels]:
    try:
        tensors = safetensors.numpy.load(data)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CohortError(f"not a safetensors file of vectors: {type(error).__name__}") from None
    n, m = manifest.resumes.used, manifest.postings.used
    d, titled = manifest.dimensions, manifest.titled_postings
    _check_tensors(
        tensors,
        {
            "resumes": ((manifest.resumes.passages, d), STORED),
            "resume_lengths": ((n,), np.int32),
            "postings": ((manifest.postings.passages, d), STORED),
            "posting_lengths": ((m,), np.int32),
            "titles": ((titled, d), STORED),
            "has_title": ((m,), np.uint8),
            "shares": ((manifest.postings.passages,), np.float32),
            "levels_of_resumes": ((n,), np.float64),
            "levels_titled": ((m,), np.float64),
            "levels_untitled": ((m,), np.float64),
        },
    )
    has_title = tensors["has_title"].astype(bool)
    if int(has_title.sum()) != titled:
        raise CohortError(f"`has_title` names {int(has_title.sum())} postings; there are {titled} titles")
    if not (np.isnan(tensors["levels_titled"]) == ~has_title).all():
        raise CohortError("`levels_titled` does not fit the titles")
    resumes = _cut(tensors["resumes"], tensors["resume_lengths"], "resume_lengths")
    bodies = _cut(tensors["postings"], tensors["posting_lengths"], "posting_lengths")
    titles = iter(tensors["titles"].astype(np.float32))
    shares = tensors["shares"].astype(np.float64)
    if len(shares) and not (shares.min() >= 0 and shares.max() <= 1):
        raise CohortError("`shares` are not within [0, 1]")
    of_bodies = np.split(shares, np.cumsum(tensors["posting_lengths"])[:-1])
    postings = [
        Posting(body, next(titles) if title else None, of_body)
        for body, title, of_body in zip(bodies, has_title, of_bodies, strict=True)
    ]
    levels = Levels(
        tensors["levels_of_resumes"].copy(),
        tensors["levels_titled"].copy(),
        tensors["levels_untitled"].copy(),
        manifest.constant,
    )
    return References(resumes, postings), levels


def _check_tensors(
    tensors: Mapping[str, NDArray[Any]], expected: Mapping[str, tuple[tuple[int, ...], type]]
) -> None:
    if sorted(tensors) != sorted(expected):
        raise CohortError(f"holds {shortened(str(sorted(tensors)))}; {', '.join(expected)} are needed")
    for name, (shape, kind) in expected.items():
        tensor = tensors[name]
        if tensor.dtype != kind or tensor.shape != shape:
            raise CohortError(
                f"`{name}` is {tensor.dtype} of shape {tensor.shape}; {np.dtype(kind)} of {shape} is needed"
            )
        if tensor.dtype.kind == "f" and name != "levels_titled" and not np.isfinite(tensor).all():
            raise CohortError(f"`{name}` has values that are not finite")
        if tensor.dtype == STORED and len(tensor):
            off = float(np.abs(np.linalg.norm(tensor.astype(np.float32), axis=1) - 1.0).max())
            if off > _UNIT:
                raise CohortError(f"`{name}` has vectors whose length is off 1 by {off:.3g}")


def _cut(passages: NDArray[Any], lengths: NDArray[Any], name: str) -> Sequence[Vectors]:
    if (lengths < 1).any() or int(lengths.sum(dtype=np.int64)) != len(passages):
        raise CohortError(f"`{name}` does not add up to {len(passages)} passages of 1 or more a text")
    return np.split(passages.astype(np.float32), np.cumsum(lengths)[:-1])


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise CohortError(f"{file} is missing: no cohort is there") from None
    except OSError as error:
        raise CohortError(f"{shortened(str(file))} cannot be read: {error.strerror}") from None
