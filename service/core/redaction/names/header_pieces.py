"""The lines in which the candidate's name is looked for; lines of a text that lost its breaks are cut at wide gaps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from service.core.redaction.headings import heading
from service.core.redaction.layout import Line
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.header_line import LONG_LINE, HeaderLine, header_line

_WIDE_GAP = re.compile(r"[ \t]{2,}|\t")


class Piece(NamedTuple):
    """A line, or what stands between two wide gaps of a long one."""

    line: Line
    shape: HeaderLine


def header_pieces(resume: ParsedResume, characters: int) -> Iterator[Piece]:
    """The pieces of the first `characters` of the text that a name may stand in, in order."""
    read = 0  # the text before this was cut already, with the headings in it: "SPECIAL EDUCATION RESUME"
    for line, features in zip(resume.lines, resume.features, strict=True):
        if line.start > characters:
            return
        if line.start < read:
            continue
        stop = resume.text.find("\n", line.start)
        stop = len(resume.text) if stop < 0 else stop
        if stop - line.start <= LONG_LINE or not _WIDE_GAP.search(
            resume.text, line.start, line.start + characters
        ):
            yield Piece(line, features.header)
        else:
            yield from _cut(resume, line, stop, characters)
            read = stop


def _cut(resume: ParsedResume, line: Line, stop: int, characters: int) -> Iterator[Piece]:
    """The physical line that begins with `line` and ends at `stop`, piece by piece."""
    position, end = line.start, min(stop, line.start + characters)
    for gap in _WIDE_GAP.finditer(resume.text, line.start, end):
        yield from _piece(resume, line, position, gap.start())
        position = gap.end()
    yield from _piece(resume, line, position, end)


def _piece(resume: ParsedResume, line: Line, start: int, end: int) -> Iterator[Piece]:
    text = resume.text[start:end]
    if text.strip():
        opens = heading(text)
        part = Line(start, end, text, opens or line.section, opens is not None)
        yield Piece(part, header_line(text))
