"""The texts of a cohort, or of a report on one: read, redacted, encoded, in parts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.cli.console import say, stderr
from service.cli.progress import ScoringProgress
from service.core.cohort_texts import drawn
from service.core.errors import ErrorCollector, RequestTooLargeError
from service.core.matching import TokenizedResume
from service.core.vectors import Vectors
from service.files import postings as posting_files
from service.files.bulk_scoring import ReadPosting, read_postings
from service.files.document_texts import DocumentTexts
from service.files.postings import PostingOptions
from service.files.resume_files import GivenResumes, ResumeOptions, UnreadResume
from service.files.text_files import is_table
from service.runtime.runtime import Runtime
from service.settings import Settings

_PART = 16
"""Resumes that are encoded together."""


@dataclass(frozen=True, slots=True)
class TextOptions:
    """Where texts stand. Columns: None lets them be guessed."""

    resumes: Sequence[str]
    postings: str
    id_column: str | None = None
    text_column: str | None = None
    number_rows: bool = False
    job_id_column: str | None = None
    job_title_column: str | None = None
    job_text_column: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class EncodedResume:
    """A resume's id and vectors, (R, D)."""

    id: str
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class EncodedTexts:
    """What was read. Of resumes and postings `given`: how many there were, and `drawn`: were to be read.

    Those that were drawn and are not here could not be read. `of_tables`: whether they stood in tables.
    """

    resumes: list[EncodedResume]
    postings: list[ReadPosting]
    given: tuple[int, int]
    drawn: tuple[int, int]
    of_tables: tuple[bool, bool]


async def encode_texts(
    runtime: Runtime,
    settings: Settings,
    options: TextOptions,
    texts: DocumentTexts,
    *,
    errors: ErrorCollector,
    skip: bool,
    most: tuple[int, int] | None = None,
    seed: int = 0,
) -> EncodedTexts:
    """Read and encode resumes and postings, or at most so many of each, drawn by `seed`, in that order.

    `errors` gathers what cannot be read; unless it is to be skipped, all of it is raised at once. Raises what
    `GivenResumes` and `read_postings` raise.
    """
    archives = settings.archives
    columns = PostingOptions(
        options.job_id_column, options.job_title_column, options.job_text_column, options.encoding
    )
    postings = posting_files.read_postings(
        options.postings, columns, texts, archives=archives, errors=errors, say=say
    )
    where = ResumeOptions(
        options.id_column,
        options.text_column,
        options.encoding,
        options.number_rows,
        archives,
        [Path(options.postings)],
    )
    found = GivenResumes(
        options.resumes, where, max_bytes=texts.limits.max_document_bytes, errors=errors, say=say
    )
    wrong = ErrorCollector()
    count = found.count(wrong)  # the same errors come again when the rows are read
    if not skip:
        wrong.raise_any()
        errors.raise_any()
    order = drawn(count, count if most is None else most[0], seed)
    of_postings = [
        postings[i] for i in drawn(len(postings), len(postings) if most is None else most[1], seed)
    ]
    with ScoringProgress(len(of_postings), stderr, say, what="postings") as progress:
        read = await read_postings(runtime, of_postings, errors, progress)
    wanted = {place: rank for rank, place in enumerate(order)}
    with ScoringProgress(len(order), stderr, say, what="resumes") as progress:
        resumes = await _encode(runtime, found.each(errors), wanted, texts, errors, progress)
    if not (skip and resumes and read):
        errors.raise_any()
    return EncodedTexts(
        [resume for _, resume in sorted(resumes, key=lambda one: one[0])],
        read,
        (count, len(postings)),
        (len(order), len(of_postings)),
        (not found.of_documents, is_table(Path(options.postings))),
    )


async def _encode(
    runtime: Runtime,
    resumes: Iterable[UnreadResume],
    wanted: dict[int, int],
    texts: DocumentTexts,
    errors: ErrorCollector,
    progress: ScoringProgress,
) -> list[tuple[int, EncodedResume]]:
    encoded: list[tuple[int, EncodedResume]] = []
    chosen = ((wanted[place], one) for place, one in enumerate(resumes) if place in wanted)
    while part := await asyncio.to_thread(_read_part, runtime, chosen, texts, errors):
        progress.advance(len(part))
        for rank, identity, source, resume in part:
            if resume is None:
                continue
            with errors:
                try:
                    vectors = await runtime.embedder.embed(resume.texts, lane="bulk")
                except RequestTooLargeError as error:
                    raise type(error)(
                        f"{source}: {error.message}", limit=error.limit, actual=error.actual
                    ) from None
                encoded.append((rank, EncodedResume(identity, vectors)))
    return encoded


_ReadPart = list[tuple[int, str, str, TokenizedResume | None]]


def _read_part(
    runtime: Runtime, chosen: Iterator[tuple[int, UnreadResume]], texts: DocumentTexts, errors: ErrorCollector
) -> _ReadPart:
    part: _ReadPart = []
    for rank, one in chosen:
        resume = None
        with errors:
            file = one.read(texts)
            resume = runtime.matcher.tokenize_resume(file.text, field=file.source)
        part.append((rank, one.id, one.source, resume))
        if len(part) == _PART:
            break
    return part
