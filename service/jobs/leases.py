"""Who works on which chunk: a lease with an end, renewed while the work goes on.

A process that is killed renews nothing, and after the end another one takes the chunk. One that was only
slow, or stood still, finds its lease's token replaced and keeps nothing of what it computed. That both
recorded the same decisions does no harm: their ids are the same (`service.jobs.chunk_scoring`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, or_, select, update

from service.core.errors import LeaseLostError
from service.jobs.clock import SECOND, now_in
from service.jobs.states import CLAIMABLE
from service.store.job_tables import chunks, jobs
from service.store.transactions import reading, writing


@dataclass(frozen=True, slots=True)
class Lease:
    """A chunk that is ours until the lease ends. `attempts`: how often it was begun, this time included."""

    job_id: str
    number: int
    first: int
    rows: int
    attempts: int
    token: str


def claim(engine: Engine, seconds: float) -> Lease | None:
    """Lease the next chunk for so many seconds; None if there is none to do.

    By priority, then of the oldest job, then in order. Raises `StoreUnavailableError`.
    """
    with reading(engine) as connection:
        # First without a lock: mostly there is nothing, and decisions are recorded meanwhile.
        if connection.execute(_waiting(now_in(connection))).first() is None:
            return None
    with writing(engine) as connection:
        now = now_in(connection)
        # SQLite has one writer anyway, and knows no locks of rows.
        query = _waiting(now).with_for_update(of=chunks, skip_locked=True)
        found = connection.execute(query).first()
        if found is None:
            return None
        token = secrets.token_hex(16)
        connection.execute(
            update(chunks)
            .where(chunks.c.job_id == found.job_id, chunks.c.number == found.number)
            .values(
                state="running",
                lease=token,
                lease_until=now + int(seconds * SECOND),
                attempts=found.attempts + 1,
            )
        )
        return Lease(found.job_id, found.number, found.first, found.rows, found.attempts + 1, token)


def renew(engine: Engine, lease: Lease, seconds: float) -> None:
    """Move the end of a lease. Raises `LeaseLostError` if it is another's, `StoreUnavailableError`."""
    with writing(engine) as connection:
        until = now_in(connection) + int(seconds * SECOND)
        changed = connection.execute(update(chunks).where(_held(lease)).values(lease_until=until))
        if not changed.rowcount:
            raise _lost(lease)


def release(engine: Engine, lease: Lease, seconds: float, *, counts: bool) -> None:
    """Give a chunk back, to be begun again after so many seconds; `counts`: as an attempt."""
    with writing(engine) as connection:
        attempts = lease.attempts if counts else max(0, lease.attempts - 1)
        until = now_in(connection) + int(seconds * SECOND)
        connection.execute(
            update(chunks).where(_held(lease)).values(lease=None, lease_until=until, attempts=attempts)
        )


def finish(connection: Connection, lease: Lease) -> None:
    """The chunk is done, in the transaction that keeps its results. Raises `LeaseLostError`."""
    done = connection.execute(
        update(chunks).where(_held(lease)).values(state="done", lease=None, lease_until=None)
    )
    if not done.rowcount:
        raise _lost(lease)


def _waiting(now: int) -> Select[tuple[str, int, int, int, int]]:
    """The next chunk to be begun."""
    return (
        select(chunks.c.job_id, chunks.c.number, chunks.c.first, chunks.c.rows, chunks.c.attempts)
        .join(jobs, jobs.c.id == chunks.c.job_id)
        .where(
            jobs.c.status.in_(CLAIMABLE),
            jobs.c.expires > now,
            or_(chunks.c.state == "ready", and_(chunks.c.state == "running", chunks.c.lease_until < now)),
        )
        .order_by(jobs.c.priority.desc(), jobs.c.created, chunks.c.job_id, chunks.c.number)
        .limit(1)
    )


def _held(lease: Lease) -> ColumnElement[bool]:
    return and_(
        chunks.c.job_id == lease.job_id,
        chunks.c.number == lease.number,
        chunks.c.state == "running",
        chunks.c.lease == lease.token,
    )


def _lost(lease: Lease) -> LeaseLostError:
    return LeaseLostError(f"chunk {lease.number} of job {lease.job_id} was taken over by another worker")
