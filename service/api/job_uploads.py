"""The body of `POST /v1/score/jobs` -> a job: JSON at once, rows and files as they arrive."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from anyio import CancelScope
from fastapi import Request

from service.api.bodies import json_errors
from service.api.job_forms import JobForm, validated
from service.api.multipart import MultipartReader
from service.api.schemas.score_jobs import JobOptionsIn, JobQuery, PostingIn, ScoreJobRequest
from service.api.thread_pools import ThreadPools
from service.core.errors import CapacityError, CountError, MediaTypeError, UploadError, UploadTooLargeError
from service.core.group_reading import GroupReader
from service.jobs.owners import Owner
from service.jobs.row_formats import CSV, JSON_LINES, CsvRows, JsonLines, RowFormat
from service.jobs.rows import Posting, RowChecker
from service.jobs.service import JobService
from service.jobs.uploads import Created, JobRequest, Upload
from service.jobs.webhooks import check_webhook

log = logging.getLogger(__name__)

_PART_BYTES = 256 * 1024
"""Of an upload that are parsed together: some milliseconds of a thread."""

_MAX_BEST = 200_000
"""Records of the best of all postings: they are merged in memory."""


async def receive_job(
    request: Request,
    query: JobQuery,
    jobs: JobService,
    *,
    owner: Owner,
    key: str,
    api_key: str | None,
    groups: GroupReader,
    pools: ThreadPools,
) -> Created:
    """Make a job of a request's body. `key`: its `Idempotency-Key`; `api_key`: the id of the caller's key.

    Raises an `InputError` for a body that no job can be made of, `RequestValidationError` for JSON of another
    shape, `ClientDisconnect` if the body breaks off, and what `Upload` raises. Nothing is kept then.
    """
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    checker = RowChecker(groups, jobs.max_file_bytes)
    receiver = _Receiver(jobs, checker, pools, owner, key, api_key)
    if media_type == "application/json" or media_type.endswith("+json"):
        return await receiver.json(request, query)
    most_bytes = _most_row_bytes(request, jobs)
    if media_type in JSON_LINES:
        return await receiver.rows(request, query, JsonLines(checker, most_bytes))
    if media_type == CSV:
        return await receiver.rows(request, query, CsvRows(checker, groups, most_bytes))
    if media_type == "multipart/form-data":
        return await receiver.files(request, query, groups, most_bytes)
    raise MediaTypeError(
        f"the body must be application/json, {JSON_LINES[0]}, {CSV} or multipart/form-data",
        field="content-type",
    )


class _Receiver:
    def __init__(
        self,
        jobs: JobService,
        checker: RowChecker,
        pools: ThreadPools,
        owner: Owner,
        key: str,
        api_key: str | None,
    ) -> None:
        self._jobs = jobs
        self._checker = checker
        self._pools = pools
        self._owner = owner
        self._key = key
        self._api_key = api_key

    async def json(self, request: Request, query: JobQuery) -> Created:
        with json_errors():
            given = await request.json()
        if query.model_fields_set:
            raise UploadError("a JSON body has its options inside, not in the query", field="query")
        body = validated(ScoreJobRequest, given)
        CountError.check(body.candidates, "candidates", self._jobs.options.max_rows)
        postings = self._postings(body)
        upload = self._begin(body, postings)

        def store() -> Created:
            rows = [self._checker.row(one, line) for line, one in enumerate(body.candidates, 1)]
            upload.add(rows)
            return upload.commit(postings)

        return await self._stored(upload, store)

    async def rows(self, request: Request, query: JobQuery, rows: RowFormat) -> Created:
        upload = self._begin(query, None)
        try:
            async for part in _parts(request, self._jobs.options.max_upload_bytes):
                await self._add(upload, rows, part)

            def finish() -> Created:
                upload.add(rows.finish())
                self._check_top(query.top_k, rows.postings)
                return upload.commit(rows.postings)

            return await self._pools.writing.run(finish)
        except BaseException:
            await self._discard(upload)
            raise

    async def files(self, request: Request, query: JobQuery, groups: GroupReader, most_bytes: int) -> Created:
        if query.model_fields_set:
            raise UploadError("multipart/form-data has its options in the part `request`", field="query")
        settings = request.app.state.settings
        form = JobForm(
            MultipartReader(request.headers["content-type"]),
            self._begin_form,
            self._checker,
            self._jobs.archives,
            groups,
            max_file_bytes=self._jobs.max_file_bytes,
            max_request_bytes=settings.limits.max_body_bytes,
            most_row_bytes=most_bytes,
            folder=settings.store.data_dir,
        )
        try:
            async for part in _parts(request, self._jobs.options.max_upload_bytes):
                await self._pools.writing.run(partial(form.feed, part))
            return await self._pools.writing.run(form.finish)
        except BaseException:
            if form.upload is not None:
                await self._discard(form.upload)
            raise
        finally:
            form.close()

    def _begin_form(self, body: ScoreJobRequest) -> tuple[Upload, list[Posting]]:
        postings = self._postings(body)
        return self._begin(body, postings), postings

    async def _add(self, upload: Upload, rows: RowFormat, part: bytes) -> None:
        parsed = await self._pools.parsing.run(lambda: rows.feed(part))
        if parsed:
            await self._pools.writing.run(lambda: upload.add(parsed))

    def _begin(self, options: JobOptionsIn | JobQuery, postings: Sequence[Posting] | None) -> Upload:
        """`postings`: None if they are not known yet."""
        if options.webhook is not None:
            check_webhook(options.webhook, self._jobs.options)
        if postings is not None:
            self._check_top(options.top_k, postings)
        self._checker.own_postings = options.top_k is None
        return self._jobs.upload(
            JobRequest(
                owner=self._owner,
                key=self._key,
                redact=options.redact,
                top_k=options.top_k,
                priority=options.priority,
                ttl=options.ttl,
                webhook=options.webhook,
                prevalence=options.prevalence,
                requirements=options.requirements,
                require=tuple(options.require),
                api_key=self._api_key,
            )
        )

    def _postings(self, body: ScoreJobRequest) -> list[Posting]:
        if body.job is not None and body.jobs:
            raise UploadError("a job has either `job` or `jobs`", field="jobs")
        given: list[tuple[str, PostingIn]] = [(f"jobs[{i}]", one) for i, one in enumerate(body.jobs)]
        if body.job is not None:
            given = [("job", body.job)]
        postings = [self._checker.posting(one.model_dump(exclude_none=True), where) for where, one in given]
        self._checker.has_postings = bool(postings)
        return postings

    def _check_top(self, top_k: int | None, postings: Sequence[Posting]) -> None:
        if top_k is None:
            return
        if not postings:
            raise UploadError("top_k needs postings for all candidates", field="top_k")
        best = top_k * len(postings)
        if best > _MAX_BEST:
            raise UploadError(
                f"top_k times {len(postings):,} postings is {best:,}; the limit is {_MAX_BEST:,}",
                field="top_k",
                limit=_MAX_BEST,
                actual=best,
            )

    async def _stored(self, upload: Upload, store: Callable[[], Created]) -> Created:
        try:
            return await self._pools.writing.run(store)
        except BaseException:
            await self._discard(upload)
            raise

    async def _discard(self, upload: Upload) -> None:
        """What cannot be deleted now, as on a full disk, is deleted later (`service.jobs.upkeep`)."""
        with CancelScope(shield=True):
            try:
                await self._pools.writing.run(upload.discard)
            except CapacityError:
                log.warning("what an upload left in the database is deleted later")


async def _parts(request: Request, limit: int) -> AsyncIterator[bytes]:
    """A body as it arrives, in parts that are worth a thread's while. Raises `UploadTooLargeError`."""
    size, part = 0, bytearray()
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise _too_large(size, limit)
        part += piece
        if len(part) >= _PART_BYTES:
            yield bytes(part)
            part.clear()
    yield bytes(part)


def _too_large(size: int, limit: int) -> UploadTooLargeError:
    return UploadTooLargeError(
        f"the upload has {size:,} bytes or more; the limit is {limit:,}", limit=limit, actual=size
    )


def _most_row_bytes(request: Request, jobs: JobService) -> int:
    """Of one row: its texts with every character escaped, or its document in base64."""
    characters = request.app.state.settings.limits.max_text_characters
    return 64 * 1024 + max(24 * int(characters), 3 * jobs.max_file_bytes)
