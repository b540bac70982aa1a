"""The lines of a resume and the section that each stands in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from service.core.redaction.headings import LONGEST_HEADING, heading, heading_before_text
from service.core.redaction.headings import Section as Section
from service.core.redaction.scanning import scan

CONTACT_SECTIONS: frozenset[Section] = frozenset({"contact", "personal", "references"})
"""Sections in which contact data stand."""

_SEPARATOR = re.compile(r"[|•·;:\t<>{}()\[\]\"“”*#_=/\\~+&^$%]|[–—]|\s-\s|\s{2,}|,")
# Headings of resumes whose line breaks were lost. Small letters count only where a colon, a wide gap or "##"
# shows that the word is a heading: many sentences begin with "Experience".
_INLINE_HEADING = scan(
    r"(?<![\w\[])(EDUCATION(?:AL (?:BACKGROUND|QUALIFICATIONS))?|(?:WORK |PROFESSIONAL )?EXPERIENCE|EMPLOYMENT HISTORY"
    r"|WORK HISTORY|REFERENCES|SKILLS|SUMMARY|OBJECTIVE|PROFILE|CERTIFICATIONS|PROJECTS|INTERESTS|AWARDS)\b:?"
    r"|(?<=[\n ])(?<!Physical )(?<!Special )(?<!Elementary )(?<!Childhood )(?<!Higher )(?<!Secondary )(?<!Health )(?<!of )(?<!Adult )"
    r"(Education(?: and Training)?|Experience|Work History|Professional Experience|References|Skills)"
    r"(?=:|\s{2,})"
    r"|(?<=  )Education(?= (?:19|20)\d\d\b(?:\s?[-–]|  ))"
    r"|(?<=## )(?:References|Referees|Education|Experience|Skills|Summary|Employment history|Academic background)\b"
    r"|(?<=[\n ])(?:References|Referees|Academic background|Employment history)\b(?=\s+(?:\[|[^\W\d_a-z]))(?! [Aa]vailable)"
)


# One of these stands in whatever the pattern above finds, and is found ten times as fast.
_WORD_OF_HEADING = re.compile(
    r"EDUCATION|EXPERIENCE|EMPLOYMENT|WORK|REFERENCES|SKILLS|SUMMARY|OBJECTIVE|PROFILE|CERTIFICATIONS|PROJECTS|INTERESTS|AWARDS"
    r"|Education|Experience|Work|References|Referees|Skills|Summary|Employment|Academic"
)
# Job boards put these behind the last word of a paragraph: "... Visual Studio CodeEducation Details".
_DETAILS_AT_END = re.compile(r"(?:Education(?:al)?|Academic|Skill|Company) Details[ :]{0,3}$")
_TOKEN = re.compile(r"\[(?:EMAIL|PHONE|LINK)\]")
"""Contact data hidden by an earlier pass: the line was longer then, and its sections stay what they were."""
_WIDE_GAP = re.compile(r"\s\s")
_BETWEEN_GAPS = re.compile(r"(?:(?<=\s\s)|^)[^\W\d_](?:\S| (?! )){2,80}+")


HEADER_CHARACTERS = 500
"""Where the header must end in a text without headings."""


class Line(NamedTuple):
    """Characters [start, end) of the text: a line, or one segment of a line that holds headings."""

    start: int
    end: int
    text: str
    section: Section
    heading: bool


class Segment(NamedTuple):
    """Characters [start, end) of one line, and the section that they open if they are a heading."""

    start: int
    end: int
    text: str
    opens: Section | None


def lines_of(text: str, segments: Callable[[str], Sequence[Segment]] | None = None) -> list[Line]:
    """The non-blank lines of `text` with their sections; offsets point into `text`.

    Before the first heading the section is `header`. Capital-letter headings inside a line (resumes
    whose line breaks were lost) start a new segment too. `segments`: `segments_of`, or a cached form of it.
    """
    segments = segments or segments_of
    section: Section = "header"
    lines: list[Line] = []
    position = 0
    for line in text.split("\n"):
        for start, end, part, opens in segments(line):
            section = opens or section
            lines.append(Line(position + start, position + end, part, section, opens is not None))
        position += len(line) + 1
    return lines


def segments_of(line: str) -> list[Segment]:
    """A line cut at the headings inside it; blank segments are left out."""
    cuts = {0, len(line)}
    if ":" in line:
        cuts.add(heading_before_text(line))
    details = _DETAILS_AT_END.search(line) if "Details" in line else None
    if details:
        cuts.add(details.start())
    if len(line) > LONGEST_HEADING or _TOKEN.search(line):
        places = list(_headings_between_gaps(line))
        within = bytearray(len(line))
        for start, end in places:
            within[start:end] = b"\1" * (end - start)
        if _WORD_OF_HEADING.search(line):
            places += [m.span() for m in _INLINE_HEADING.finditer(line) if not within[m.start()]]
        cuts.update(at for place in places for at in place)
    return [
        Segment(start, end, line[start:end], heading(line[start:end]))
        for start, end in pairwise(sorted(cuts))
        if line[start:end].strip()
    ]


def _headings_between_gaps(line: str) -> Iterator[tuple[int, int]]:
    """In a text that lost its line breaks wide gaps are what is left of them."""
    if not _WIDE_GAP.search(line):
        first = _BETWEEN_GAPS.match(line)
        matches = iter([first] if first else [])
    else:
        matches = _BETWEEN_GAPS.finditer(line)
    for match in matches:
        end = len(match[0]) if heading(match[0]) else heading_before_text(match[0]) if ":" in match[0] else 0
        if end:
            yield match.start(), match.start() + end


def cells_of(line: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """What is between commas, bars, brackets and wide gaps of a line, as [start, end); blank cells are left out."""
    position = start
    for match in _SEPARATOR.finditer(line, start):
        if line[position : match.start()].strip():
            yield position, match.start()
        position = match.end()
    if line[position:].strip():
        yield position, len(line)
