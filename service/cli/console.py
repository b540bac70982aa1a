"""What the commands share: settings, options, messages, exit codes."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.core.errors import ErrorCollector, EvenmatchError, InputError, SpanNotFoundError
from service.core.printable import as_message, one_line
from service.core.redaction.given import (
    CONTROL_CHARACTERS,
    LONGEST_GIVEN,
    MOST_GIVEN,
    GivenSpan,
    standing_in,
)
from service.core.redaction.policy import CATEGORIES
from service.files.document_texts import DocumentTexts
from service.runtime.numpy_threads import numpy_in_one_thread
from service.runtime.runtime import Runtime, load_runtime
from service.settings import Settings, variable_of

EXIT_UNUSABLE_MODEL = 1
EXIT_USAGE = 2
EXIT_UNUSABLE_INPUT = 3
EXIT_BROKEN_LOG = 4
EXIT_SKIPPED = 5

MOST_NAMED = 100
"""Errors that are printed one by one."""

BundleOption = Annotated[str | None, typer.Option(help="Bundle name or folder [EVENMATCH_BUNDLE].")]
CohortOption = Annotated[
    Path | None, typer.Option(help="Folder of a cohort to normalise scores by [EVENMATCH_COHORT].")
]
EngineOption = Annotated[str | None, typer.Option(help="auto, openvino, torch, ... [EVENMATCH_ENGINE].")]
ResumesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="RESUMES...",
        help="Documents (PDF, DOCX, ODT, RTF, HTML, Markdown, text, JSON Resume, XML), folders of them, "
        "quoted patterns, ZIP archives; or one table: .csv, .tsv, .jsonl or .parquet.",
    ),
]
JobOption = Annotated[str, typer.Option(help="The job's text, a document of any kind.")]
TitleOption = Annotated[str | None, typer.Option(help="The job's title; improves the ranking.")]
IdColumn = Annotated[
    str | None, typer.Option(help="A table's column with the candidate's id, if not the one that looks so.")
]
TextColumn = Annotated[
    str | None, typer.Option(help="A table's column with the resume's text, if not the one that looks so.")
]
NumberRows = Annotated[
    bool, typer.Option("--number-rows", help="A table has no ids: take line-2, line-3 and so on.")
]
EncodingOption = Annotated[
    str | None,
    typer.Option(help="Of texts and tables without a byte-order mark, such as cp1252; else it is found out."),
]
SkipOption = Annotated[
    bool,
    typer.Option("--skip-unreadable", help="Go on without the resumes that cannot be read (exit code 5)."),
]
SpanOption = Annotated[
    list[str] | None,
    typer.Option(
        "--span",
        metavar="CATEGORY=TEXT",
        help="A name, school or the like in a resume, as school='Graphic Hills'; may be repeated.",
    ),
]

stderr = Console(stderr=True)


def settings_from(**given: dict[str, Any]) -> Settings:
    """Settings of the environment with what was given on the command line, by part; exits on nonsense."""
    parts: dict[str, Any] = {
        part: {name: value for name, value in options.items() if value is not None}
        for part, options in given.items()
    }
    try:
        return Settings(**parts)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = f"setting {variable_of(first['loc'])}: " if first["loc"] else ""
        fail(f"{where}{first['msg']}", EXIT_USAGE)
    except (
        SettingsError
    ) as error:  # no JSON, two names that differ, or a file of secrets that may not be read
        reason = error.__cause__
        why = f": {reason.strerror}" if isinstance(reason, OSError) else ""
        fail(f"{error}{why}", EXIT_USAGE)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn domain errors into a message and the exit code of their kind."""
    try:
        yield
    except InputError as error:
        errors = getattr(error, "errors", [error])
        for one in errors[:MOST_NAMED]:
            _print_error(one.message)
        if len(errors) > MOST_NAMED:
            _print_error(f"and {len(errors) - MOST_NAMED:,} more ({_by_code(errors[MOST_NAMED:])})")
        raise typer.Exit(EXIT_UNUSABLE_INPUT) from None
    except EvenmatchError as error:
        fail(error.message, EXIT_UNUSABLE_MODEL)


@contextmanager
def running(settings: Settings) -> Iterator[Runtime]:
    """The loaded model, started and stopped again."""
    with stderr.status("loading the model ..."):
        runtime = load_runtime(settings.runtime)
    runtime.start()
    try:
        with numpy_in_one_thread():
            yield runtime
    finally:
        runtime.stop(settings.server.drain_seconds)


@contextmanager
def document_texts(settings: Settings, encoding: str | None) -> Iterator[DocumentTexts]:
    """What reads documents, in processes of their own. Exits if `encoding` is unknown."""
    check_encoding(encoding)
    documents = settings.documents
    with DocumentTexts(documents, encoding=encoding, processes=documents.document_readers) as texts:
        yield texts


def check_encoding(encoding: str | None) -> None:
    """Exit if `encoding` is none that text may have."""
    if encoding is None:
        return
    try:
        codecs.lookup(encoding)
        "a".encode(encoding)
    except (LookupError, ValueError):
        fail(f"--encoding {one_line(encoding)} is not known; try cp1252, latin-1 or utf-16", EXIT_USAGE)


def given_by(options: Sequence[str] | None) -> tuple[GivenSpan, ...]:
    """The spans of `--span CATEGORY=TEXT`; exits on nonsense."""
    options = options or []
    if len(options) > MOST_GIVEN:
        fail(f"--span is given {len(options)} times; {MOST_GIVEN} are allowed", EXIT_USAGE)
    given = []
    for i, option in enumerate(options, 1):
        category, _, text = option.partition("=")
        known = next((name for name in CATEGORIES if name == category), None)
        if known is None:
            fail(
                f"--span {i} must be CATEGORY=TEXT, the category out of: {', '.join(CATEGORIES)}", EXIT_USAGE
            )
        if not 1 <= len(text) <= LONGEST_GIVEN or re.search(f"[{CONTROL_CHARACTERS}]", text):
            fail(f"--span {i} needs a text of 1 to {LONGEST_GIVEN} characters in one line", EXIT_USAGE)
        given.append(GivenSpan(known, text, f"--span {i}"))
    return tuple(given)


def given_in_each(given: Sequence[GivenSpan], texts: Sequence[str]) -> list[tuple[GivenSpan, ...]]:
    """Of each normalised text the spans that stand in it. Raises `SpanNotFoundError`s of those in none."""
    of_each = [tuple(standing_in(text, given)) for text in texts]
    found = {one for of in of_each for one in of}
    errors = ErrorCollector()
    for one in given:
        with errors:
            if one not in found:
                raise SpanNotFoundError(f"{one.field} stands in no resume", field=one.field)
    errors.raise_any()
    return of_each


def moment(option: str, given: str | None) -> datetime | None:
    """The time of `--since` and the like; exits on nonsense."""
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        fail(f"--{option} takes an ISO 8601 time with its offset, as 2026-03-01T00:00:00Z", EXIT_USAGE)
    return moment


def end_skipped(errors: ErrorCollector) -> None:
    """Name the resumes that were left out, if there are any, and exit with the code that says so."""
    for error in errors.errors[:MOST_NAMED]:
        say(f"skipped: {error.message}")
    if len(errors.errors) > MOST_NAMED:
        more = errors.errors[MOST_NAMED:]
        say(f"skipped: and {len(more):,} more ({_by_code(more)})")
    if errors.errors:
        raise typer.Exit(EXIT_SKIPPED)


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong and exit."""
    _print_error(message)
    raise typer.Exit(code)


def say(message: str) -> None:
    """Tell what was done, on stderr."""
    stderr.print(as_message(message), markup=False, highlight=False, soft_wrap=True)


def add_row(table: Table, *cells: str, style: str | None = None) -> None:
    """Add a row to a table for the terminal, each cell in one line, and as it is: "[/b]" is no markup."""
    table.add_row(*(Text(one_line(cell)) for cell in cells), style=style)


def _by_code(errors: Sequence[InputError]) -> str:
    return ", ".join(f"{count:,} {code}" for code, count in Counter(one.code for one in errors).items())


def _print_error(message: str) -> None:
    stderr.print(as_message(f"error: {message}"), style="red", markup=False, highlight=False, soft_wrap=True)
