"""Spans of a text that recognisers propose to hide, and what is done with those that are resolved."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from service.core.redaction.policy import CATEGORIES, TOKENS, Category
from service.core.redaction.scanning import Scan

SURE = 1.0
"""Score of a span that needs no witness."""

WEAK = 0.5
"""Score of a bare pattern, which something beside it has to confirm (`resolution`)."""


class Span(NamedTuple):
    """Characters [start, end) of a text. `token` is what stands there afterwards.

    `score` in [0, 1]: how sure the recogniser is. `reason`: its rule, as `street.number`; never text.
    """

    start: int
    end: int
    category: Category
    token: str
    score: float = SURE
    reason: str = ""


_PRIORITY: dict[Category, int] = {category: rank for rank, category in enumerate(CATEGORIES)}
# A link or an address that holds a name is a link or an address; a school named after a person is a school.
# What a label calls a date of birth is one, even if its digits look like a phone number.
_PRIORITY.update(
    {"age": -6, "link": -5, "email": -4, "photo": -3, "school": -2, "affinity": -1, "identity_number": 1}
)

PLACEHOLDER = re.compile("|".join(re.escape(token) for token in TOKENS.values()))


def spans_of(
    pattern: re.Pattern[str] | Scan,
    text: str,
    category: Category,
    group: int | str = 0,
    *,
    score: float = SURE,
    reason: str = "",
) -> Iterator[Span]:
    """Every match of `pattern` (or of one group in it) as a span of `category`."""
    for match in pattern.finditer(text):
        start, end = match.span(group)
        if start < end:
            yield Span(start, end, category, TOKENS[category], score, reason)


def spans_of_groups(pattern: re.Pattern[str] | Scan, text: str, category: Category) -> Iterator[Span]:
    """Of every match of `pattern` the named group that matched, without what ends a clause after it."""
    for match in pattern.finditer(text):
        group = match.lastgroup
        if group is None:
            continue
        start, end = match.span(group)
        while end > start and text[end - 1] in " \t.,;)":
            end -= 1
        if start < end:
            yield Span(start, end, category, TOKENS[category])


def shifted(spans: list[Span], offset: int) -> list[Span]:
    """Spans of a part of a text, as spans of the text in which that part begins at `offset`."""
    if offset == 0 or not spans:
        return spans
    return [
        Span(start + offset, end + offset, category, token, score, reason)
        for start, end, category, token, score, reason in spans
    ]


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """Spans in order. Of two that overlap the one of higher priority, or else the longer one, takes in the other."""
    kept: list[Span] = []
    for span in sorted(spans):
        if kept and span.start < kept[-1].end:
            last = kept[-1]
            first, second = _PRIORITY[last.category], _PRIORITY[span.category]
            longer = span.end - span.start > last.end - last.start
            winner = span if second < first or (second == first and longer) else last
            if (
                winner is span or span.end > last.end
            ):  # else `last` stays as it is, which is what mostly happens
                kept[-1] = winner._replace(start=last.start, end=max(last.end, span.end))
        else:
            kept.append(span)
    return kept


class HiddenSpans:
    """Spans hidden pass after pass, by their places in the text that the first pass read."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        """In order and apart."""

    def add(self, spans: Iterable[Span]) -> None:
        """Spans of the text in which those so far are replaced by their tokens, which they do not touch."""
        starts: list[int] = []  # where each token stands in that text
        shifts = [0]  # what to add behind it
        for hidden in self.spans:
            starts.append(hidden.start - shifts[-1])
            shifts.append(shifts[-1] + hidden.end - hidden.start - len(hidden.token))
        for span in spans:
            shift = shifts[bisect_right(starts, span.start)]
            start, end, category, token, score, reason = span
            self.spans.append(Span(start + shift, end + shift, category, token, score, reason))
        self.spans.sort()


def replace(text: str, spans: Iterable[Span]) -> str:
    """`text` with each span replaced by its token; spans must be in order and apart."""
    parts: list[str] = []
    done = 0
    for span in spans:
        parts += (text[done : span.start], span.token)
        done = span.end
    parts.append(text[done:])
    return "".join(parts)
