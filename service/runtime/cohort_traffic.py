"""Passage vectors of live requests for a later cohort: opted in, bounded, with retention, erasable by person.

A folder in the data folder, one file a text, its owner's only. A file's name is the rank of its text and a
keyed hash of the candidate's id; in it are vectors and no text. The rank is a keyed hash of the vectors, and
the texts of the lowest ranks are kept: a uniform sample of all distinct texts that came, whichever processes
they came to, without a counter that the processes would have to share (bottom-k sampling; Cohen & Kaplan
2007, PODC). The same text keeps its rank, so it is kept once, or never.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError

from service.core.bundle import Bundle
from service.core.cohort import Posting
from service.core.cohort_file import STORED
from service.core.files import private_bytes
from service.core.redaction.policy import Category
from service.core.resume_warnings import TO_LOOK_AT, ResumeWarning
from service.core.tenants import DEFAULT_TENANT
from service.core.vectors import Vectors

log = logging.getLogger(__name__)

FOLDER = "cohort-traffic"
SUFFIX = ".vectors"

Kind = Literal["resume", "posting"]
Sign = Callable[[str, Sequence[str | int | None]], str]
"""Hexadecimal HMAC for a purpose: `LogKey.sign`."""

_NOBODY = "0" * 32
_HASH = 32
_DAY = 86_400.0
_LOOK_SECONDS = 3_600.0
_MOST_WAITING = 200
"""Texts that wait to be written; further ones are let go, since a sample need not have all."""


class CohortCollecting(BaseModel):
    """What is kept of live requests, to build a cohort of (docs/cohorts.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cohort_collect: bool = Field(
        False,
        description="Keep passage vectors, no text, of redacted resumes and postings of `/v1/score` in the "
        "data folder, for `evenmatch cohort build --from-traffic`.",
    )
    cohort_days: int = Field(
        90, ge=1, le=3_650, description="Days after which collected vectors are deleted."
    )
    cohort_resumes: int = Field(
        1_000, ge=1, le=10_000, description="Most resumes of which vectors are collected."
    )
    cohort_postings: int = Field(
        300, ge=1, le=10_000, description="Most postings of which vectors are collected."
    )


def place_of(
    data_dir: Path,
    bundle: Bundle,
    categories: Collection[Category],
    entities: str | None,
    tenant: str = DEFAULT_TENANT,
) -> Path:
    """Where a tenant's vectors of this bundle, redacted so, are collected: others must not get in between."""
    hidden = "\n".join((str(bundle.manifest.redaction.version), *sorted(categories), entities or ""))
    name = f"{bundle.digest[:32]}-{hashlib.sha256(hidden.encode()).hexdigest()[:16]}"
    return _of_tenant(data_dir / FOLDER / name, tenant)


def _of_tenant(place: Path, tenant: str) -> Path:
    return place if tenant == DEFAULT_TENANT else place.with_name(f"{place.name}-{tenant}")


def may_be_collected(warnings: Collection[ResumeWarning]) -> bool:
    """Whether a resume is one, and its redaction was sure. That no name stands in it is no reason against."""
    return (TO_LOOK_AT - {"no_name_found"}).isdisjoint(warnings)


class CohortTraffic:
    """Collects for one process. `offer_...` returns at once; a thread writes. `stop` at the end.

    `place`: the default tenant's. Every other tenant has one of its own beside it, with the same limits.
    """

    def __init__(self, place: Path, options: CohortCollecting, sign: Sign) -> None:
        self._place = place
        self._options = options
        self._sign = sign
        self._thread = ThreadPoolExecutor(1, "cohort-traffic")
        self._waiting = 0
        self._lock = threading.Lock()
        self._purged = 0.0
        self._complained = False
        self._beyond: dict[tuple[Path, Kind], str] = {}  # names from here on are beyond what is kept
        self._submit(self._purge)  # what is over goes also where nothing comes any more

    def offer_posting(self, posting: Posting, tenant: str = DEFAULT_TENANT) -> None:
        """Perhaps keep a posting's vectors."""
        place = _of_tenant(self._place, tenant)
        self._submit(lambda: self._keep(place, "posting", posting, _NOBODY))

    def offer_resume(self, vectors: Vectors, candidate_id: str, tenant: str = DEFAULT_TENANT) -> None:
        """Perhaps keep a redacted resume's vectors, (R, D)."""
        place = _of_tenant(self._place, tenant)
        person = hash_of(self._sign, candidate_id, tenant)
        self._submit(lambda: self._keep(place, "resume", Posting(vectors, None), person))

    def stop(self) -> None:
        """Write what waits, then end."""
        self._thread.shutdown()

    def _submit(self, work: Callable[[], None]) -> None:
        with self._lock:
            if self._waiting >= _MOST_WAITING:
                return
            self._waiting += 1
        self._thread.submit(self._work, work)

    def _work(self, work: Callable[[], None]) -> None:
        try:
            work()
            if time.monotonic() - self._purged > _LOOK_SECONDS:
                self._purge()
        except OSError as error:
            if not self._complained:
                log.error("%s: vectors cannot be collected: %s", self._place, error.strerror)
            self._complained = True
        finally:
            with self._lock:
                self._waiting -= 1

    def _keep(self, place: Path, kind: Kind, text: Posting, person: str) -> None:
        tensors: dict[str, NDArray[Any]] = {"passages": text.body.astype(STORED)}
        if text.title is not None:
            tensors["title"] = text.title.astype(STORED)
        if text.shares is not None:
            tensors["shares"] = text.shares.astype(np.float32)
        content = safetensors.numpy.save(tensors)
        rank = self._sign("cohort rank", [hashlib.sha256(content).hexdigest()])[:_HASH]
        most = self._options.cohort_resumes if kind == "resume" else self._options.cohort_postings
        file = place / f"{kind}-{rank}-{person}{SUFFIX}"
        beyond_here = self._beyond.get((place, kind))
        if beyond_here is not None and file.name > beyond_here:
            return
        there = sorted(place.glob(f"{kind}-*{SUFFIX}"), key=lambda one: one.name)
        if len(there) >= most:
            self._beyond[place, kind] = there[most - 1].name
        if file in there or (len(there) >= most and file.name > there[most - 1].name):
            return
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.chmod(0o700)
        with private_bytes(file) as stream:
            stream.write(content)
        # Another process may do the same at this moment: then both delete the same.
        for beyond in sorted([*there, file], key=lambda one: one.name)[most:]:
            beyond.unlink(missing_ok=True)

    def _purge(self) -> None:
        self._purged = time.monotonic()
        self._beyond.clear()  # room for others
        purge(self._place.parent, self._options.cohort_days)


def hash_of(sign: Sign, candidate_id: str, tenant: str = DEFAULT_TENANT) -> str:
    """What stands for a tenant's candidate in a file's name; only who has the log's key can make it."""
    of_tenant = [] if tenant == DEFAULT_TENANT else [tenant]
    return sign("cohort candidate", [candidate_id, *of_tenant])[:_HASH]


def purge(folder: Path, days: int) -> int:
    """Delete what was collected more than `days` ago, of any bundle; returns how many. Raises `OSError`."""
    deleted = 0
    for file in folder.glob(f"*/*{SUFFIX}"):
        try:
            if file.stat().st_mtime < time.time() - days * _DAY:
                file.unlink()
                deleted += 1
        except FileNotFoundError:  # another process was faster
            pass
    return deleted


def vectors_of_person(
    data_dir: Path, sign: Sign, candidate_id: str, tenant: str = DEFAULT_TENANT
) -> list[Path]:
    """The files with vectors of a tenant's candidate, of any bundle. Raises `OSError`."""
    name = f"resume-*-{hash_of(sign, candidate_id, tenant)}{SUFFIX}"
    return sorted((data_dir / FOLDER).glob(f"*/{name}"))


def erase_from_traffic(data_dir: Path, sign: Sign, candidate_id: str, tenant: str = DEFAULT_TENANT) -> int:
    """Delete the vectors of a tenant's candidate, of any bundle; returns how many. Raises `OSError`."""
    found = vectors_of_person(data_dir, sign, candidate_id, tenant)
    for file in found:
        file.unlink(missing_ok=True)
    return len(found)


def collected(place: Path, kind: Kind) -> Iterator[Posting]:
    """What was collected of a kind, by rank; a resume as a posting without title. Damaged files are not."""
    for file in sorted(place.glob(f"{kind}-*{SUFFIX}")):
        try:
            tensors = safetensors.numpy.load(file.read_bytes())
            body = tensors["passages"].astype(np.float32)
            title = tensors["title"].astype(np.float32) if "title" in tensors else None
            shares = tensors["shares"].astype(np.float64) if "shares" in tensors else None
        except (FileNotFoundError, SafetensorError, KeyError, ValueError):
            continue
        if body.ndim == 2 and len(body):
            yield Posting(body, title, shares)
