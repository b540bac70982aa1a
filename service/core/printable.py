"""Text from files, databases and callers, made safe to print: a terminal obeys control characters."""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tab and line feed, DEL, C1: escape sequences begin with them
    r"\u2028\u2029"  # line and paragraph separators
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, overrides and isolates of writing direction
    r"\ud800-\udfff]"  # halves of characters, which no stream can hold
)
_BREAK = re.compile(r"[\t\n]")


def printable(text: str) -> str:
    """`text` with tabs and line feeds, and every other control character replaced by U+FFFD.

    Carriage returns, escape sequences (colours, titles, the clipboard) and marks that turn the direction of
    writing could overwrite or fake what is shown.
    """
    return _CONTROL.sub(REPLACEMENT, text)


def one_line(text: str) -> str:
    """As `printable`, without tabs and line feeds: for ids, names and cells of a table."""
    return _BREAK.sub(REPLACEMENT, printable(text))


def as_message(text: str) -> str:
    """As `printable`, further lines indented: none of them can pass for a message of its own."""
    return printable(text).replace("\n", "\n  ")


def json_escaped(document: str) -> str:
    """A JSON document with the same values, in which control characters within texts are escaped."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def shortened(text: str, most: int = 100) -> str:
    """`text`, or its first `most` characters and how many it has."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"
