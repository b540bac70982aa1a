"""Jobs as they stand in the database: found, listed, cancelled, ended, deleted."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, insert, or_, select, update

from service.core.errors import EvenmatchError, InputError, JobRunningError, UnknownJobError
from service.core.requirements.kinds import Kind as RequirementKind
from service.jobs.clock import SECOND, now_in
from service.jobs.owners import Owner
from service.jobs.rows import Posting, unpack_postings
from service.jobs.sealing import Sealer
from service.jobs.states import OPEN, PRIORITIES, Priority, Status
from service.store.job_tables import chunks, deliveries, jobs
from service.store.tables import from_microseconds
from service.store.transactions import reading, writing


@dataclass(frozen=True, slots=True)
class Job:
    """A job. Times are microseconds since 1970; counts are rows, `decided` is decisions."""

    id: str
    tenant: str
    status: Status
    priority: Priority
    created: int
    started: int | None
    ended: int | None
    expires: int
    total: int
    completed: int
    failed: int
    decided: int
    errors: Mapping[str, int]
    redact: bool
    top_k: int | None
    prevalence: float | None
    requirements: bool
    require: tuple[RequirementKind, ...]
    postings: int
    has_webhook: bool
    failure: Mapping[str, str] | None
    api_key: str | None
    """The id of the key that made it, None where none was asked for."""
    now: int
    """The database's time at which it was read."""

    @property
    def lists_requirements(self) -> bool:
        """Whether its records have what each resume says to the posting's requirements."""
        return self.requirements or bool(self.require)

    @property
    def is_over(self) -> bool:
        return self.status not in OPEN

    @property
    def rows_per_second(self) -> float | None:
        """Since its first chunk was begun; None before."""
        done = self.completed + self.failed
        if self.started is None or not done:
            return None
        end = self.now if self.ended is None else self.ended
        return done / max((end - self.started) / SECOND, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """By the rate so far; None if nothing is known, or the job is over."""
        rate = self.rows_per_second
        if rate is None or self.is_over:
            return None
        return (self.total - self.completed - self.failed) / rate


@dataclass(frozen=True, slots=True)
class Page:
    """`cursor`: what gives the next page, None on the last one."""

    jobs: list[Job]
    cursor: str | None


def find(engine: Engine, job_id: str, owner: Owner) -> Job:
    """Raises `UnknownJobError` if there is none, it is another's, or it was deleted."""
    with reading(engine) as connection:
        return _find(connection, job_id, owner)


def listed(
    engine: Engine, owner: Owner, *, statuses: Sequence[Status], limit: int, cursor: str | None
) -> Page:
    """The newest jobs first. Raises `InputError` for a cursor that was not given by this function."""
    conditions: list[ColumnElement[bool]] = [*owner.conditions(), jobs.c.deleted.is_(None)]
    if statuses:
        conditions.append(jobs.c.status.in_(statuses))
    if cursor is not None:
        created, last = _read_cursor(cursor)
        conditions.append(or_(jobs.c.created < created, and_(jobs.c.created == created, jobs.c.id < last)))
    query = select(jobs).where(*conditions).order_by(jobs.c.created.desc(), jobs.c.id.desc())
    with reading(engine) as connection:
        now = now_in(connection)
        rows = connection.execute(query.limit(limit + 1)).mappings().all()
    found = [_job(row, now) for row in rows[:limit]]
    return Page(found, _cursor(found[-1]) if len(rows) > limit else None)


def cancel(engine: Engine, job_id: str, owner: Owner) -> Job:
    """Begin no more chunks of it. Those that are being scored are finished: then it is `cancelled`.

    A job that is over, or being cancelled, stays as it is. Raises `UnknownJobError`.
    """
    with writing(engine) as connection:
        job = _find(connection, job_id, owner, lock=True)
        if job.status in ("validating", "in_progress", "finalizing"):
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(status="cancelling"))
            end_if_cancelled(connection, job_id)
        return _find(connection, job_id, owner)


def mark_deleted(engine: Engine, job_id: str, owner: Owner) -> None:
    """From now on it is not found. Raises `UnknownJobError`, `JobRunningError` if it is not over.

    `service.jobs.upkeep` deletes what is left of it. Its row stays for its key.
    """
    with writing(engine) as connection:
        job = _find(connection, job_id, owner, lock=True)
        if not job.is_over:
            raise JobRunningError(f"the job is {job.status}: cancel it first")
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(deleted=job.now))


def begin(engine: Engine, job_id: str) -> None:
    """Its postings were read: it is `in_progress` from now on."""
    with writing(engine) as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.status == "validating")
            .values(status="in_progress", started=now_in(connection))
        )


def fail(engine: Engine, job_id: str, error: EvenmatchError) -> None:
    """The job as a whole cannot be scored."""
    failure = {"code": error.code, "message": error.message, "field": error.field or ""}
    with writing(engine) as connection:
        _lock(connection, job_id)
        _end(connection, job_id, "failed", ("validating", "in_progress"), failure=json.dumps(failure))


def count(
    connection: Connection, job_id: str, *, completed: int, decided: int, errors: Mapping[str, int]
) -> None:
    """Add what became of a chunk, in the transaction that keeps its results.

    Raises `UnknownJobError` if the job was deleted meanwhile.
    """
    row = _lock(connection, job_id)
    if row["deleted"] is not None:
        raise _unknown()
    by_code = json.loads(row["errors"])
    for code, rows in errors.items():
        by_code[code] = by_code.get(code, 0) + rows
    connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(
            completed=jobs.c.completed + completed,
            failed=jobs.c.failed + sum(errors.values()),
            decided=jobs.c.decided + decided,
            errors=json.dumps(by_code, sort_keys=True),
        )
    )


def end_if_cancelled(connection: Connection, job_id: str) -> bool:
    """End a job that is being cancelled once nobody works on it. The caller holds its row."""
    now = now_in(connection)
    busy = select(func.count()).where(
        chunks.c.job_id == job_id,
        chunks.c.state == "running",
        chunks.c.lease.is_not(None),
        chunks.c.lease_until >= now,
    )
    if connection.execute(busy).scalar_one():
        return False
    return _end(connection, job_id, "cancelled", ("cancelling",))


def complete(connection: Connection, job_id: str) -> bool:
    """End a job whose results are all there. False if it was cancelled meanwhile."""
    return _end(connection, job_id, "completed", ("finalizing",))


def expire(engine: Engine) -> int:
    """End the jobs whose time is over; returns how many."""
    over = select(jobs.c.id).where(jobs.c.status.in_(OPEN))
    with reading(engine) as connection:
        over = over.where(jobs.c.expires <= now_in(connection))
        if connection.execute(over.limit(1)).first() is None:
            return 0
    with writing(engine) as connection:
        ended = 0
        for job_id in connection.execute(over.with_for_update(skip_locked=True)).scalars().all():
            ended += _end(connection, job_id, "expired", OPEN)
        return ended


def postings_of(engine: Engine, sealer: Sealer, job_id: str) -> list[Posting]:
    """The postings for all candidates of a job. Raises `SealedError`, `UnknownJobError` if it has ended."""
    with reading(engine) as connection:
        sealed = connection.execute(select(jobs.c.postings).where(jobs.c.id == job_id)).scalar()
    if sealed is None:
        raise _unknown()
    return unpack_postings(sealer.open(sealed, f"{job_id}/postings"))


def of_worker(engine: Engine, job_id: str) -> Job:
    """The job, whoever's it is. Raises `UnknownJobError`."""
    with reading(engine) as connection:
        return _find(connection, job_id, None)


def statuses(engine: Engine) -> dict[str, int]:
    """How many jobs there are by status, deleted ones left out."""
    query = select(jobs.c.status, func.count()).where(jobs.c.deleted.is_(None)).group_by(jobs.c.status)
    with reading(engine) as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def _lock(connection: Connection, job_id: str) -> Mapping[str, Any]:
    query = select(jobs).where(jobs.c.id == job_id).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        raise _unknown()
    return row  # type: ignore[return-value]  # a RowMapping is one


def _find(connection: Connection, job_id: str, owner: Owner | None, *, lock: bool = False) -> Job:
    query = select(jobs).where(jobs.c.id == job_id, jobs.c.deleted.is_(None))
    if owner is not None:
        query = query.where(*owner.conditions())
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise _unknown()
    return _job(row, now_in(connection))


def _end(
    connection: Connection, job_id: str, status: Status, before: Sequence[Status], **values: Any
) -> bool:
    """End a job in one of the states `before`, and have its webhook told so."""
    now = now_in(connection)
    ended = connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.status.in_(before))
        .values(status=status, ended=now, postings=None, **values)
    )
    if not ended.rowcount:
        return False
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().one()
    if row["webhook"] is not None:
        connection.execute(
            insert(deliveries).values(
                id=f"msg_{uuid.uuid4().hex}",
                job_id=job_id,
                created=now,
                payload=_payload(row, now),
                url=row["webhook"],
                attempts=0,
                due=now,
            )
        )
    return True


def _payload(row: Mapping[Any, Any], now: int) -> str:
    told = {
        "type": f"score_job.{row['status']}",
        "timestamp": from_microseconds(now).isoformat().replace("+00:00", "Z"),
        "data": {
            "id": row["id"],
            "status": row["status"],
            "counts": {
                "total": row["total"],
                "completed": row["completed"],
                "failed": row["failed"],
                "decisions": row["decided"],
            },
        },
    }
    return json.dumps(told, separators=(",", ":"))


def _job(row: Mapping[Any, Any], now: int) -> Job:
    options = json.loads(row["options"])
    same = (
        "id",
        "tenant",
        "status",
        "created",
        "started",
        "ended",
        "expires",
        "total",
        "completed",
        "failed",
        "decided",
    )
    return Job(
        **{name: row[name] for name in same},
        priority=PRIORITIES[row["priority"]],
        errors=json.loads(row["errors"]),
        redact=options["redact"],
        top_k=options["top_k"],
        # Of a job of an earlier version these are not there.
        prevalence=options.get("prevalence"),
        requirements=options.get("requirements", False),
        require=tuple(options.get("require", ())),
        postings=options["postings"],
        has_webhook=options["webhook"],
        failure=None if row["failure"] is None else json.loads(row["failure"]),
        api_key=options.get("api_key"),
        now=now,
    )


def _cursor(job: Job) -> str:
    return base64.urlsafe_b64encode(f"{job.created}:{job.id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[int, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        created, _, last = base64.urlsafe_b64decode(padded.encode()).decode().partition(":")
        return int(created), last
    except (ValueError, UnicodeError):
        raise InputError("the cursor is none that a list of jobs gave", field="cursor") from None


def _unknown() -> UnknownJobError:
    return UnknownJobError("no job of yours has this id")
