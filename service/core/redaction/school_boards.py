"""Boards of examination in a section of education: "Kerala State Board", "Board of Secondary Education".

A board says in which State somebody went to school, or at which kind of school: "CBSE", "RBSE Ajmer", "SSC Board".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.school_slots import TOWNS
from service.core.redaction.school_words import BOARD_NAMES, BOARD_WORDS
from service.core.redaction.words import Words, fold

_JOINERS = frozenset({"of", "and", "the", "for"})
_NOT_BEHIND = frozenset(
    "member members director directors president chair chairman secretary game games meeting".split()
)
_PARTS_OF_PLACES = frozenset(word for place in TOWNS for word in place.split() if len(word) > 1)
_CERTIFICATES = frozenset("ssc hsc sslc pu puc inter pre sec".split())
_DOTTED = re.compile(r"(?<![\w.])[A-Z](?:\.[A-Z]){2,6}\.?(?!\w)")
_MOST_WORDS = 7


def boards_in(text: str, words: Words) -> Iterator[tuple[int, int]]:
    """Where the names of boards stand in `text`, as [start, end)."""
    folded = words.folded
    for match in _DOTTED.finditer(text):
        if fold(match[0]).replace(".", "") in BOARD_NAMES:
            yield match.span()
    for k, word in enumerate(folded):
        if word in BOARD_NAMES and words.written[k].isupper():
            yield words.starts[k], words.ends[_with_place(text, words, k)]
        if word != "board":
            continue
        if k + 1 < len(folded) and folded[k + 1] in _NOT_BEHIND:
            continue
        first = _first(text, words, k)
        last = _last(text, words, k)
        if any(folded[i] in BOARD_WORDS for i in (*range(first, k), *range(k + 1, last + 1))) or first < k:
            yield words.starts[first], words.ends[last]


def _with_place(text: str, words: Words, k: int) -> int:
    """The last word of the name that begins with an abbreviation: "BISE Lahore", "CBSE Board"."""
    i = k + 1
    if i == len(words) or text[words.ends[k] : words.starts[i]] not in (" ", "-", " - "):
        return k
    named = words.folded[i] == "board" or (words.capitalised[i] and words.folded[i] in TOWNS)
    return i if named else k


def _is_initial(text: str, words: Words, i: int, *, beside: bool, gap: str) -> bool:
    """True for the letters of "M.P Board". `beside`: word `i` is the last one before "Board"; `gap`: what is behind it."""
    if len(words.folded[i]) != 1:
        return False
    return gap != " " or (beside and text.startswith(".", words.starts[i] - 1))


def _first(text: str, words: Words, k: int) -> int:
    """The first word of the name before "Board": places, "State", and what is examined."""
    first = i = k
    while i and k - i < _MOST_WORDS:
        gap = text[words.ends[i - 1] : words.starts[i]]
        word = words.folded[i - 1]
        if gap not in (" ", ". ", ".", " & ", "-"):
            break
        if word in words.folded[first:k]:
            break  # the place before, and the name
        if word in _CERTIFICATES and i == k and gap == " ":
            first = i = i - 1  # "SSC Board"; in "HSC Tamil Nadu State Board" it is the certificate
        elif (
            word in BOARD_WORDS
            or word in _PARTS_OF_PLACES
            or _is_initial(text, words, i - 1, beside=i == k, gap=gap)
        ):
            first = i = i - 1
        elif word in _JOINERS and i < k:
            i -= 1
        else:
            break
    return first


def _last(text: str, words: Words, k: int) -> int:
    """The last word of the name behind "Board": "of Higher Secondary Education"."""
    if k + 1 >= len(words) or words.folded[k + 1] != "of" or text[words.ends[k] : words.starts[k + 1]] != " ":
        return k
    last, i = k, k + 1
    while i < len(words) and i - k <= _MOST_WORDS + 2:
        if text[words.ends[i - 1] : words.starts[i]] not in (" ", " & "):
            break
        word = words.folded[i]
        if word in BOARD_WORDS or (last > k and word in _PARTS_OF_PLACES):
            last = i
        elif word not in _JOINERS:
            break
        i += 1
    return last
