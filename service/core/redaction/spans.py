"""Spans of a text that must be hidden: found by patterns, merged where they overlap, replaced by tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from service.core.redaction.policy import CATEGORIES, TOKENS, Category


class Span(NamedTuple):
    """Characters [start, end) of a text. `token` is what stands there afterwards."""

    start: int
    end: int
    category: Category
    token: str


_PRIORITY: dict[Category, int] = {category: rank for rank, category in enumerate(CATEGORIES)}
# A link or an address that holds a name is a link or an address; a school named after a person is a school.
_PRIORITY.update({"link": -5, "email": -4, "photo": -3, "school": -2, "affinity": -1})

PLACEHOLDER = re.compile("|".join(re.escape(token) for token in TOKENS.values()))


def spans_of(pattern: re.Pattern[str], text: str, category: Category, group: int | str = 0) -> Iterator[Span]:
    """Every match of `pattern` (or of one group in it) as a span of `category`."""
    for match in pattern.finditer(text):
        start, end = match.span(group)
        if start < end:
            yield Span(start, end, category, TOKENS[category])


def spans_of_groups(pattern: re.Pattern[str], text: str, category: Category) -> Iterator[Span]:
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
    return [Span(start + offset, end + offset, category, token) for start, end, category, token in spans]


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """Spans in order. Of two that overlap the one of higher priority, or else the longer one, takes in the other."""
    kept: list[Span] = []
    for span in sorted(spans):
        if kept and span.start < kept[-1].end:
            last = kept[-1]
            winner = min(last, span, key=lambda s: (_PRIORITY[s.category], s.start - s.end))
            kept[-1] = Span(last.start, max(last.end, span.end), winner.category, winner.token)
        else:
            kept.append(span)
    return kept


def replace(text: str, spans: Iterable[Span]) -> str:
    """`text` with each span replaced by its token; spans must be in order and apart."""
    parts: list[str] = []
    done = 0
    for span in spans:
        parts += (text[done : span.start], span.token)
        done = span.end
    parts.append(text[done:])
    return "".join(parts)
