"""`--candidate`: an id as it was given, from the command line or from stdin."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from service.cli.console import EXIT_USAGE, fail

CandidateOption = Annotated[
    str,
    typer.Option("--candidate", help="The candidate's id as it was given; `-` reads it from stdin."),
]


def candidate_id_of(given: str) -> str:
    """The id, as given or the one on stdin; exits on what cannot be one, for an erasure is for good."""
    if given == "-":
        try:
            given = sys.stdin.read().removesuffix("\n")
        except UnicodeDecodeError:
            fail("stdin is not UTF-8", EXIT_USAGE)
        if "\n" in given:
            lines = given.count("\n") + 1
            fail(f"stdin holds {lines:,} lines: one id at a time, or one of lines as an option", EXIT_USAGE)
    # Bytes that are not UTF-8 become halves of characters, which no id has.
    if not given or any("\ud800" <= character <= "\udfff" for character in given):
        fail("the candidate's id is empty or not UTF-8", EXIT_USAGE)
    return given
