"""A person's rights to erasure and access, in what jobs hold: rows that wait, results and errors.

Everything is sealed, so everything that is kept of a tenant's jobs is opened and looked through, a part at a
time. Parts that were sealed with another key are passed over and counted.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, select, update

from service.core.errors import SealedError
from service.core.tenants import DEFAULT_TENANT
from service.jobs.clock import now_in
from service.jobs.rows import Fault, Row, pack_rows, unpack_rows
from service.jobs.sealing import Sealer
from service.jobs.uploads import owner_of_input
from service.store.job_tables import chunks, inputs, jobs, results, uploads
from service.store.transactions import reading, writing

_GONE = Fault("erased", "the candidate was erased")


@dataclass(slots=True)
class ErasedFromJobs:
    """`rows`: that waited to be scored. `records`: in results and errors. `sealed`: parts of another key.

    `being_scored`: chunks that a worker is at, with a row of somebody who was erased: what comes of it may
    hold the person, and has to be looked through again.
    """

    rows: int = 0
    records: int = 0
    being_scored: int = 0
    sealed: int = 0

    @property
    def total(self) -> int:
        return self.rows + self.records


def erase_from_jobs(
    engine: Engine, sealer: Sealer, candidate_id: str, tenant: str = DEFAULT_TENANT
) -> ErasedFromJobs:
    """Take a candidate out of all jobs and uploads of a tenant. May be called again.

    Raises `StoreUnavailableError`.
    """
    found = ErasedFromJobs()
    # Rows first: what is scored from now on is without the person.
    with reading(engine) as connection:
        waiting = connection.execute(_waiting(tenant)).all()
    touched = {
        (upload, number)
        for upload, number in waiting
        if _erase_rows(engine, sealer, candidate_id, upload, number, found)
    }
    with reading(engine) as connection:
        found.being_scored = len(touched & _being_scored(connection))
        kept = connection.execute(_kept(tenant)).all()
    for job_id, kind, number in kept:
        _erase_records(engine, sealer, candidate_id, job_id, kind, number, found)
    return found


def in_jobs(
    connection: Connection, sealer: Sealer, candidate_id: str, tenant: str = DEFAULT_TENANT
) -> Iterator[dict[str, Any] | None]:
    """What a tenant's jobs and uploads hold of a candidate; None for a part that is sealed with another key.

    A row that waits comes as it was sent, without the posting beside it, which is nothing of the person; its
    file in base64.
    """
    for upload, number in connection.execute(_waiting(tenant)).all():
        content = connection.execute(select(inputs.c.content).where(*_input(upload, number))).scalar()
        opened = _opened(sealer, content, owner_of_input(upload, number))
        if opened is None and content is not None:
            yield None
        for row in [] if opened is None else unpack_rows(opened):
            if row.id == candidate_id:
                yield {"upload": upload, "kind": "input", "record": _row_record(row)}
    for job_id, kind, number in connection.execute(_kept(tenant)).all():
        content = connection.execute(select(results.c.content).where(*_result(job_id, kind, number))).scalar()
        opened = _opened(sealer, content, f"{job_id}/{kind}/{number}")
        if opened is None and content is not None:
            yield None
        for line in [] if opened is None else opened.decode().splitlines():
            record = json.loads(line)
            if record["candidate_id"] == candidate_id:
                yield {"job": job_id, "kind": kind, "record": record}


def _waiting(tenant: str) -> Select[str, int]:
    """The inputs of a tenant's jobs, and of uploads that are no job yet."""
    of_jobs = select(jobs.c.upload).where(jobs.c.tenant == tenant, jobs.c.upload.is_not(None))
    under_way = select(uploads.c.id).where(uploads.c.tenant == tenant)
    theirs = inputs.c.upload.in_(of_jobs) | inputs.c.upload.in_(under_way)
    return select(inputs.c.upload, inputs.c.number).where(theirs).order_by(inputs.c.upload, inputs.c.number)


def _kept(tenant: str) -> Select[str, str, int]:
    theirs = results.c.job_id.in_(select(jobs.c.id).where(jobs.c.tenant == tenant))
    query = select(results.c.job_id, results.c.kind, results.c.number).where(theirs)
    return query.order_by(results.c.job_id, results.c.kind, results.c.number)


def _being_scored(connection: Connection) -> set[tuple[str, int]]:
    """Inputs that a worker has taken to be scored, as upload and number."""
    query = (
        select(jobs.c.upload, chunks.c.number)
        .join(chunks, chunks.c.job_id == jobs.c.id)
        .where(chunks.c.state == "running", chunks.c.lease_until >= now_in(connection))
    )
    return {(upload, number) for upload, number in connection.execute(query)}


def _input(upload: str, number: int) -> tuple[Any, Any]:
    return inputs.c.upload == upload, inputs.c.number == number


def _result(job_id: str, kind: str, number: int) -> tuple[Any, Any, Any]:
    return results.c.job_id == job_id, results.c.kind == kind, results.c.number == number


def _erase_rows(
    engine: Engine, sealer: Sealer, candidate_id: str, upload: str, number: int, found: ErasedFromJobs
) -> bool:
    """Whether somebody's row in it is erased, by now or from before."""
    here, erased, count = _input(upload, number), False, 0

    def without(content: bytes) -> bytes:
        nonlocal erased, count
        rows = unpack_rows(content)
        count = sum(row.id == candidate_id for row in rows)
        erased = count > 0 or any(row.fault == _GONE for row in rows)
        return pack_rows([Row(row.line, fault=_GONE) if row.id == candidate_id else row for row in rows])

    with writing(engine) as connection:
        sealed = connection.execute(select(inputs.c.content).where(*here).with_for_update()).scalar()
        changed = _changed(sealer, sealed, owner_of_input(upload, number), without)
        if count and changed is not None:
            connection.execute(update(inputs).where(*here).values(content=changed))
    found.rows += count
    found.sealed += sealed is not None and changed is None
    return erased


def _erase_records(
    engine: Engine,
    sealer: Sealer,
    candidate_id: str,
    job_id: str,
    kind: str,
    number: int,
    found: ErasedFromJobs,
) -> None:
    here, count = _result(job_id, kind, number), 0

    def without(content: bytes) -> bytes:
        nonlocal count
        lines = content.decode().splitlines(keepends=True)
        kept = [line for line in lines if json.loads(line)["candidate_id"] != candidate_id]
        count = len(lines) - len(kept)
        return "".join(kept).encode()

    with writing(engine) as connection:
        sealed = connection.execute(select(results.c.content).where(*here).with_for_update()).scalar()
        changed = _changed(sealer, sealed, f"{job_id}/{kind}/{number}", without)
        if count and changed is not None:
            connection.execute(update(results).where(*here).values(content=changed))
    found.records += count
    found.sealed += sealed is not None and changed is None


def _changed(
    sealer: Sealer, sealed: bytes | None, owner: str, change: Callable[[bytes], bytes]
) -> bytes | None:
    """None if it is gone by now, or was sealed with another key."""
    opened = _opened(sealer, sealed, owner)
    return None if opened is None else sealer.seal(change(opened), owner)


def _opened(sealer: Sealer, sealed: bytes | None, owner: str) -> bytes | None:
    """None if it is gone by now, or was sealed with another key."""
    if sealed is None:
        return None
    try:
        return sealer.open(sealed, owner)
    except SealedError:
        return None


def _row_record(row: Row) -> dict[str, Any]:
    file = row.file
    content = None if file is None or file.content is None else base64.b64encode(file.content).decode()
    return {
        "line": row.line,
        "candidate_id": row.id,
        "resume": row.resume,
        "file": None if file is None else {"name": file.name, "content": content},
        "groups": dict(row.groups),
        "unknown_groups": list(row.unknown_groups),
        "job_id": None if row.posting is None else row.posting.id,
        "fault": None if row.fault is None else {"code": row.fault.code, "field": row.fault.field},
    }
