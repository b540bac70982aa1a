"""From what recognisers propose to what is hidden: a bare pattern needs a witness, of two that overlap one wins.

A span of `score` 1 stands by itself. One that only a pattern claims (a street without a number and a town, digits
without a label or a country) is kept if something else says that contact data stand there: the part of the resume,
or another span beside it that another rule proposed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from service.core.redaction.layout import CONTACT_SECTIONS, HEADER_CHARACTERS, Line
from service.core.redaction.policy import Category
from service.core.redaction.spans import SURE, Span, without_overlaps

CONTACT_DATA: frozenset[Category] = frozenset({"email", "phone", "link", "address", "identity_number"})
"""Categories that stand together: one is a witness of another."""

WITNESS = 0.5
"""What each witness adds to a score."""

BESIDE = 40
"""Characters within which another span is a witness."""


def resolve(proposed: Iterable[Span], lines: Sequence[Line]) -> list[Span]:
    """The spans to hide, in order and apart. `lines` are those of the text, in order."""
    sure: list[Span] = []
    weak: list[Span] = []
    for span in proposed:
        (sure if span.score >= SURE else weak).append(span)
    if weak:
        places = sorted((s for s in (*sure, *weak) if s.category in CONTACT_DATA), key=lambda s: s.start)
        starts = [span.start for span in places]
        line_starts = [line.start for line in lines]
        for span in weak:
            at = bisect_right(line_starts, span.start) - 1
            score = span.score + WITNESS * (
                (at >= 0 and _holds_contact_data(lines[at], span))
                + _has_neighbour(
                    span,
                    places,
                    starts,
                    [line.start for line in lines[max(0, at - 3) : at + 4] if line.heading],
                )
            )
            if score >= SURE:
                sure.append(span)
    return without_overlaps(sure)


def _holds_contact_data(line: Line, span: Span) -> bool:
    if span.category not in CONTACT_DATA:
        return False
    return line.section in CONTACT_SECTIONS or (line.section == "header" and span.start < HEADER_CHARACTERS)


def _has_neighbour(
    span: Span, places: Sequence[Span], starts: Sequence[int], headings: Sequence[int]
) -> bool:
    """True if a span of contact data that another rule proposed stands right before or behind `span`.

    `headings`: where those around begin; what stands beyond one belongs to another part of the resume.
    """
    if span.category not in CONTACT_DATA:
        return False
    place = bisect_right(starts, span.start)
    return any(
        other.reason != span.reason
        and other.start - span.end <= BESIDE
        and span.start - other.end <= BESIDE
        and not any(min(span.start, other.start) < at <= max(span.start, other.start) for at in headings)
        for other in places[max(0, place - 3) : place + 3]
    )
