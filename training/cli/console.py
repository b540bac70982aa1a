"""What the commands share: messages and exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console

from service.core.errors import EvenmatchError
from service.core.printable import as_message

EXIT_FAILED = 1
EXIT_USAGE = 2

stderr = Console(stderr=True)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn a domain error, or a file or disk that cannot be used, into its message and exit code 1."""
    try:
        yield
    except EvenmatchError as error:
        fail(error.message, EXIT_FAILED)
    except OSError as error:
        place = "" if error.filename is None else f"{error.filename}: "
        fail(f"{place}{error.strerror or error}", EXIT_FAILED)


def say(message: str) -> None:
    """Tell what was done, on stderr."""
    stderr.print(as_message(message), markup=False, highlight=False, soft_wrap=True)


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong and exit."""
    stderr.print(as_message(f"error: {message}"), style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)
