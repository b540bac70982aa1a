"""The texts of a request, read in threads a step at a time: others come between, and a caller may leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence, Sized
from typing import Protocol, TypeVar

from service.core.errors import ErrorCollector
from service.core.matching import Match, Matcher, TokenizedJob, TokenizedResume
from service.core.scoring import Vectors
from service.core.text_reader import Cancelled, never
from service.runtime.reader_pool import is_long

T = TypeVar("T")

_STEP_COSINES = 1_000_000
"""Of one step: about 50 ms, too. Most requests have some ten thousand in all."""

_STEP_CHARACTERS = 4_000
"""Texts of one step: about 50 ms of redaction at most, unless a single text takes longer."""


class RunStep(Protocol):
    """Runs a function in a thread; between two of its calls a request can be cancelled."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


async def tokenize_all(
    matcher: Matcher,
    description: str,
    title: str | None,
    resumes: Sequence[str],
    *,
    redact: bool,
    run: RunStep,
    run_long: RunStep,
    cancelled: Cancelled = never,
) -> tuple[TokenizedJob, list[TokenizedResume]]:
    """As `Matcher.tokenize_all`, in steps; those of long texts, which wait for a process, by `run_long`.

    Raises one error that holds all that is wrong with the texts.
    """

    def runner(text: str) -> RunStep:
        return run_long if is_long(text) else run

    errors = ErrorCollector()
    tokenized: list[TokenizedResume] = []
    with errors:
        job = await runner(description)(
            lambda: matcher.tokenize_job(description, title, field="job.description", cancelled=cancelled)
        )
    for step in steps(resumes):

        def read(step: range = step) -> None:
            for i in step:
                with errors:
                    tokenized.append(
                        matcher.tokenize_resume(
                            resumes[i], redact=redact, field=f"candidates[{i}].resume", cancelled=cancelled
                        )
                    )

        await runner(resumes[step[0]])(read)
    errors.raise_any()
    return job, tokenized


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
    done = 0
    while done < len(vectors):
        start, cosines = done, 0
        while done < len(vectors) and (done == start or cosines < _STEP_COSINES):
            cosines += len(job_vectors) * len(vectors[done])
            done += 1

        def match(step: Sequence[Vectors] = vectors[start:done]) -> list[Match]:
            return [matcher.match(job, job_vectors, of_resume) for of_resume in step]

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
