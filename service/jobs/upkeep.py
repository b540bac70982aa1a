"""What has to be deleted, in parts, so that no transaction holds up the decisions that are being recorded."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Engine, Table, delete, select, tuple_, update

from service.jobs import job_store
from service.jobs.clock import SECOND, now_in
from service.store.job_tables import chunks, deliveries, inputs, jobs, results, uploads
from service.store.transactions import reading, writing

_ROWS_A_TRANSACTION = 64
_UPLOAD_SECONDS = 3_600
"""An upload that wrote nothing for so long has no end any more: its process died."""

_DAY = 86_400 * SECOND


def end_jobs(engine: Engine) -> None:
    """End jobs whose time is over, and those that are being cancelled while nobody works on them.

    What is left of the inputs of jobs that ended is deleted. Raises `StoreUnavailableError`.
    """
    job_store.expire(engine)
    with reading(engine) as connection:
        query = select(jobs.c.id).where(jobs.c.status == "cancelling")
        cancelling = connection.execute(query).scalars().all()
    for job_id in cancelling:
        with writing(engine) as connection:
            job_store.end_if_cancelled(connection, job_id)
    _delete_inputs(engine)


def sweep(engine: Engine, *, results_days: float, key_days: float) -> None:
    """Delete what is over: results after `results_days`, deleted jobs, uploads that broke off.

    The row of a deleted job stays for `key_days`, since its decisions do: a job of the same key would have
    decisions of the same ids. Raises `StoreUnavailableError`.
    """
    with writing(engine) as connection:
        now = now_in(connection)
        connection.execute(
            update(jobs)
            .where(jobs.c.deleted.is_(None), jobs.c.ended < now - int(results_days * _DAY))
            .values(deleted=now)
        )
    _delete_jobs(engine, now - int(key_days * _DAY))
    _delete_uploads(engine, now - _UPLOAD_SECONDS * SECOND)


def _delete_inputs(engine: Engine) -> None:
    with reading(engine) as connection:
        query = select(jobs.c.id, jobs.c.upload).where(jobs.c.ended.is_not(None), jobs.c.upload.is_not(None))
        found = connection.execute(query).all()
    for job_id, upload in found:
        _delete_all(engine, inputs, inputs.c.upload == upload)
        with writing(engine) as connection:
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(upload=None))


def _delete_jobs(engine: Engine, before: int) -> None:
    with reading(engine) as connection:
        of_deleted = select(jobs.c.id).where(jobs.c.deleted.is_not(None))
        query = select(chunks.c.job_id).where(chunks.c.job_id.in_(of_deleted)).distinct()
        found = connection.execute(query).scalars().all()
    for job_id in found:
        _delete_all(engine, results, results.c.job_id == job_id)
        with writing(engine) as connection:
            connection.execute(delete(deliveries).where(deliveries.c.job_id == job_id))
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(webhook=None))
        # Last: as long as one is there, the job is found here again.
        _delete_all(engine, chunks, chunks.c.job_id == job_id)
    with writing(engine) as connection:
        connection.execute(delete(jobs).where(jobs.c.deleted < before))


def _delete_uploads(engine: Engine, before: int) -> None:
    with writing(engine) as connection:
        # Gone first: whoever still uploads can make no job of what is half deleted.
        query = select(uploads.c.id).where(uploads.c.touched < before)
        found = connection.execute(query).scalars().all()
        connection.execute(delete(uploads).where(uploads.c.id.in_(found)))
    of_jobs = select(jobs.c.upload).where(jobs.c.upload.is_not(None))
    under_way = select(uploads.c.id)
    orphans = inputs.c.upload.not_in(of_jobs) & inputs.c.upload.not_in(under_way)
    _delete_all(engine, inputs, orphans)


def _delete_all(engine: Engine, table: Table, condition: ColumnElement[bool]) -> None:
    key = list(table.primary_key.columns)
    while True:
        with writing(engine) as connection:
            some = connection.execute(select(*key).where(condition).limit(_ROWS_A_TRANSACTION)).all()
            if some:
                connection.execute(delete(table).where(tuple_(*key).in_([tuple(row) for row in some])))
        if len(some) < _ROWS_A_TRANSACTION:
            return
