"""`evenmatch score`: rank resumes against a job."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from service.cli.console import (
    EXIT_USAGE,
    BundleOption,
    EncodingOption,
    EngineOption,
    IdColumn,
    JobOption,
    ResumesArgument,
    SkipOption,
    TextColumn,
    TitleOption,
    add_row,
    check_encoding,
    end_skipped,
    exit_codes,
    fail,
    running,
    say,
    settings_from,
    stderr,
)
from service.core.errors import ErrorCollector
from service.core.matching import TokenizedResume
from service.files.resume_files import (
    ResumeFile,
    ScoredResume,
    read_job,
    read_resumes,
    readable,
    write_results,
)
from service.logs import log_to_stderr
from service.settings import Settings

_CHUNK = 16
"""Resumes scored between two steps of the progress bar."""


def score(
    resumes: ResumesArgument,
    job: JobOption,
    title: TitleOption = None,
    id_column: IdColumn = "id",
    text_column: TextColumn = "resume",
    output: Annotated[Path | None, typer.Option(help="Write .jsonl or .csv instead of a table.")] = None,
    redact: Annotated[bool, typer.Option(help="Hide names, schools and the like from the model.")] = True,
    bundle: BundleOption = None,
    engine: EngineOption = None,
    encoding: EncodingOption = None,
    skip_unreadable: SkipOption = False,
) -> None:
    """Rank resumes against a job, best first. Nothing is sent anywhere."""
    settings = settings_from(model={"bundle": bundle, "engine": engine})
    log_to_stderr("warning")
    with exit_codes():
        if output is not None and output.suffix.lower() not in (".csv", ".jsonl"):
            fail(f"--output must end in .csv or .jsonl, not {output.suffix or 'nothing'}", EXIT_USAGE)
        check_encoding(encoding)
        description = read_job(job, encoding)
        errors = ErrorCollector()
        candidates = read_resumes(
            resumes, id_column=id_column, text_column=text_column, encoding=encoding, errors=errors
        )
        most = settings.limits.max_text_characters
        candidates = [file for file, _ in readable(candidates, max_characters=most, errors=errors)]
        if not (skip_unreadable and candidates):
            errors.raise_any()
        ranked = asyncio.run(
            _score(
                settings, description, title, candidates, redact=redact, errors=errors, skip=skip_unreadable
            )
        )
        if output is not None:
            write_results(ranked, output)
            say(f"wrote {len(ranked)} results to {output}")
        else:
            _print_table(ranked)
        end_skipped(errors)


async def _score(
    settings: Settings,
    description: str,
    title: str | None,
    candidates: Sequence[ResumeFile],
    *,
    redact: bool,
    errors: ErrorCollector,
    skip: bool,
) -> list[ScoredResume]:
    """Ranked results. `errors` gathers what cannot be read; unless it is to be skipped, it is raised."""
    with running(settings) as runtime:
        # All texts are checked before any is scored: a ranking with a gap in it would mislead.
        job = runtime.matcher.tokenize_job(description, title, field="job", title_field="title")
        tokenized: list[TokenizedResume] = []
        ids: list[str] = []
        for candidate in candidates:
            with errors:
                tokenized.append(
                    runtime.matcher.tokenize_resume(
                        candidate.text, redact=redact, field=candidate.source, job=job
                    )
                )
                ids.append(candidate.id)
        if not (skip and tokenized):
            errors.raise_any()
        scored: list[ScoredResume] = []
        with Progress(console=stderr, transient=True, disable=len(tokenized) <= _CHUNK) as progress:
            bar = progress.add_task("scoring", total=len(tokenized))
            for start in range(0, len(tokenized), _CHUNK):
                part = tokenized[start : start + _CHUNK]
                for i, match in enumerate(await runtime.match(job, part), start):
                    scored.append(ScoredResume(ids[i], match, tokenized[i].read))
                progress.advance(bar, len(part))
    return sorted(scored, key=lambda s: s.match.calibrated_probability, reverse=True)


def _print_table(ranked: Sequence[ScoredResume]) -> None:
    table = Table("rank", "candidate", "probability", "raw score", "decision", "note")
    for rank, one in enumerate(ranked, 1):
        add_row(
            table,
            str(rank),
            one.candidate_id,
            _in_words(one.match.calibrated_probability),
            f"{one.match.raw_score:.3f}",
            one.decision,
            ", ".join(one.notes),
        )
    Console().print(table, markup=False, highlight=False)


def _in_words(probability: float) -> str:
    """Three digits, but never a certainty that the model has not."""
    if probability > 0.999:
        return "> 0.999"
    return "< 0.001" if probability < 0.001 else f"{probability:.3f}"
