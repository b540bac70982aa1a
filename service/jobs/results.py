"""Results and errors in the store, a sealed part a chunk, and the best of each posting merged in the end."""

from __future__ import annotations

import heapq
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Engine, delete, insert, select, update

from service.jobs import job_store
from service.jobs.chunk_records import ScoredChunk
from service.jobs.job_store import Job
from service.jobs.leases import Lease, finish
from service.jobs.sealing import Sealer
from service.store.job_tables import chunks, inputs, jobs, results
from service.store.transactions import reading, writing

Kind = Literal["results", "errors", "top"]

_RECORDS_A_PART = 5_000


def keep(engine: Engine, sealer: Sealer, lease: Lease, job: Job, scored: ScoredChunk) -> None:
    """Keep what became of a chunk, and delete its input; all of it or nothing.

    Raises `LeaseLostError` if another worker has the chunk by now, `StoreUnavailableError`.
    """
    records = scored.records if job.top_k is None else best_of_each(scored.records, job.top_k)
    kept: list[tuple[Kind, bytes]] = []
    if records:
        kept.append(("results", _lines(records)))
    if scored.faults:
        kept.append(("errors", _lines(scored.faults)))
    rows = [_row(sealer, lease.job_id, kind, lease.number, content) for kind, content in kept]
    with writing(engine) as connection:
        finish(connection, lease)
        if rows:
            connection.execute(insert(results), rows)
        upload = select(jobs.c.upload).where(jobs.c.id == lease.job_id).scalar_subquery()
        connection.execute(delete(inputs).where(inputs.c.upload == upload, inputs.c.number == lease.number))
        job_store.count(
            connection,
            lease.job_id,
            completed=scored.completed,
            decided=len(scored.records),
            errors=scored.errors,
        )
        job_store.end_if_cancelled(connection, lease.job_id)


def parts(engine: Engine, sealer: Sealer, job: Job, kind: Kind) -> Iterator[list[str]]:
    """Lines of JSON as they are kept, a part at a time, in the order of the input.

    Of a job with `top_k` that is not complete, the best so far. Raises `StoreUnavailableError`,
    `SealedError`.
    """
    if kind == "results" and job.top_k is not None:
        if job.status == "completed":
            yield from _stored(engine, sealer, job.id, "top")
        else:
            yield from _cut(_merged(engine, sealer, job))
    else:
        yield from _stored(engine, sealer, job.id, kind)


def finalise(engine: Engine, sealer: Sealer) -> list[str]:
    """Complete the jobs of which every chunk is done; their ids. Raises `StoreUnavailableError`.

    Whoever is killed at it, or does it at the same time as another, does no harm: nothing is replaced before
    the last transaction, in which the job completes.
    """
    left = select(chunks.c.number).where(chunks.c.job_id == jobs.c.id, chunks.c.state != "done")
    done = (
        select(jobs.c.id, jobs.c.status)
        .where(jobs.c.status.in_(("in_progress", "finalizing")), ~left.exists())
        .order_by(jobs.c.created)
    )
    with reading(engine) as connection:
        found = connection.execute(done).all()
    for job_id, status in found:
        if status == "in_progress":
            with writing(engine) as connection:
                connection.execute(
                    update(jobs)
                    .where(jobs.c.id == job_id, jobs.c.status == "in_progress")
                    .values(status="finalizing")
                )
        job = job_store.of_worker(engine, job_id)
        top = [] if job.top_k is None else list(_cut(_merged(engine, sealer, job)))
        rows = [
            _row(sealer, job_id, "top", number, "".join(part).encode()) for number, part in enumerate(top)
        ]
        with writing(engine) as connection:
            if job_store.complete(connection, job_id) and job.top_k is not None:
                of_chunks = delete(results).where(results.c.job_id == job_id, results.c.kind == "results")
                connection.execute(of_chunks)
                if rows:
                    connection.execute(insert(results), rows)
    return [job_id for job_id, _ in found]


def best_of_each(records: Iterable[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The best `most` of each posting, postings in order, equal scores in the order of the input."""
    by_posting: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        by_posting[record["job_index"]].append(record)
    return [
        record
        for posting in sorted(by_posting)
        for record in heapq.nsmallest(most, by_posting[posting], key=_rank)
    ]


def _rank(record: dict[str, Any]) -> tuple[float, int]:
    return -record["raw_score"], record["line"]


def _merged(engine: Engine, sealer: Sealer, job: Job) -> Iterator[str]:
    """Lines of the best of each posting over all chunks."""
    assert job.top_k is not None
    best: dict[int, list[tuple[float, int, str]]] = defaultdict(list)
    for part in _stored(engine, sealer, job.id, "results"):
        for line in part:
            record = json.loads(line)
            # The smallest is the worst: a lower score, or a later line.
            entry = (record["raw_score"], -record["line"], line)
            of_posting = best[record["job_index"]]
            if len(of_posting) < job.top_k:
                heapq.heappush(of_posting, entry)
            else:
                heapq.heappushpop(of_posting, entry)
    for posting in sorted(best):
        for *_, line in sorted(best[posting], reverse=True):
            yield line


def _cut(lines: Iterator[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for line in lines:
        part.append(line)
        if len(part) == _RECORDS_A_PART:
            yield part
            part = []
    if part:
        yield part


def _stored(engine: Engine, sealer: Sealer, job_id: str, kind: Kind) -> Iterator[list[str]]:
    last = -1
    while True:
        with reading(engine) as connection:
            found = _next(connection, job_id, kind, last)
        if found is None:
            return
        last, content = found
        opened = sealer.open(content, _owner(job_id, kind, last))
        yield opened.decode().splitlines(keepends=True)


def _next(connection: Connection, job_id: str, kind: Kind, last: int) -> tuple[int, bytes] | None:
    query = (
        select(results.c.number, results.c.content)
        .where(results.c.job_id == job_id, results.c.kind == kind, results.c.number > last)
        .order_by(results.c.number)
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else (row[0], row[1])


def _row(sealer: Sealer, job_id: str, kind: Kind, number: int, content: bytes) -> dict[str, Any]:
    sealed = sealer.seal(content, _owner(job_id, kind, number))
    return {"job_id": job_id, "kind": kind, "number": number, "content": sealed}


def _owner(job_id: str, kind: Kind, number: int) -> str:
    return f"{job_id}/{kind}/{number}"


def _lines(records: Sequence[dict[str, Any]]) -> bytes:
    # ASCII: no character in an id is the end of a line for `splitlines`.
    return "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records).encode()
