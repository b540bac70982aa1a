"""`evenmatch`: serve the API, or score files without a server.

Exit codes: 0 done; 1 the bundle, base model or engine cannot be used, or the run broke off;
2 wrong usage; 3 an input file or text is unusable (then nothing is written).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from service.api.settings import Settings
from service.core.errors import EvenmatchError, InputError
from service.jobs.resume_files import ResumeFile, ScoredResume, read_job, read_resumes, write_results
from service.runtime.runtime import load_runtime

EXIT_UNUSABLE_MODEL = 1
EXIT_USAGE = 2
EXIT_UNUSABLE_INPUT = 3

_CHUNK = 16
"""Resumes scored between two steps of the progress bar."""

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
_stderr = Console(stderr=True)


@app.callback()
def _evenmatch() -> None:
    """Score how well resumes match a job."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [EVENMATCH_HOST].")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port [EVENMATCH_PORT].")] = None,
    bundle: Annotated[str | None, typer.Option(help="Bundle name or folder [EVENMATCH_BUNDLE].")] = None,
    engine: Annotated[str | None, typer.Option(help="auto, openvino, torch, ... [EVENMATCH_ENGINE].")] = None,
) -> None:
    """Serve the HTTP API. Every other setting is an environment variable, see the README."""
    from service.api.server import run

    settings = _settings(host=host, port=port, bundle=bundle, engine=engine)
    _log_to_stderr(settings.log_level)
    try:
        run(settings)
    except EvenmatchError as error:
        _fail(error.message, EXIT_UNUSABLE_MODEL)


@app.command()
def score(
    resumes: Annotated[list[Path], typer.Argument(help="Resumes as .txt files, or one .csv or .jsonl file.")],
    job: Annotated[Path, typer.Option(help="The job's text, a UTF-8 file.")],
    title: Annotated[str | None, typer.Option(help="The job's title; improves the ranking.")] = None,
    id_column: Annotated[str, typer.Option(help="Column with the candidate's id.")] = "id",
    text_column: Annotated[str, typer.Option(help="Column with the resume's text.")] = "resume",
    output: Annotated[Path | None, typer.Option(help="Write .jsonl or .csv instead of a table.")] = None,
    redact: Annotated[bool, typer.Option(help="Hide names, schools and the like from the model.")] = True,
    bundle: Annotated[str | None, typer.Option(help="Bundle name or folder [EVENMATCH_BUNDLE].")] = None,
    engine: Annotated[str | None, typer.Option(help="auto, openvino, torch, ... [EVENMATCH_ENGINE].")] = None,
) -> None:
    """Rank resumes against a job, best first. Nothing is sent anywhere."""
    settings = _settings(bundle=bundle, engine=engine)
    _log_to_stderr("warning")
    try:
        if output is not None and output.suffix not in (".csv", ".jsonl"):
            _fail(f"--output must end in .csv or .jsonl, not {output.suffix or 'nothing'}", EXIT_USAGE)
        description = read_job(job)
        candidates = read_resumes(resumes, id_column=id_column, text_column=text_column)
        ranked = asyncio.run(_score(settings, description, title, candidates, redact=redact))
        if output is not None:
            write_results(ranked, output)
            _stderr.print(f"wrote {len(ranked)} results to {output}", highlight=False)
        else:
            _print_table(ranked)
    except InputError as error:
        _fail(error.message, EXIT_UNUSABLE_INPUT)
    except EvenmatchError as error:
        _fail(error.message, EXIT_UNUSABLE_MODEL)


async def _score(
    settings: Settings, description: str, title: str | None, candidates: Sequence[ResumeFile], *, redact: bool
) -> list[ScoredResume]:
    with _stderr.status("loading the model ..."):
        runtime = load_runtime(settings.runtime_options())
    runtime.start()
    try:
        # All texts are checked before any is scored: a ranking with a gap in it would mislead.
        job = runtime.matcher.tokenize_job(description, title, field="job", title_field="title")
        tokenized = [
            runtime.matcher.tokenize_resume(c.text, redact=redact, field=c.source) for c in candidates
        ]
        scored: list[ScoredResume] = []
        with Progress(console=_stderr, transient=True, disable=len(candidates) <= _CHUNK) as progress:
            bar = progress.add_task("scoring", total=len(candidates))
            for start in range(0, len(candidates), _CHUNK):
                part = tokenized[start : start + _CHUNK]
                for i, match in enumerate(await runtime.match(job, part), start):
                    scored.append(ScoredResume(candidates[i].id, match, tokenized[i].read))
                progress.advance(bar, len(part))
    finally:
        runtime.stop(settings.drain_seconds)
    return sorted(scored, key=lambda s: s.match.calibrated_probability, reverse=True)


def _print_table(ranked: Sequence[ScoredResume]) -> None:
    table = Table("rank", "candidate", "probability", "raw score", "decision", "note")
    for rank, one in enumerate(ranked, 1):
        table.add_row(
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


def _settings(**given: Any) -> Settings:
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "settings"
        _fail(f"setting {field}: {first['msg']}", EXIT_USAGE)


def _fail(message: str, code: int) -> NoReturn:
    _stderr.print(f"error: {message}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )


def main() -> None:
    """Entry point of `evenmatch`."""
    app()
