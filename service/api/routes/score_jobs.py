"""`/v1/score/jobs`: batch jobs, which go on while nobody waits for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from service.api import paths
from service.api.bodies import BodyRoute, PartsResponse
from service.api.dependencies import GroupsDep, JobsDep, OwnerDep, PoolsDep, PrincipalOf, SettingsDep
from service.api.disconnects import DISCONNECTED
from service.api.idempotency import REPLAYED, IdempotencyDep
from service.api.job_results import CsvRecords, trailing_record
from service.api.job_uploads import receive_job
from service.api.schemas.score_jobs import (
    CountsOut,
    FailureOut,
    JobQuery,
    ListQuery,
    ResultsQuery,
    ScoreJobListOut,
    ScoreJobOut,
    request_schema,
)
from service.api.thread_pools import ThreadPools
from service.jobs import job_store, results
from service.jobs.job_store import Job
from service.jobs.row_formats import CSV
from service.store.tables import from_microseconds

router = APIRouter(tags=["jobs"], route_class=BodyRoute)

PARTIAL_HEADER = "Evenmatch-Partial"
_LEFT_STATUS = 499
_NDJSON = "application/x-ndjson"
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": request_schema()},
            _NDJSON: {"schema": {"type": "string"}},
            CSV: {"schema": {"type": "string"}},
            "multipart/form-data": {"schema": {"type": "object"}},
        },
    }
}
_LINES = {
    200: {
        "content": {_NDJSON: {"schema": {"type": "string"}}, CSV: {"schema": {"type": "string"}}},
        "headers": {
            PARTIAL_HEADER: {
                "description": "`true` while the job is not over: more may come.",
                "schema": {"type": "string", "enum": ["true"]},
            }
        },
    }
}


@router.post(
    paths.SCORE_JOBS,
    status_code=HTTPStatus.ACCEPTED,
    summary="Score a batch of candidates in the background",
    response_model=ScoreJobOut,
    responses={202: REPLAYED},
    openapi_extra=_BODY,
)
async def create(
    request: Request,
    query: Annotated[JobQuery, Query()],
    jobs: JobsDep,
    owner: OwnerDep,
    principal: PrincipalOf,
    groups: GroupsDep,
    settings: SettingsDep,
    pools: PoolsDep,
    idempotency: IdempotencyDep,
) -> Response:
    """Take candidates as JSON, JSON Lines, CSV or files, and score them while nobody waits.

    JSON is held to the limit of other bodies; rows and files are stored as they arrive. The query's options
    are for bodies of rows; JSON has them inside. A row that cannot be scored is reported with its line, and
    the rest goes on.
    """
    try:
        created = await receive_job(
            request,
            query,
            jobs,
            owner=owner,
            key=idempotency.key,
            api_key=principal.key_id,
            groups=groups,
            pools=pools,
        )
    except ClientDisconnect:
        request.scope[DISCONNECTED] = True
        return Response(status_code=_LEFT_STATUS)
    if created.replayed:
        idempotency.replayed()
    else:
        jobs.worker.wake()
    job = await pools.reading.run(lambda: job_store.find(jobs.engine, created.job_id, owner))
    prefix = settings.server.root_path
    return Response(
        _out(job).model_dump_json(),
        HTTPStatus.ACCEPTED,
        media_type="application/json",
        headers={**idempotency.headers, "Location": f"{prefix}{paths.PREFIX}{paths.SCORE_JOBS}/{job.id}"},
    )


@router.get(paths.SCORE_JOBS, summary="List batch jobs")
async def list_jobs(
    query: Annotated[ListQuery, Query()], jobs: JobsDep, owner: OwnerDep, pools: PoolsDep
) -> ScoreJobListOut:
    """Those that were created with the same credential, the newest first."""
    page = await pools.reading.run(
        lambda: job_store.listed(
            jobs.engine, owner, statuses=query.status, limit=query.limit, cursor=query.cursor
        )
    )
    return ScoreJobListOut(data=[_out(job) for job in page.jobs], next_cursor=page.cursor)


@router.get(paths.SCORE_JOB, summary="How far is a batch job?")
async def get_job(job_id: str, jobs: JobsDep, owner: OwnerDep, pools: PoolsDep) -> ScoreJobOut:
    """Status, counts, rate and errors by code."""
    return _out(await pools.reading.run(lambda: job_store.find(jobs.engine, job_id, owner)))


@router.post(paths.SCORE_JOB_CANCEL, summary="Cancel a batch job")
async def cancel(job_id: str, jobs: JobsDep, owner: OwnerDep, pools: PoolsDep) -> ScoreJobOut:
    """Begin no more of it; what is being scored is finished. A job that is over stays as it is."""
    return _out(await pools.writing.run(lambda: job_store.cancel(jobs.engine, job_id, owner)))


@router.delete(
    paths.SCORE_JOB,
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    summary="Delete a batch job that is over",
)
async def delete(job_id: str, jobs: JobsDep, owner: OwnerDep, pools: PoolsDep) -> Response:
    """Delete its results and errors. Its decisions stay in the decision log."""
    await pools.writing.run(lambda: job_store.mark_deleted(jobs.engine, job_id, owner))
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get(
    paths.SCORE_JOB_RESULTS,
    summary="The results of a batch job",
    response_class=Response,
    responses=_LINES,  # type: ignore[arg-type]  # FastAPI's type is too narrow
)
async def job_results(
    job_id: str, query: Annotated[ResultsQuery, Query()], jobs: JobsDep, owner: OwnerDep, pools: PoolsDep
) -> Response:
    """A record a pair, in the order of the input; with `top_k`, the best of each posting.

    While the job runs, what is there: then the last record has `partial`, and so says the header.
    """
    job = await pools.reading.run(lambda: job_store.find(jobs.engine, job_id, owner))
    found = results.parts(jobs.engine, jobs.sealer, job, "results")
    if query.format == "ndjson":
        return await _stream(job, found, "".join, trailing_record(job), _NDJSON, pools)
    records = CsvRecords(job)
    return await _stream(job, found, records.part, records.trailer, CSV, pools, head=records.header)


@router.get(
    paths.SCORE_JOB_ERRORS,
    summary="The rows of a batch job that failed",
    response_class=Response,
    responses={200: {"content": {_NDJSON: {"schema": {"type": "string"}}}}},
)
async def job_errors(job_id: str, jobs: JobsDep, owner: OwnerDep, pools: PoolsDep) -> Response:
    """A record a row: its line, its id if it has one, code, message and field. Never text."""
    job = await pools.reading.run(lambda: job_store.find(jobs.engine, job_id, owner))
    found = results.parts(jobs.engine, jobs.sealer, job, "errors")
    return await _stream(job, found, "".join, trailing_record(job), _NDJSON, pools)


async def _stream(
    job: Job,
    found: Iterator[list[str]],
    write: Callable[[list[str]], str],
    trailer: str,
    media_type: str,
    pools: ThreadPools,
    *,
    head: str = "",
) -> Response:
    async def next_part() -> str | None:
        def work() -> str | None:
            part = next(found, None)
            return None if part is None else write(part)

        return await pools.reading.run(work)

    first = await next_part()  # what is wrong with the database is answered, not sent in the middle

    async def parts() -> AsyncIterator[str]:
        if head:
            yield head
        part = first
        while part is not None:
            yield part
            part = await next_part()
        if not job.is_over:
            yield trailer

    headers = {} if job.is_over else {PARTIAL_HEADER: "true"}
    return PartsResponse(parts(), media_type=media_type, headers=headers)


def _out(job: Job) -> ScoreJobOut:
    rate, left = job.rows_per_second, job.seconds_left
    return ScoreJobOut(
        id=job.id,
        status=job.status,
        priority=job.priority,
        redact=job.redact,
        top_k=job.top_k,
        prevalence=job.prevalence,
        requirements=job.requirements,
        require=list(job.require),
        postings=job.postings,
        created_at=from_microseconds(job.created),
        started_at=None if job.started is None else from_microseconds(job.started),
        ended_at=None if job.ended is None else from_microseconds(job.ended),
        expires_at=from_microseconds(job.expires),
        counts=CountsOut(total=job.total, completed=job.completed, failed=job.failed, decisions=job.decided),
        rows_per_second=None if rate is None else round(rate, 2),
        seconds_left=None if left is None else round(left, 1),
        errors=dict(job.errors),
        failure=None if job.failure is None else FailureOut(**job.failure),
        webhook=job.has_webhook,
    )
