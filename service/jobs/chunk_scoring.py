"""One chunk of a job: rows -> texts -> vectors -> matches -> decisions, recorded once whatever happens.

Every pair has one decision, and its id is made of job, posting and row. A chunk's pairs are recorded in
blocks, each under a key of its own, in the manner of requests with an `Idempotency-Key`: who scores a block
again, after a crash or beside a worker that was taken for dead, gets what was recorded first, scores and
all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from service.core.copied_text import RunsOfPostings
from service.core.errors import AnswerErasedError, EngineError, InputError, InputErrors, RequestTooLargeError
from service.core.matching import TokenizedJob
from service.core.requirements.listing import read_requirements
from service.core.vectors import Vectors
from service.files.documents.given_texts import may_hold_marks
from service.files.documents.parsed import ParsedDocument, about_text
from service.files.documents.pool import DocumentReader
from service.jobs.chunk_decisions import decisions_of, facts_of, match_pairs
from service.jobs.chunk_records import PreparedJob, ReadPosting, ReadRow, ScoredChunk, chunk_of, pack
from service.jobs.chunk_requirements import Requirements
from service.jobs.documents import read_file
from service.jobs.job_store import Job
from service.jobs.observer import JobsObserver
from service.jobs.rows import Fault, Posting, Row
from service.runtime.runtime import Runtime
from service.store.decisions import Decision, KeyedRequest
from service.store.idempotency import with_answer
from service.store.recorder import Recorder

T = TypeVar("T")
RunInThread = Callable[[Callable[[], T]], Awaitable[T]]

_BLOCK_PAIRS = 2_000
"""Pairs that are recorded together, one row's at least: as many as the writer puts into one commit."""

_PART_TOKENS = 32_768
"""Tokens that are queued together: some batches, so that what is the same in them is encoded once."""


class ChunkScorer:
    """Scores chunks for the worker. `run`: runs a function in one of the worker's threads.

    `run_document`: the same for one that waits for a process which reads a document; as many at once as there
    are processes for jobs.
    """

    def __init__(
        self,
        runtime: Runtime,
        recorder: Recorder,
        observer: JobsObserver,
        documents: DocumentReader,
        run: RunInThread[Any],
        run_document: RunInThread[Any],
    ) -> None:
        self._runtime = runtime
        self._recorder = recorder
        self._observer = observer
        self._documents = documents
        self._run = run
        self._run_document = run_document

    async def prepare(self, job: Job, postings: Sequence[Posting]) -> PreparedJob:
        """Read and encode a job's postings. Raises an `InputError` that names the one that cannot be."""
        read = []
        for i, posting in enumerate(postings):
            read.append(await self._read_posting(job, posting, f"jobs[{i}]"))
        return PreparedJob(job, read, RunsOfPostings([one.job.runs for one in read]))

    async def score(
        self, prepared: PreparedJob, rows: Sequence[Row], *, number: int, first: int
    ) -> ScoredChunk:
        """Score and record a chunk's rows; `first` is the index of its first row in the job.

        Raises a `CapacityError` if it cannot be done now: what was recorded is found when it is tried again.
        """
        job = prepared.job
        blocks = [
            (block, self._recorder.keyed_request("score job", f"{job.id}/{number}/{block.start}", b""))
            for block in _blocks(len(rows), len(prepared.postings))
        ]
        contents: dict[int, str] = {}
        for block, request in blocks:
            earlier = await self._recorder.earlier(request)
            if earlier is not None:
                contents[block.start] = _content(earlier.content_for, request)
        missing = [i for block, _ in blocks if block.start not in contents for i in block]
        faults, read, vectors, own = await self._read_rows(prepared, rows, missing)
        for block, request in blocks:
            if block.start not in contents:
                contents[block.start] = await self._record(
                    prepared, rows, block, request, faults, read, vectors, own, first
                )
        required = {i: one.requirements for i, one in own.items()}
        if job.lists_requirements:
            await self._require_again(rows, set(range(len(rows))).difference(missing), required)
        return chunk_of(
            job, prepared, rows, [(block, contents[block.start]) for block, _ in blocks], required
        )

    async def _require_again(
        self, rows: Sequence[Row], recorded: Collection[int], required: dict[int, Requirements]
    ) -> None:
        """Add the requirements of those postings of their own whose rows are recorded, and not read now."""
        known: dict[tuple[str | None, str | None], Requirements] = {}
        for i in sorted(recorded):
            posting = rows[i].posting
            if posting is None:
                continue
            key = posting.description, posting.title
            if posting.file is not None or key not in known:
                try:
                    description, _ = await self._texts_of(posting, "job")
                except InputError:  # as when it was recorded: the row failed
                    known[key] = ()
                else:
                    known[key] = await self._run(partial(read_requirements, description))
            required[i] = known[key]

    async def _texts_of(self, posting: Posting, field: str) -> tuple[str, str]:
        """Description and title as a person reads them."""
        if posting.file is not None:
            read_posting = partial(read_file, posting.file, self._documents, f"{field}.file")
            description = (await self._run_document(read_posting)).text
        else:
            description = await self._without_marks(posting.description or "", f"{field}.description")
        title = " ".join((await self._without_marks(posting.title or "", f"{field}.title")).split())
        return description, title

    async def _read_posting(self, of: Job, posting: Posting, field: str) -> ReadPosting:
        description, title = await self._texts_of(posting, field)

        def read() -> tuple[TokenizedJob, Requirements]:
            job = self._runtime.matcher.tokenize_job(
                description,
                title or None,
                field=f"{field}.description",
                title_field=f"{field}.title",
            )
            return job, read_requirements(description) if of.lists_requirements else ()

        job, requirements = await self._run(read)
        vectors = await self._runtime.embedder.embed(job.texts, lane="bulk", tenant=of.tenant)
        return ReadPosting(posting.id, job, vectors, requirements)

    async def _without_marks(self, text: str, field: str) -> str:
        """A text as a person sees it. Raises what `DocumentReader.read_text` raises."""
        if not may_hold_marks(text):
            return text
        document = await self._run_document(partial(self._documents.read_text, text, field=field))
        return text if document is None else str(document.text)

    async def _read_rows(
        self, prepared: PreparedJob, rows: Sequence[Row], wanted: Sequence[int]
    ) -> tuple[dict[int, Fault], dict[int, ReadRow], dict[int, Vectors], dict[int, ReadPosting]]:
        faults = {i: fault for i in wanted if (fault := rows[i].fault) is not None}
        read: dict[int, ReadRow] = {}
        own: dict[int, ReadPosting] = {}
        known: dict[tuple[str | None, str | None], ReadPosting | Fault] = {}
        async with self._reading_files({i: rows[i] for i in wanted if i not in faults}) as files:
            for i in wanted:
                row = rows[i]
                if i in faults:
                    continue
                runs = prepared.runs
                if row.posting is not None:
                    found = await self._own_posting(prepared.job, row.posting, known)
                    if isinstance(found, Fault):
                        faults[i] = found
                        continue
                    own[i] = replace(found, id=row.posting.id)
                    runs = RunsOfPostings([found.job.runs])
                document = await files[i] if i in files else None
                if isinstance(document, Fault):
                    faults[i] = document
                    continue
                one = await self._run(partial(self._read_row, prepared.job, row, document, runs))
                if isinstance(one, Fault):
                    faults[i] = one
                else:
                    read[i] = one
        vectors = await self._encode(read, faults, prepared.job.tenant)
        return faults, read, vectors, own

    @asynccontextmanager
    async def _reading_files(
        self, rows: Mapping[int, Row]
    ) -> AsyncIterator[dict[int, asyncio.Task[ParsedDocument | Fault | None]]]:
        """What is in the rows' files and in texts with marks: read ahead, beside the work on others."""
        files = {
            i: asyncio.create_task(self._read_document(row))
            for i, row in rows.items()
            if row.file is not None or may_hold_marks(row.resume or "")
        }
        try:
            yield files
        finally:
            for task in files.values():
                task.cancel()
            await asyncio.gather(*files.values(), return_exceptions=True)

    async def _read_document(self, row: Row) -> ParsedDocument | Fault | None:
        """None for a text that is one."""
        read = (
            partial(self._documents.read_text, row.resume or "", field="resume")
            if row.file is None
            else partial(read_file, row.file, self._documents, "file")
        )
        try:
            document: ParsedDocument | None = await self._run_document(read)
        except InputError as error:
            return _fault(error)
        return document

    async def _own_posting(
        self, job: Job, posting: Posting, known: dict[tuple[str | None, str | None], ReadPosting | Fault]
    ) -> ReadPosting | Fault:
        """The same posting, beside many candidates, is read and encoded once a chunk."""
        if posting.file is not None:
            return await self._posting_or_fault(job, posting)
        key = posting.description, posting.title
        if key not in known:
            known[key] = await self._posting_or_fault(job, posting)
        return known[key]

    async def _posting_or_fault(self, job: Job, posting: Posting) -> ReadPosting | Fault:
        try:
            return await self._read_posting(job, posting, "job")
        except (InputError, EngineError) as error:
            return _fault(error)

    def _read_row(
        self, job: Job, row: Row, document: ParsedDocument | None, runs: RunsOfPostings
    ) -> ReadRow | Fault:
        text = row.resume if document is None else document.text
        try:
            resume, repeats = self._runtime.matcher.tokenize_resume_for(
                text or "", runs, redact=job.redact, field="resume"
            )
        except InputError as error:
            return _fault(error)
        resume = replace(resume, read=resume.read.with_more(about_text(document)))
        return ReadRow(resume, repeats, document)

    async def _encode(
        self, read: dict[int, ReadRow], faults: dict[int, Fault], tenant: str
    ) -> dict[int, Vectors]:
        """Vectors of each row's resume, in parts that find room in the queue."""
        most = min(_PART_TOKENS, self._runtime.options.model.queue_tokens)
        vectors: dict[int, Vectors] = {}
        for part in _parts(read, most):
            try:
                vectors |= await self._embed(part, read, tenant)
            except EngineError:
                for i in part:  # whichever of them it fails on
                    try:
                        vectors |= await self._embed([i], read, tenant)
                    except EngineError as error:
                        faults[i] = _fault(error)
            except RequestTooLargeError as error:  # one resume, alone in its part
                faults[part[0]] = _fault(error)
        for i in faults:
            read.pop(i, None)
        return vectors

    async def _embed(
        self, part: Sequence[int], read: Mapping[int, ReadRow], tenant: str
    ) -> dict[int, Vectors]:
        texts = [ids for i in part for ids in read[i].resume.texts]
        encoded = await self._runtime.embedder.embed(texts, lane="bulk", tenant=tenant)
        found, start = {}, 0
        for i in part:
            stop = start + len(read[i].resume.passages)
            found[i] = encoded[start:stop]
            start = stop
        return found

    async def _record(
        self,
        prepared: PreparedJob,
        rows: Sequence[Row],
        block: range,
        request: KeyedRequest,
        faults: Mapping[int, Fault],
        read: Mapping[int, ReadRow],
        vectors: Mapping[int, Vectors],
        own: Mapping[int, ReadPosting],
        first: int,
    ) -> str:
        """Score a block and record it; what counts of it, as JSON."""

        def work() -> tuple[str, list[Decision]]:
            pairs = match_pairs(self._runtime, prepared, [i for i in block if i in read], vectors, own)
            facts = facts_of(prepared, pairs, read, own) if prepared.job.lists_requirements else None
            decisions = decisions_of(self._runtime, prepared, rows, pairs, own, first, facts)
            shift = self._runtime.prior_shift(prepared.job.prevalence)
            with_cohort = self._runtime.cohort is not None
            content = pack(
                shift, rows, block, pairs, decisions, faults, read, with_cohort=with_cohort, facts=facts
            )
            return content, with_answer(decisions, request, content) if decisions else []

        content, decisions = await self._run(work)
        if not decisions:
            return str(content)
        # Shielded: who stops the worker must not leave decisions that nobody counted.
        earlier = await asyncio.shield(self._recorder.record(decisions))
        if earlier is not None:
            return _content(earlier.content_for, request)
        self._observer.chunk_decided(
            decisions,
            [(one.resume.read.redactions, one.resume.read.warnings) for i in block if (one := read.get(i))],
        )
        return str(content)


def _fault(error: InputError | EngineError) -> Fault:
    if isinstance(error, InputErrors):
        return Fault.of(error.errors[0])
    return Fault(error.code, error.message, error.field)


def _content(content_for: Callable[[KeyedRequest], str], request: KeyedRequest) -> str:
    """Empty if a person in it was erased."""
    try:
        return content_for(request)
    except AnswerErasedError:
        return ""


def _blocks(rows: int, postings: int) -> list[range]:
    size = max(1, _BLOCK_PAIRS // max(1, postings))
    return [range(start, min(rows, start + size)) for start in range(0, rows, size)]


def _parts(read: Mapping[int, ReadRow], most: int) -> Iterator[list[int]]:
    part: list[int] = []
    tokens = 0
    for i, one in read.items():
        size = sum(map(len, one.resume.texts))
        if part and tokens + size > most:
            yield part
            part, tokens = [], 0
        part.append(i)
        tokens += size
    if part:
        yield part
