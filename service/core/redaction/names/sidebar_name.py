"""The candidate's name in a text whose side column was read first: below skills and languages, above post and profile."""

from __future__ import annotations

from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.opening_name import fills_line, tells_of_a_name

_LINES = 60
_BEFORE = frozenset({"header", "skills", "other", "contact", "personal"})
"""Sections of a side column; below "Experience" and "Education" a firm or a school stands over a post."""


def name_below_sidebar(resume: ParsedResume) -> NameCandidate | None:
    """Two words or more that mean nothing else, alone in a line that opens a paragraph, with a post right below."""
    lines = resume.lines[:_LINES]
    for i, line in enumerate(lines[1:-1], 1):
        if line.heading and line.section in ("experience", "references"):
            return None
        below = lines[i + 1]
        if (
            line.heading
            or line.section not in _BEFORE
            or "\n\n" not in resume.text[lines[i - 1].end : line.start + 1]
            or "\n\n" in resume.text[line.end : below.start + 1]
            or below.heading
            or not tells_of_a_name(resume, below)
            or not _ends_paragraph(resume, i + 1)
        ):
            continue
        name = fills_line(resume, line)
        if name is not None:
            return name
    return None


def _ends_paragraph(resume: ParsedResume, i: int) -> bool:
    """True if a heading or a blank line comes within two lines below line `i`."""
    for a, b in zip(resume.lines[i : i + 2], resume.lines[i + 1 : i + 3], strict=False):
        if b.heading or "\n\n" in resume.text[a.end : b.start + 1]:
            return True
    return False
