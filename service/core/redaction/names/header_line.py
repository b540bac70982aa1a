"""What one line of the header shows about the candidate's name, whatever the other lines hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from service.core.redaction.layout import cells_of

LONG_LINE = 120
"""A line above this many characters is a text that lost its line breaks: a name can only be its start."""

_PREFIX = re.compile(
    r"^\W*(?:(?:resume|résumé|cv|c\.v\.|curriculum vitae|hoja de vida|lebenslauf|curriculum|biodata|bio-data|profile|application)"
    r"(?:\s+(?:of|for|von|de))?\b[\s:–—|-]*)",
    re.IGNORECASE,
)
_GAPS_OF_LETTERS = re.compile(r"[ \t]{2,}")
_LETTER = re.compile(r"[.'’(\"“-]{0,2}[^\W\d_a-z]?[.'’)\"”-]{0,2}")
_FEWEST_LETTERS = 5
_MOST_GROUPS = 6
SPACED_WORD = re.compile(r"^\W{0,10}((?:[A-ZÀ-Þ] ){2,25}[A-ZÀ-Þ])\W{0,10}$")
"""One word whose letters stand apart: half of a name on two lines."""

_TITLE_WORDS = re.compile(
    r"\b(?:resume|résumé|cv|curriculum|vitae|template|samples?|example|biodata)\b", re.IGNORECASE
)
_SPACED_TITLES = frozenset(
    {"resume", "résumé", "cv", "vitae", "curriculum", "curriculumvitae", "profile", "lebenslauf"}
)
_FILE = re.compile(r"^\W{0,10}[\w.-]{1,80}\.(?:pdf|docx?|rtf|odt|txt|pages|tex|html)\W*$", re.IGNORECASE)
_INVERTED = re.compile(
    r"\W{0,20}([^\W\d_][\w'’\- ]{1,30}),\s+([^\W\d_][\w'’\-. ]{1,30}?)"
    r"(?:,\s{0,3}(?:Jr|Sr|II|III|IV)\b\.?)?\s*(?:$|[|•(;]|\s{2}|\s[-–—]\s)"
)


@dataclass(frozen=True, slots=True)
class HeaderLine:
    """All offsets are into the line.

    `is_title`: "CURRICULUM VITAE", "jane_doe_resume.pdf". `has_prefix`: "Resume of ...". `letter_spaced`:
    "J A N E  D O E"; `spaced_word`: "J A N E". `names_document`: it says "resume" or "template". `cells`: where each begins, and its text. `inverted`: where the two parts of
    "Doe, Jane" begin. `may_be_alone`: it has no digit, comma or "@", so it could be a name and nothing else.
    """

    is_title: bool
    has_prefix: bool
    letter_spaced: bool
    spaced_word: bool
    names_document: bool
    cells: list[tuple[int, str]]
    inverted: tuple[int, int] | None
    may_be_alone: bool
    token_count: int
    """Parts between white space."""


def header_line(line: str) -> HeaderLine:
    """Read `line`."""
    prefix = _PREFIX.match(line)
    cells = []
    found = cells_of(line, prefix.end() if prefix else 0)
    for start, end in islice(found, 1) if len(line) > LONG_LINE else found:
        cell = line[start:end].lstrip()
        cells.append((end - len(cell), cell.rstrip()))
    inverted = _INVERTED.match(line) if "," in line else None
    spaced = SPACED_WORD.match(line)
    spaced_title = spaced is not None and spaced[1].replace(" ", "").casefold() in _SPACED_TITLES
    return HeaderLine(
        is_title=not _PREFIX.sub("", line).strip() or _FILE.match(line) is not None or spaced_title,
        has_prefix=prefix is not None,
        letter_spaced=_is_letter_spaced(line),
        spaced_word=spaced is not None and not spaced_title,
        names_document=_TITLE_WORDS.search(line) is not None,
        cells=cells,
        inverted=(inverted.start(1), inverted.start(2)) if inverted else None,
        may_be_alone="@" not in line and "," not in line and not any(map(str.isdigit, line)),
        token_count=len(line.split()),
    )


def _is_letter_spaced(line: str) -> bool:
    """True for two words or more of which every letter stands apart: "J A N E  O ' D O E"."""
    groups = _GAPS_OF_LETTERS.split(line[: LONG_LINE + 1].strip(" \t*#_|"))
    if not 2 <= len(groups) <= _MOST_GROUPS or len(line) > LONG_LINE:
        return False
    parts = [group.split(" ") for group in groups]
    return (
        all(_LETTER.fullmatch(part) for group in parts for part in group)
        and sum(ch.isalpha() for ch in line) >= _FEWEST_LETTERS
        and any(len(group) > 2 for group in parts)
        and not any(ch.islower() for ch in line)
    )
