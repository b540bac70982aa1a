"""What one line says about the candidate's name if it stands in the header, without regard to the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.core.redaction.layout import segments_of

LONG_LINE = 120
"""A line above this many characters is a text that lost its line breaks: a name can only be its start."""

_PREFIX = re.compile(
    r"^\W*(?:(?:resume|résumé|cv|c\.v\.|curriculum vitae|hoja de vida|lebenslauf|curriculum|biodata|bio-data|profile|application)"
    r"(?:\s+(?:of|for|von|de))?\b[\s:–—|-]*)",
    re.IGNORECASE,
)
_SPACED = re.compile(r"^\W*((?:[A-ZÀ-Þ] ){2,}[A-ZÀ-Þ](?: {2,}(?:[A-ZÀ-Þ] )*[A-ZÀ-Þ])+)\W*$")
_FILE = re.compile(r"^\W{0,10}[\w.-]{1,80}\.(?:pdf|docx?|rtf|odt|txt|pages|tex|html)\W*$", re.IGNORECASE)
_INVERTED = re.compile(
    r"\W{0,20}([^\W\d_][\w'’\- ]{1,30}),\s+([^\W\d_][\w'’\-. ]{1,30}?)\s*(?:$|[|•(;]|\s{2}|\s[-–—]\s)"
)


@dataclass(frozen=True, slots=True)
class HeaderLine:
    """All offsets are into the line.

    `says_nothing`: "CURRICULUM VITAE", "jane_doe_resume.pdf". `spaced`: "J A N E  D O E". `segments`: where
    each begins, and its text. `inverted`: where the two parts of "Doe, Jane" begin. `may_be_alone`: it
    holds nothing that a line with a name alone does not.
    """

    says_nothing: bool
    has_prefix: bool
    spaced: bool
    segments: list[tuple[int, str]]
    inverted: tuple[int, int] | None
    may_be_alone: bool
    tokens: int
    """Parts between white space."""


def header_line(line: str) -> HeaderLine:
    """Read one line."""
    prefix = _PREFIX.match(line)
    segments = []
    for start, end in segments_of(line, prefix.end() if prefix else 0):
        segment = line[start:end].lstrip()
        segments.append((end - len(segment), segment.rstrip()))
    inverted = _INVERTED.match(line) if "," in line else None
    return HeaderLine(
        says_nothing=not _PREFIX.sub("", line).strip() or _FILE.match(line) is not None,
        has_prefix=prefix is not None,
        spaced=_SPACED.match(line) is not None,
        segments=segments[:1] if len(line) > LONG_LINE else segments,
        inverted=(inverted.start(1), inverted.start(2)) if inverted else None,
        may_be_alone=not any(ch.isdigit() or ch in "@," for ch in line),
        tokens=len(line.split()),
    )
