"""The texts of a request, read in threads a step at a time: others come between, and a caller may leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeVar

from service.core.errors import ErrorCollector, RequestTooLargeError
from service.core.matching import Match, Matcher, TokenizedJob, TokenizedResume
from service.core.redaction.policy import Category
from service.core.text_reader import Cancelled, never
from service.core.tokenization import TextTokenizer, TokenIds
from service.core.vectors import Vectors
from service.runtime.reader_pool import is_long

T = TypeVar("T")

_STEP_COSINES = 1_000_000
"""Of one step: about 50 ms, too. Most requests have some ten thousand in all."""

_STEP_CHARACTERS = 4_000
"""Texts of one step: about 50 ms of redaction at most, unless a single text takes longer."""


class RunStep(Protocol):
    """Runs a function in a thread; between two of its calls a request can be cancelled."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class TextToEmbed:
    """`sequences`: one of the whole text, or one a passage. `truncated`: only its beginning is in it."""

    sequences: list[TokenIds]
    truncated: bool
    redactions: dict[Category, int]


async def read_all(
    texts: Sequence[str | Sized],
    read: Callable[[int], T],
    *,
    errors: ErrorCollector,
    run: RunStep,
    run_long: RunStep,
    after_step: Callable[[Sequence[T]], None] | None = None,
) -> list[T]:
    """What `read` returns for the index of each text; errors that it raises are collected.

    Steps run by `run`; those of long texts, which wait for a process, by `run_long`. `after_step` is called
    with all that was read so far, and may raise to read no more.
    """
    done: list[T] = []
    for step in steps(texts):

        def read_step(step: range = step) -> None:
            for i in step:
                with errors:
                    done.append(read(i))

        first = texts[step[0]]
        await (run_long if isinstance(first, str) and is_long(first) else run)(read_step)
        if after_step is not None:
            after_step(done)
    return done


async def tokenize_all(
    matcher: Matcher,
    description: str,
    title: str | None,
    resumes: Sequence[str],
    *,
    redact: bool,
    job_field: str,
    fields: Sequence[str],
    run: RunStep,
    run_long: RunStep,
    cancelled: Cancelled = never,
) -> tuple[TokenizedJob, list[TokenizedResume]]:
    """A job and its candidates. Raises one error that holds all that is wrong with their texts.

    `job_field`, `fields`: what errors call the texts.
    """

    def read_job(_: int) -> TokenizedJob:
        return matcher.tokenize_job(description, title, field=job_field, cancelled=cancelled)

    def read_resume(i: int) -> TokenizedResume:
        # A job that cannot be read is an error already, and the resumes are read for theirs.
        job = jobs[0] if jobs else None
        return matcher.tokenize_resume(
            resumes[i], redact=redact, field=fields[i], job=job, cancelled=cancelled
        )

    errors = ErrorCollector()
    jobs = await read_all([description], read_job, errors=errors, run=run, run_long=run_long)
    tokenized = await read_all(resumes, read_resume, errors=errors, run=run, run_long=run_long)
    errors.raise_any()
    return jobs[0], tokenized


def tokenize_to_embed(
    matcher: Matcher,
    tokenizer: TextTokenizer,
    text: str,
    *,
    kind: Literal["resume", "job"],
    redact: bool,
    by_passage: bool,
    field: str,
    cancelled: Cancelled = never,
) -> TextToEmbed:
    """One text, as a whole or by passages. Raises an `InputError` that names `field`."""
    categories = matcher.redactor.categories if redact else None
    read = matcher.read(text, field=field, categories=categories, cancelled=cancelled)
    document = read.document
    redactions: dict[Category, int] = {}
    if read.redacted is not None:
        document, redactions = replace(document, text=read.redacted.text), read.redacted.counts
    if by_passage:
        passages = tokenizer.encode_passages(document, kind, field=field)
        return TextToEmbed([passage.ids for passage in passages], False, redactions)
    whole = tokenizer.encode_text(document, kind, field=field)
    return TextToEmbed([whole.ids], whole.truncated, redactions)


def check_passages(passages: int, most: int) -> None:
    """Raise `RequestTooLargeError` if an answer would hold more passages, or their vectors, than it may."""
    if passages > most:
        raise RequestTooLargeError(
            f"the answer would hold {passages:,} passages or more; the limit is {most:,}: split it",
            limit=most,
            actual=passages,
        )


async def match_all(
    matcher: Matcher,
    job: TokenizedJob,
    job_vectors: Vectors,
    vectors: Sequence[Vectors],
    *,
    run: RunStep,
) -> list[Match]:
    """`Matcher.match` of each resume's vectors, in steps."""
    matches: list[Match] = []
    beside = 0 if matcher.cohort is None else matcher.cohort.passages_per_resume
    done = 0
    while done < len(vectors):
        start, cosines = done, 0
        while done < len(vectors) and (done == start or cosines < _STEP_COSINES):
            cosines += (len(job_vectors) + beside) * len(vectors[done])
            done += 1

        def match(step: Sequence[Vectors] = vectors[start:done]) -> list[Match]:
            return [match for (match,) in matcher.match_all([(job, job_vectors)], step)]

        matches += await run(match)
    return matches


def steps(texts: Sequence[str | Sized]) -> Iterator[range]:
    """Indexes of `texts` in parts of some thousand characters, one text at least; a long one is alone."""
    start = characters = 0
    for i, text in enumerate(texts):
        size = _STEP_CHARACTERS if isinstance(text, str) and is_long(text) else len(text)
        if characters and characters + size > _STEP_CHARACTERS:
            yield range(start, i)
            start, characters = i, 0
        characters += size
    if start < len(texts):
        yield range(start, len(texts))
