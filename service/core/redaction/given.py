"""Spans that a caller names by their text: "Graphic Hills" is a school here, whatever the rules think."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from service.core.documents import normalise
from service.core.errors import ErrorCollector, SpanNotFoundError
from service.core.redaction.names.word_lists import GENERATIONS, PARTICLES
from service.core.redaction.policy import TOKENS, Category
from service.core.redaction.spans import SURE, Span
from service.core.redaction.words import read_words

GIVEN = "given"
"""The `reason` of a span that a caller named."""

MOST_GIVEN = 100
LONGEST_GIVEN = 500
"""Characters of one span's text."""

CONTROL_CHARACTERS = r"\x00-\x1f\x7f-\x9f"
"""No text of a span holds one; inside brackets of a pattern."""

_BORDER = re.compile(r"\b")
_MARK = "\0"
"""Stands at each border of a word; normalised text holds no null characters."""


class GivenSpan(NamedTuple):
    """`text` as the caller wrote it. `field`: its path in the request, for errors."""

    category: Category
    text: str
    field: str = "spans"


def find_given(text: str, given: Sequence[GivenSpan]) -> list[Span]:
    """Every place at which a given span stands in normalised `text`, at borders of words, case and all.

    Raises `SpanNotFoundError`, or one error that holds several, for those that stand nowhere.
    """
    errors = ErrorCollector()
    places = _Places(text)
    for one in given:
        with errors:
            if not places.of(one):
                raise SpanNotFoundError(f"{one.field} does not stand in the resume", field=one.field)
    errors.raise_any()
    return places.all


def places_of(text: str, given: Sequence[GivenSpan]) -> list[Span]:
    """As `find_given`, but what stands nowhere is left out."""
    places = _Places(text)
    for one in given:
        places.of(one)
    return places.all


def standing_in(text: str, given: Sequence[GivenSpan]) -> list[GivenSpan]:
    """Those of `given` that stand in normalised `text`."""
    places = _Places(text)
    return [one for one in given if places.of(one)]


def name_parts(text: str, places: Iterable[Span]) -> tuple[str, ...]:
    """The parts of the names that were given, folded, in order, as recognisers give those they find."""
    names = dict.fromkeys(text[place.start : place.end] for place in places if place.category == "name")
    parts: dict[str, None] = {}
    for name in names:
        words = read_words(name).folded
        long = [
            word
            for i, word in enumerate(words)
            if len(word) > 1 and (i == 0 or word not in PARTICLES) and word not in GENERATIONS
        ]
        parts.update(dict.fromkeys(long or words))
    return tuple(parts)


class _Places:
    """Where given spans stand in one text, each looked for once however often it is given.

    Borders of words become characters first, so that a search never finds what is no match: a text that
    almost matches at every character would take the square of its length.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[tuple[Category, str], list[Span]] = {}

    @property
    def all(self) -> list[Span]:
        return [place for places in self._known.values() for place in places]

    def of(self, one: GivenSpan) -> list[Span]:
        clean = normalise(one.text)
        key = one.category, clean
        if key not in self._known:
            self._known[key] = [
                Span(start, end, one.category, TOKENS[one.category], SURE, GIVEN)
                for start, end in self._occurrences(_BORDER.sub(_MARK, clean))
            ]
        return self._known[key]

    def _occurrences(self, wanted: str) -> Iterator[tuple[int, int]]:
        marked, marks = self._marked
        at = marked.find(wanted) if wanted else -1
        while at >= 0:
            end = at + len(wanted)
            yield at - bisect_left(marks, at), end - bisect_left(marks, end)
            at = marked.find(wanted, end)

    @cached_property
    def _marked(self) -> tuple[str, list[int]]:
        """The text with a mark at each border of a word, and where the marks stand in it."""
        borders = (match.start() for match in _BORDER.finditer(self._text))
        return _BORDER.sub(_MARK, self._text), [border + i for i, border in enumerate(borders)]
