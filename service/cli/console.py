"""What the commands share: settings, options, messages, exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.table import Table

from service.core.errors import EvenmatchError, InputError
from service.core.printable import as_message, one_line
from service.runtime.runtime import Runtime, load_runtime
from service.settings import Settings, variable_of

EXIT_UNUSABLE_MODEL = 1
EXIT_USAGE = 2
EXIT_UNUSABLE_INPUT = 3
EXIT_BROKEN_LOG = 4

BundleOption = Annotated[str | None, typer.Option(help="Bundle name or folder [EVENMATCH_BUNDLE].")]
EngineOption = Annotated[str | None, typer.Option(help="auto, openvino, torch, ... [EVENMATCH_ENGINE].")]
ResumesArgument = Annotated[
    list[Path], typer.Argument(help="Resumes as .txt files, or one .csv or .jsonl file.")
]
JobOption = Annotated[Path, typer.Option(help="The job's text, a UTF-8 file.")]
TitleOption = Annotated[str | None, typer.Option(help="The job's title; improves the ranking.")]
IdColumn = Annotated[str, typer.Option(help="Column with the candidate's id.")]
TextColumn = Annotated[str, typer.Option(help="Column with the resume's text.")]

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
        fail(f"setting {variable_of(first['loc'])}: {first['msg']}", EXIT_USAGE)
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
        for one in getattr(error, "errors", [error]):
            _print_error(one.message)
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
        yield runtime
    finally:
        runtime.stop(settings.server.drain_seconds)


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong and exit."""
    _print_error(message)
    raise typer.Exit(code)


def say(message: str) -> None:
    """Tell what was done, on stderr."""
    stderr.print(as_message(message), markup=False, highlight=False, soft_wrap=True)


def add_row(table: Table, *cells: str, style: str | None = None) -> None:
    """Add a row to a table for the terminal, each cell in one line."""
    table.add_row(*map(one_line, cells), style=style)


def _print_error(message: str) -> None:
    stderr.print(as_message(f"error: {message}"), style="red", markup=False, highlight=False, soft_wrap=True)
