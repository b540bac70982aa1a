"""Many resumes against many postings: each is read, redacted and encoded once, whatever their number.

Resumes are read in a thread while those before them are encoded; documents by several processes. What is in
memory is two parts of some dozen resumes, the postings' vectors and the scores.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from service.core.copied_text import RunsOfPostings
from service.core.errors import ErrorCollector, InputError, RequestTooLargeError
from service.core.matching import TokenizedJob, TokenizedResume
from service.core.requirements.kinds import Requirement
from service.core.requirements.listing import list_requirements
from service.core.vectors import Vectors
from service.files.document_texts import DocumentTexts
from service.files.postings import Posting
from service.files.result_files import Evidence, ScoredCandidate
from service.files.resume_files import ResumeFile, UnreadResume
from service.files.score_journal import JournalEntry, ScoreJournal, Scores, in_millionths
from service.runtime.runtime import Runtime

_PART_RESUMES = 32
"""Read and encoded together, and written to the journal."""

_PART_POSTINGS = 8

_PART_KNOWN = 512
"""Of an earlier run, taken over together."""

_PART_TOKENS = 32_768
_MOST_ERRORS = 100
"""After so many errors, if none may be skipped, no more are looked for."""


class Progress(Protocol):
    """Is told how many more are done, `reused` of them by an earlier run."""

    def advance(self, count: int, *, reused: int = 0) -> None: ...


class Scored(Protocol):
    """Takes what is scored, in the order of the input."""

    def add(self, candidate: ScoredCandidate, scores: Scores) -> None: ...


Failed = Callable[[UnreadResume, InputError], object]
"""Is told of a resume that cannot be scored, and why."""


@dataclass(frozen=True, slots=True)
class ReadPosting:
    """A posting with its vectors."""

    posting: Posting
    job: TokenizedJob
    vectors: Vectors


@dataclass(slots=True)
class _Item:
    """A resume on its way: known from the journal, or read and not yet scored."""

    unread: UnreadResume
    digest: str
    entry: JournalEntry | None = None
    file: ResumeFile | None = None
    resume: TokenizedResume | None = None
    repeats: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Part:
    """Some resumes. `taken`: with those that could not be read; `known`: from the journal."""

    items: list[_Item] = field(default_factory=list)
    taken: int = 0
    known: int = 0


async def read_postings(
    runtime: Runtime, postings: Sequence[Posting], errors: ErrorCollector, progress: Progress
) -> list[ReadPosting]:
    """Read and encode postings, each once; `errors` gathers those that cannot be read."""
    read: list[ReadPosting] = []
    for start in range(0, len(postings), _PART_POSTINGS):
        part = postings[start : start + _PART_POSTINGS]
        jobs = await asyncio.to_thread(_tokenized, runtime, part, errors)
        vectors = await runtime.embedder.embed([ids for _, job in jobs for ids in job.texts], lane="bulk")
        begin = 0
        for posting, job in jobs:
            end = begin + len(job.texts)
            read.append(ReadPosting(posting, job, vectors[begin:end]))
            begin = end
        progress.advance(len(part))
    return read


def _tokenized(
    runtime: Runtime, postings: Sequence[Posting], errors: ErrorCollector
) -> list[tuple[Posting, TokenizedJob]]:
    jobs = []
    for posting in postings:
        with errors:
            title = "title" if posting.id is None else f"{posting.source}: the title"
            job = runtime.matcher.tokenize_job(
                posting.text, posting.title, field=posting.source, title_field=title
            )
            jobs.append((posting, job))
    return jobs


class BulkScorer:
    """Scores resumes as they come. `errors` gathers those that cannot be read, and `failed` is told which.

    `requirements`: of the only posting, if what resumes say to them is asked for. `skip`: go on without them;
    otherwise nothing is encoded any more after the first, and the rest is only read, so that all are named.
    """

    def __init__(
        self,
        runtime: Runtime,
        postings: Sequence[ReadPosting],
        texts: DocumentTexts,
        scored: Scored,
        *,
        redact: bool,
        errors: ErrorCollector,
        skip: bool,
        journal: ScoreJournal | None = None,
        requirements: Sequence[Requirement] | None = None,
        failed: Failed | None = None,
    ) -> None:
        self._runtime = runtime
        self._jobs = [(one.job, one.vectors) for one in postings]
        self._runs = RunsOfPostings([one.job.runs for one in postings])
        self._texts = texts
        self._scored = scored
        self._redact = redact
        self._errors = errors
        self._skip = skip
        self._journal = journal
        self._requirements = requirements
        self._failed = failed
        self._today = datetime.now(UTC).date()
        self.changed = 0
        """Resumes that the journal knows otherwise."""
        self.reused = 0

    async def score(self, resumes: Iterator[UnreadResume], progress: Progress) -> None:
        """Score all of `resumes`. Raises an `EngineError` or a `CapacityError` if that breaks off."""
        with ThreadPoolExecutor(self._texts.processes, "read-documents") as readers:

            def read() -> _Part:
                return self._read_part(resumes, readers)

            part = await asyncio.to_thread(read)
            while part.taken:
                following = asyncio.create_task(asyncio.to_thread(read))
                try:
                    await self._score_part(part.items)
                finally:
                    await asyncio.wait({following})  # a thread cannot be stopped
                progress.advance(part.taken, reused=part.known)
                part = following.result()

    @property
    def _given_up(self) -> bool:
        return bool(self._errors.errors) and not self._skip

    def _read_part(self, resumes: Iterator[UnreadResume], readers: ThreadPoolExecutor) -> _Part:
        """The next resumes, read; none taken at the end."""
        part = _Part()
        if self._given_up and len(self._errors.errors) >= _MOST_ERRORS:
            return part
        unread: list[tuple[_Item, UnreadResume]] = []
        for resume in resumes:
            part.taken += 1
            item = self._item(resume)
            part.items.append(item)
            if item.entry is None:
                unread.append((item, resume))
            else:
                part.known += 1
            if len(unread) == _PART_RESUMES or part.taken == _PART_KNOWN:
                break
        self._read_all(unread, readers)
        part.items = [item for item in part.items if item.entry is not None or item.resume is not None]
        return part

    @contextmanager
    def _faults_of(self, resume: UnreadResume) -> Iterator[None]:
        """Gathers what is wrong with a resume."""
        before = len(self._errors.errors)
        with self._errors:
            yield
        if self._failed is not None:
            for error in self._errors.errors[before:]:
                self._failed(resume, error)

    def _fail(self, resume: UnreadResume, error: InputError) -> None:
        with self._faults_of(resume):
            raise error from None

    def _item(self, resume: UnreadResume) -> _Item:
        if self._journal is None:
            return _Item(resume, "")
        digest = self._journal.digest(resume)
        entry = self._journal.known(resume.id, digest)
        if entry is not None:
            self.reused += 1
        elif self._journal.holds(resume.id):
            self.changed += 1
        return _Item(resume, digest, entry)

    def _read_all(self, unread: Sequence[tuple[_Item, UnreadResume]], readers: ThreadPoolExecutor) -> None:
        found = [readers.submit(resume.read, self._texts) for _, resume in unread]
        for (item, _), file in zip(unread, found, strict=True):
            with self._faults_of(item.unread):
                item.file = file.result()
                resume, item.repeats = self._runtime.matcher.tokenize_resume_for(
                    item.file.text, self._runs, redact=self._redact, field=item.file.source
                )
                item.resume = replace(resume, read=resume.read.with_more(item.file.found))

    async def _score_part(self, part: Sequence[_Item]) -> None:
        if self._given_up:
            return
        fresh = [item for item in part if item.entry is None]
        most = min(_PART_TOKENS, self._runtime.options.model.queue_tokens)
        scored: list[JournalEntry] = []
        for some in _parts(fresh, most):
            scored += await self._score_some(some)
        if self._journal is not None:
            self._journal.add(scored)
        for item in part:
            if item.entry is not None:
                self._scored.add(item.entry.candidate, item.entry.scores)

    async def _score_some(self, items: Sequence[_Item]) -> list[JournalEntry]:
        texts = [ids for item in items if item.resume is not None for ids in item.resume.texts]
        try:
            encoded = await self._runtime.embedder.embed(texts, lane="bulk")
        except RequestTooLargeError as error:  # one resume, alone in its part
            self._fail(items[0].unread, _about(error, items[0]))
            return []
        vectors, start = [], 0
        for item in items:
            assert item.resume is not None
            stop = start + len(item.resume.passages)
            vectors.append(encoded[start:stop])
            start = stop
        scores = in_millionths(self._runtime.matcher.raw_scores(self._jobs, vectors))
        for item, column in zip(items, scores.T, strict=True):
            assert item.file is not None
            assert item.resume is not None
            candidate = ScoredCandidate.of(item.file.id, item.resume.read, item.repeats, item.file.document)
            if self._requirements is not None:
                candidate = replace(candidate, evidence=self._evidence(item.resume))
            item.entry = JournalEntry(item.digest, candidate, column.copy())
        return [item.entry for item in items if item.entry is not None]

    def _evidence(self, resume: TokenizedResume) -> tuple[Evidence, ...]:
        """What a resume says to the requirements of the only posting."""
        passages = [passage.text for passage in resume.passages]
        listed = list_requirements(self._requirements or (), resume.read.document.text, passages, self._today)
        return tuple((one.found, one.where) for one in listed)


def _about(error: InputError, item: _Item) -> InputError:
    assert item.file is not None
    return type(error)(f"{item.file.source}: {error.message}", limit=error.limit, actual=error.actual)


def _parts(items: Sequence[_Item], most: int) -> Iterator[list[_Item]]:
    part: list[_Item] = []
    tokens = 0
    for item in items:
        size = sum(map(len, item.resume.texts)) if item.resume is not None else 0
        if part and tokens + size > most:
            yield part
            part, tokens = [], 0
        part.append(item)
        tokens += size
    if part:
        yield part
