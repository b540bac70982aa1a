"""In a section of education the name of a school is its cell: words that belong to it stand beside the key word.

"Kazan National Research [Technological University]" and "[Kings College] Lagos" are found in part by their key
word; the name goes on to the border of the cell, up to a degree, a field, a grade, a job or a date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.core.redaction.education_words import COMPANIES, DEGREES, FIELDS, GRADES, POSTS
from service.core.redaction.lexicon import Lexicon
from service.core.redaction.school_slots import TOWNS
from service.core.redaction.school_words import NOT_IN_NAME, QUALIFIERS
from service.core.redaction.spans import Span
from service.core.redaction.words import Words

_JOINERS = frozenset(
    "of and the for de da do del di du des la le y e et und fur zu am an der den van ng im".split()
)
_STOPS = (
    FIELDS
    | DEGREES
    | GRADES
    | POSTS
    | COMPANIES
    | frozenset(
        """from at in with by honours honors pursuing persuing pursued completed passed attended graduated studied
        january february march april may june july august september october november december jan feb mar apr jun jul
        aug sep sept oct nov dec expected year years relevant course courses coursework thesis project projects
        branch stream specialization aggregate board examination exam exams qualification education""".split()
    )
)
_STOPS_LEFT = _STOPS | (
    NOT_IN_NAME - QUALIFIERS - _JOINERS - frozenset("research our my law medicine".split())
)
_DEGREE_BEFORE = re.compile(r"(?<![\w.])(?:[BMP]\.?\s?[A-Z]\w{0,4}\.?|LL\.?[BM]\.?|Ph\.?D\.?)\s")
_NUMBER = re.compile(r"[ ]?(?:No\.?|Nr\.?|\#|[.])?[ ]?\d{1,3}(?![\d%/.]|[ ]?%)")
_PART = re.compile(r"[ ]?[-–&/][ ]?|[ ]|[.][ ]?|['’][ ]?")
_SCIENCE = re.compile(r"\w{3,30}(?:ology|istry|graphy|nomy|ics)$")
_MOST_LEFT = 5
_MOST_RIGHT = 4


def widened(text: str, words: Words, spans: Sequence[Span], lexicon: Lexicon) -> Iterator[Span]:
    """The schools in `spans` that go on in their cell of `text`, a section of education, with what belongs to them."""
    first = stop = 0
    for span in sorted(spans):
        while first < len(words) and words.starts[first] < span.start:
            first += 1
        stop = max(stop, first)
        while (
            stop < len(words)
            and words.ends[stop - 1 if stop else 0] < span.end
            and words.starts[stop] < span.end
        ):
            stop += 1
        if first == len(words) or first >= stop:
            continue
        start = span.start
        if stop - first > 1:  # beside "Brown" may stand "G."
            start = words.starts[_left(text, words, first, lexicon)]
        degree = _DEGREE_BEFORE.match(text, start, span.start)
        start = degree.end() if degree else start
        end = _right(text, words, stop, span.end, lexicon)
        if start < span.start or end > span.end:
            yield span._replace(start=min(start, span.start), end=max(end, span.end))


def _left(text: str, words: Words, first: int, lexicon: Lexicon) -> int:
    """The first word of the name before word `first`."""
    named = i = first
    while i and first - i < _MOST_LEFT and _PART.fullmatch(text, words.ends[i - 1], words.starts[i]):
        word = words.folded[i - 1]
        gap = text[words.ends[i - 1] : words.starts[i]]
        if (
            word in _STOPS_LEFT
            or word == "of"
            or (gap in (". ", " - ", " – ") and len(word) > 4)
            or word in lexicon.protected_words
            or (_SCIENCE.match(word) and word in lexicon.english)
        ):
            return named
        i -= 1
        if words.capitalised[i] and not (len(word) == 2 and words.written[i].isupper() and gap == " "):
            named = i  # "IN" may be what is left of an address
        elif word not in _JOINERS:
            return named
    before = text[words.ends[i - 1] : words.starts[i]] if i else "\n"
    # What has no border is running text: "The State-wide College" may, "Visited Kings College" may not begin so.
    if named < first and (first - i == _MOST_LEFT and not re.search(r"[\n,;:|•(*]|  ", before)):
        return first
    return named


def _right(text: str, words: Words, stop: int, end: int, lexicon: Lexicon) -> int:
    """Where the name ends behind word `stop` - 1, whose span ends at `end`."""
    number = _NUMBER.match(text, end)
    if number:
        return number.end()
    i = stop
    while i < len(words) and i - stop < _MOST_RIGHT and text[end : words.starts[i]] in (" ", "-", "–", "-e-"):
        word = words.folded[i]
        if word in _JOINERS and not words.capitalised[i]:
            following = i + 1 < len(words) and words.capitalised[i + 1] and words.folded[i + 1] not in _STOPS
            if not following or word in ("in", "at", "and", "for") or words.folded[i + 1] in lexicon.english:
                return end
            i += 1
            word = words.folded[i]
        if not words.capitalised[i] or word in _STOPS or word in lexicon.protected_words:
            return end
        if len(word) < 3 or (word in lexicon.english and word not in TOWNS and words.written[i] != "No"):
            return end
        end = words.ends[i]
        i += 1
        number = _NUMBER.match(text, end)
        if number:
            return number.end()
    return end
