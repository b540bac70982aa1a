"""A person's right to erasure, in what jobs hold: their rows in results and errors, and those that wait.

Everything is sealed, so everything that is kept of jobs is opened and looked through, a part at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlalchemy import Engine, select, update

from service.core.errors import SealedError
from service.jobs.rows import Fault, Row, pack_rows, unpack_rows
from service.jobs.sealing import Sealer
from service.jobs.uploads import owner_of_input
from service.store.job_tables import inputs, jobs, results
from service.store.transactions import reading, writing

_GONE = Fault("erased", "the candidate was erased")


def erase_from_jobs(engine: Engine, sealer: Sealer, candidate_id: str) -> int:
    """Take a candidate out of all jobs; returns how many records and waiting rows. May be called again.

    A chunk that is being scored in this moment is not reached: call it again a minute later. Parts that were
    sealed with another key are passed over. Raises `StoreUnavailableError`.
    """
    total = 0
    with reading(engine) as connection:
        waiting = connection.execute(
            select(inputs.c.upload, inputs.c.number).join(jobs, jobs.c.upload == inputs.c.upload)
        ).all()
        kept = connection.execute(select(results.c.job_id, results.c.kind, results.c.number)).all()
    # Rows first: what is scored from now on is without the person.
    for upload, number in waiting:
        total += _erase_rows(engine, sealer, candidate_id, upload, number)
    for job_id, kind, number in kept:
        total += _erase_records(engine, sealer, candidate_id, job_id, kind, number)
    return total


def _erase_rows(engine: Engine, sealer: Sealer, candidate_id: str, upload: str, number: int) -> int:
    here = (inputs.c.upload == upload) & (inputs.c.number == number)
    found = 0

    def without(content: bytes) -> bytes:
        nonlocal found
        rows = unpack_rows(content)
        found = sum(row.id == candidate_id for row in rows)
        return pack_rows([Row(row.line, fault=_GONE) if row.id == candidate_id else row for row in rows])

    with writing(engine) as connection:
        sealed = connection.execute(select(inputs.c.content).where(here).with_for_update()).scalar()
        changed = _changed(sealer, sealed, owner_of_input(upload, number), without)
        if found and changed is not None:
            connection.execute(update(inputs).where(here).values(content=changed))
    return found


def _erase_records(
    engine: Engine, sealer: Sealer, candidate_id: str, job_id: str, kind: str, number: int
) -> int:
    here = (results.c.job_id == job_id) & (results.c.kind == kind) & (results.c.number == number)
    found = 0

    def without(content: bytes) -> bytes:
        nonlocal found
        lines = content.decode().splitlines(keepends=True)
        kept = [line for line in lines if json.loads(line)["candidate_id"] != candidate_id]
        found = len(lines) - len(kept)
        return "".join(kept).encode()

    with writing(engine) as connection:
        sealed = connection.execute(select(results.c.content).where(here).with_for_update()).scalar()
        changed = _changed(sealer, sealed, f"{job_id}/{kind}/{number}", without)
        if found and changed is not None:
            connection.execute(update(results).where(here).values(content=changed))
    return found


def _changed(
    sealer: Sealer, sealed: bytes | None, owner: str, change: Callable[[bytes], bytes]
) -> bytes | None:
    """None if it is gone by now, or was sealed with another key."""
    if sealed is None:
        return None
    try:
        return sealer.seal(change(sealer.open(sealed, owner)), owner)
    except SealedError:
        return None
