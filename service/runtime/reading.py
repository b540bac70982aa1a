"""The texts of a request, read in threads a step at a time: others come between, and a caller may leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from service.core.errors import ErrorCollector
from service.core.matching import Match, Matcher, TokenizedJob, TokenizedResume
from service.core.scoring import Vectors

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
) -> tuple[TokenizedJob, list[TokenizedResume]]:
    """As `Matcher.tokenize_all`, in steps. Raises one error that holds all that is wrong with the texts."""
    errors = ErrorCollector()
    tokenized: list[TokenizedResume] = []
    with errors:
        job = await run(lambda: matcher.tokenize_job(description, title, field="job.description"))
    for step in steps(resumes):

        def read(step: range = step) -> None:
            for i in step:
                with errors:
                    tokenized.append(
                        matcher.tokenize_resume(resumes[i], redact=redact, field=f"candidates[{i}].resume")
                    )

        await run(read)
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


def steps(texts: Sequence[str]) -> Iterator[range]:
    """Indexes of `texts` in parts of some thousand characters, one text at least."""
    start = characters = 0
    for i, text in enumerate(texts):
        if characters and characters + len(text) > _STEP_CHARACTERS:
            yield range(start, i)
            start, characters = i, 0
        characters += len(text)
    if start < len(texts):
        yield range(start, len(texts))
