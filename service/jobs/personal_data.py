"""Everything that is kept about one tenant's candidate, wherever it is: to hand it out, and to erase it.

Both work beside a running service. What lies in a process's memory for seconds is out of reach: vectors and
texts there have no ids, and answers to repeated requests are gone after half a minute.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.core.errors import StoreError
from service.jobs.erasure import erase_from_jobs, in_jobs
from service.jobs.sealing import Sealer
from service.runtime.cohort_traffic import erase_from_traffic, vectors_of_person
from service.store.decisions import ANSWER_LIFETIME, FIELDS
from service.store.log import DecisionLog
from service.store.right_of_access import answers_of_person, decisions_of_person
from service.store.right_to_erasure import erase_from_log
from service.store.spool import damaged_files, spooled_decisions, spooled_lines
from service.store.sqlite import rescued_copies

EXPORT_SCHEMA = "evenmatch.personal_data/1"
_PAUSE_SECONDS = 1.0

ReadAnswer = Callable[[str, Collection[str]], list[dict[str, Any]]]
"""Of a kept answer, as JSON, what it says of some decisions."""


@dataclass(frozen=True)
class Person:
    """Of whom is asked: a candidate's id, as it was given, of one tenant."""

    candidate_id: str
    tenant: str


@dataclass(frozen=True)
class Places:
    """Where something is kept: the database, sealed parts in it, the spool, and the data folder."""

    log: DecisionLog
    sealer: Sealer
    spool: Path
    data_dir: Path


@dataclass(slots=True)
class Erased:
    """What was erased, in numbers. `outcomes`: deleted with their decisions. `answers`: emptied."""

    decisions: int = 0
    outcomes: int = 0
    answers: int = 0
    job_rows: int = 0
    job_records: int = 0
    collected_vectors: int = 0


@dataclass(slots=True)
class Left:
    """What an erasure did not reach. `spooled`: decisions of the person that wait for the database.

    `being_scored`: chunks of jobs that a worker is at. `sealed`: parts of jobs sealed with another key.
    `unreadable`: lines of the spool that are not what was written. `damaged`: files of such lines. `copies`:
    of a database that was lost. These may hold anybody.
    """

    spooled: int = 0
    being_scored: int = 0
    sealed: int = 0
    unreadable: int = 0
    damaged: int = 0
    copies: int = 0

    @property
    def passes(self) -> bool:
        """Whether what is left is only what a running service is about to bring within reach."""
        return bool(self.spooled or self.being_scored)

    def told(self) -> dict[str, int]:
        """What there is of it."""
        return {name: number for name, number in asdict(self).items() if number}


@dataclass(slots=True)
class Erasure:
    erased: Erased = field(default_factory=Erased)
    left: Left = field(default_factory=Left)


def erase_everywhere(places: Places, person: Person, *, wait_seconds: float = 0.0) -> Erasure:
    """Erase a person; may be called again. Waits for what a running service is about to bring within reach.

    What it erased stays erased also where it raises: `StoreError`, `StoreUnavailableError`.
    """
    deadline = time.monotonic() + wait_seconds
    done = Erasure()
    while True:
        # Looked at before the rest: what waits there may come to the database just after it was searched.
        spooled = _spooled(places, person)
        _erase_once(places, person, done)
        done.left.spooled = spooled
        if not done.left.passes or time.monotonic() >= deadline:
            break
        time.sleep(min(_PAUSE_SECONDS, max(0.0, deadline - time.monotonic())))
    done.left.unreadable = spooled_lines(places.spool) - sum(
        1 for _ in spooled_decisions(places.spool, places.log.key)
    )
    done.left.unreadable = max(0, done.left.unreadable)  # a line may have come in between
    done.left.damaged = damaged_files(places.spool)
    done.left.copies = _copies(places)
    return done


def everything_about(places: Places, person: Person, read_answer: ReadAnswer) -> dict[str, Any]:
    """All that is kept about a person, ready for JSON, and nothing about anybody else.

    Raises `StoreError`, `StoreUnavailableError`.
    """
    # Before the database, into which it may be moved meanwhile: better twice than not at all.
    waiting = [
        {**{name: getattr(one, name) for name in FIELDS}, "time": one.time.isoformat()}
        for one in spooled_decisions(places.spool, places.log.key)
        if (one.candidate_id, one.tenant) == (person.candidate_id, person.tenant)
    ]
    with places.log.reading() as connection:
        decisions = decisions_of_person(connection, person.candidate_id, person.tenant)
        answers = [
            {
                "time": answer.time.isoformat(),
                "kept_until": (answer.time + ANSWER_LIFETIME).isoformat(),
                "results": read_answer(answer.content or "", ids),
            }
            for answer, ids in answers_of_person(connection, decisions)
        ]
        of_jobs = list(in_jobs(connection, places.sealer, person.candidate_id, person.tenant))
    stored = {one["decision_id"] for one in decisions}
    return {
        "schema_version": EXPORT_SCHEMA,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "tenant": person.tenant,
        "candidate_id": person.candidate_id,
        "decisions": decisions,
        "spooled_decisions": [
            {**one, "groups": dict(one["groups"])} for one in waiting if one["decision_id"] not in stored
        ],
        "answers": answers,
        "jobs": [one for one in of_jobs if one is not None],
        "collected_vectors": _vectors(places, person),
        "out_of_reach": Left(
            sealed=of_jobs.count(None), damaged=damaged_files(places.spool), copies=_copies(places)
        ).told(),
    }


def _erase_once(places: Places, person: Person, done: Erasure) -> None:
    erased = done.erased
    of_jobs = erase_from_jobs(places.log.engine, places.sealer, person.candidate_id, person.tenant)
    erased.job_rows += of_jobs.rows
    erased.job_records += of_jobs.records
    done.left.being_scored, done.left.sealed = of_jobs.being_scored, of_jobs.sealed
    of_log = erase_from_log(places.log, person.candidate_id, tenant=person.tenant)
    erased.decisions += of_log.decisions
    erased.outcomes += of_log.outcomes
    erased.answers += of_log.answers
    try:
        erased.collected_vectors += erase_from_traffic(
            places.data_dir, places.log.key.sign, person.candidate_id, person.tenant
        )
    except OSError as error:
        raise StoreError(f"collected vectors cannot be deleted: {error.strerror}") from None


def _spooled(places: Places, person: Person) -> int:
    """How many decisions of the person wait for the database."""
    return sum(
        (one.candidate_id, one.tenant) == (person.candidate_id, person.tenant)
        for one in spooled_decisions(places.spool, places.log.key)
    )


def _copies(places: Places) -> int:
    return 0 if places.log.file is None else len(rescued_copies(places.log.file))


def _vectors(places: Places, person: Person) -> list[dict[str, Any]]:
    found = []
    try:
        files = vectors_of_person(places.data_dir, places.log.key.sign, person.candidate_id, person.tenant)
        for file in files:
            time_of = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            found.append(
                {
                    "collected": time_of.isoformat(timespec="seconds"),
                    "safetensors": base64.b64encode(file.read_bytes()).decode(),
                }
            )
    except FileNotFoundError:  # purged in this moment
        pass
    except OSError as error:
        raise StoreError(f"collected vectors cannot be read: {error.strerror}") from None
    return found
