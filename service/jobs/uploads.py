"""An upload on its way into the store: rows gather to chunks, which are sealed and written, then it is a job.

Until the last moment nothing of it is a job: an upload that breaks off, or whose process dies, leaves sealed
rows that nobody refers to, and `service.jobs.upkeep` deletes them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, insert, select, update

from service.core.errors import (
    CountError,
    JobDeletedError,
    KeyReusedError,
    StoreConflictError,
    UploadError,
    UploadTooLargeError,
)
from service.core.requirements.kinds import Kind as RequirementKind
from service.jobs.chunk_requirements import MAX_POSTINGS
from service.jobs.clock import SECOND, now_in
from service.jobs.options import JobsOptions
from service.jobs.owners import Owner
from service.jobs.rows import Posting, Row, pack_postings, pack_rows
from service.jobs.sealing import Sealer
from service.jobs.states import PRIORITIES, Priority
from service.store.chain import LogKey
from service.store.job_tables import chunks, inputs, jobs, uploads
from service.store.transactions import writing

_CHUNK_BYTES = 4 * 2**20
"""Of packed rows: a chunk of documents ends with the one that passes it."""

_ROWS_A_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What is asked of a job beside its rows. `ttl`: seconds. `key`: the caller's `Idempotency-Key` or "".

    `api_key`: the id of the key or token for which its tokens are counted; None where there is none.
    """

    owner: Owner
    key: str = ""
    redact: bool = True
    top_k: int | None = None
    priority: Priority = "normal"
    ttl: int | None = None
    webhook: str | None = None
    prevalence: float | None = None
    requirements: bool = False
    require: tuple[RequirementKind, ...] = ()
    api_key: str | None = None

    @property
    def lists_requirements(self) -> bool:
        return self.requirements or bool(self.require)

    def options(self, postings: int) -> dict[str, object]:
        """What the database keeps of it in the clear."""
        return {
            "redact": self.redact,
            "top_k": self.top_k,
            "postings": postings,
            "webhook": self.webhook is not None,
            "prevalence": self.prevalence,
            "requirements": self.requirements,
            "require": list(self.require),
            "api_key": self.api_key,
        }


@dataclass(frozen=True, slots=True)
class Created:
    """`replayed`: an earlier request with the same key and content made the job."""

    job_id: str
    replayed: bool


class Upload:
    """One upload. Its methods ask the database, one after the other: call them in a thread.

    Every one raises `StoreUnavailableError` if the database does not take it: it is away, or its disk full.
    """

    def __init__(
        self, engine: Engine, sealer: Sealer, log_key: LogKey, options: JobsOptions, request: JobRequest
    ) -> None:
        self._engine = engine
        self._sealer = sealer
        self._log_key = log_key
        self._options = options
        self._request = request
        self._id = str(uuid.uuid4())
        self._key = None
        if request.key:
            self._key = log_key.sign("key of a batch job", [*request.owner.signed, request.key])
        self.job_id = str(uuid.UUID(self._key[:32]) if self._key is not None else uuid.uuid4())
        """Of the job that it becomes: the same for the same `Idempotency-Key`."""
        self._rows: list[Row] = []
        self._bytes = 0
        self._chunks: list[tuple[int, int]] = []  # first row and rows of each
        self._total = 0
        self._digest = ""
        self._begun = False

    def add(self, rows: Sequence[Row]) -> None:
        """Raises `UploadTooLargeError` for more rows than a job may have."""
        for row in rows:
            self._rows.append(row)
            self._bytes += _size(row)
            if len(self._rows) >= self._options.chunk_rows or self._bytes >= _CHUNK_BYTES:
                self._write()

    def commit(self, postings: Sequence[Posting]) -> Created:
        """Make it a job.

        With a key that made a job before, that job is the answer, and nothing new is kept. Raises
        `KeyReusedError` if it was made of something else, `JobDeletedError` if it was deleted since, and
        `CountError` if there is no row, or more pairs than a job may have.
        """
        if self._rows:
            self._write()
        self._check(postings)
        request, packed = self._request, pack_postings(list(postings))
        # The caller's key is part of it: without it nobody can try resumes until a digest fits.
        asked: list[object] = [
            request.redact,
            request.top_k,
            request.priority,
            request.ttl,
            request.webhook,
            request.key,
        ]
        if request.prevalence is not None:  # so that jobs without it have the digest that they always had
            asked.append(request.prevalence)
        if request.lists_requirements:
            asked.append([request.requirements, sorted(request.require)])
        self._add_to_digest(json.dumps(asked).encode())
        self._add_to_digest(packed)
        key, job_id = self._key, self.job_id
        try:
            with writing(self._engine) as connection:
                earlier = None if key is None else self._earlier(connection, key)
                if earlier is None:
                    self._insert(connection, job_id, key, packed, len(postings))
        except StoreConflictError:  # another request with the same key committed in this moment
            with writing(self._engine) as connection:
                earlier = None if key is None else self._earlier(connection, key)
            if earlier is None:
                raise
        if earlier is not None:
            self.discard()
            return Created(earlier, replayed=True)
        return Created(job_id, replayed=False)

    def discard(self) -> None:
        """Delete what was written, in parts."""
        if not self._begun:
            return
        for number in range(len(self._chunks)):
            with writing(self._engine) as connection:
                connection.execute(
                    delete(inputs).where(inputs.c.upload == self._id, inputs.c.number == number)
                )
        with writing(self._engine) as connection:
            connection.execute(delete(uploads).where(uploads.c.id == self._id))

    def _write(self) -> None:
        first, number, count = self._total, len(self._chunks), len(self._rows)
        if first + count > self._options.max_rows:
            most = self._options.max_rows
            raise UploadTooLargeError(
                f"the upload has more than {most:,} rows", limit=most, actual=first + count
            )
        packed = pack_rows(self._rows)
        self._add_to_digest(packed)
        sealed = self._sealer.seal(packed, owner_of_input(self._id, number))
        with writing(self._engine) as connection:
            now = now_in(connection)
            if not self._begun:
                tenant = self._request.owner.tenant
                connection.execute(insert(uploads).values(id=self._id, touched=now, tenant=tenant))
            else:
                connection.execute(update(uploads).where(uploads.c.id == self._id).values(touched=now))
            connection.execute(
                insert(inputs).values(upload=self._id, number=number, first=first, rows=count, content=sealed)
            )
        self._begun = True
        self._chunks.append((first, count))
        self._total += count
        self._rows, self._bytes = [], 0

    def _check(self, postings: Sequence[Posting]) -> None:
        if not self._total:
            raise CountError("the upload has no rows: a job has 1 at least", limit=1, actual=0)
        most = self._options.max_postings
        if self._request.lists_requirements:
            most = min(most, MAX_POSTINGS)
        if len(postings) > most:
            CountError.check(postings, "jobs", most)
        pairs = self._total * max(1, len(postings))
        if pairs > self._options.max_pairs:
            most = self._options.max_pairs
            raise UploadTooLargeError(
                f"{self._total:,} candidates times {len(postings):,} postings are {pairs:,} pairs; the limit "
                f"is {most:,}: split the job",
                limit=most,
                actual=pairs,
            )

    def _earlier(self, connection: Connection, key: str) -> str | None:
        query = select(jobs.c.id, jobs.c.body, jobs.c.deleted).where(jobs.c.key == key)
        found = connection.execute(query).mappings().first()
        if found is None:
            return None
        if found["body"] != self._digest:
            raise KeyReusedError(
                "this Idempotency-Key came with another job before: a new job needs a new key"
            )
        if found["deleted"] is not None:
            raise JobDeletedError("the job of this Idempotency-Key was deleted: a new job needs a new key")
        return str(found["id"])

    def _insert(
        self, connection: Connection, job_id: str, key: str | None, packed: bytes, postings: int
    ) -> None:
        """In one transaction with the end of the upload: `upkeep` may have deleted one that took too long."""
        request, now = self._request, now_in(connection)
        if not connection.execute(delete(uploads).where(uploads.c.id == self._id)).rowcount:
            raise UploadError("the upload was given up: it stood still for too long")
        ttl = min(request.ttl or self._options.ttl_seconds, self._options.ttl_seconds)
        webhook = request.webhook
        connection.execute(
            insert(jobs).values(
                id=job_id,
                owner=request.owner.credential or "",
                tenant=request.owner.tenant,
                status="validating",
                priority=PRIORITIES.index(request.priority),
                created=now,
                expires=now + ttl * SECOND,
                key=key,
                body=self._digest if key is not None else "",
                upload=self._id,
                total=self._total,
                completed=0,
                failed=0,
                decided=0,
                errors="{}",
                options=json.dumps(request.options(postings), sort_keys=True),
                postings=self._sealer.seal(packed, f"{job_id}/postings"),
                webhook=None if webhook is None else self._sealer.seal(webhook.encode(), f"{job_id}/webhook"),
            )
        )
        rows = [
            {
                "job_id": job_id,
                "number": number,
                "first": first,
                "rows": count,
                "state": "ready",
                "attempts": 0,
            }
            for number, (first, count) in enumerate(self._chunks)
        ]
        for start in range(0, len(rows), _ROWS_A_STATEMENT):
            connection.execute(insert(chunks), rows[start : start + _ROWS_A_STATEMENT])

    def _add_to_digest(self, content: bytes) -> None:
        """Over the content under the log's key, not over the bytes as sent: a retry has other boundaries."""
        self._digest = self._log_key.sign_bytes("content of a batch job", self._digest.encode() + content)


def owner_of_input(upload: str, number: int) -> str:
    """What a sealed chunk of rows belongs to."""
    return f"{upload}/input/{number}"


def _size(row: Row) -> int:
    files = [row.file, None if row.posting is None else row.posting.file]
    content = sum(len(file.content) for file in files if file is not None and file.content is not None)
    own = 0 if row.posting is None else len(row.posting.description or "")
    return content * 4 // 3 + len(row.resume or "") + own
