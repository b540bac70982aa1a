"""Cheap tests of whether a pattern could match a text at all: most texts hold none of its words.

Patterns are many and most find nothing, so this is where redaction's speed comes from. A prefilter must
let through every text in which its pattern finds something; a test compares redaction with and without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from service.core.redaction.spans import Span
from service.core.redaction.words import Words

_LETTERS = re.compile(r"[^\W\d_]+")


class PrefilterText(NamedTuple):
    """What prefilters look at: a text in lower case, and its words.

    `words`: folded ("oneill", "senora"), and as they stand between other signs in `lower` ("neill", "señora").
    """

    lower: str
    words: frozenset[str]


def prefilter_text(text: str, words: Words) -> PrefilterText:
    """What prefilters look at in `text`, whose words are `words`."""
    lower, seen = text.lower(), frozenset(words.folded)
    letters = "".join(words.written)
    if not letters.isascii() or "'" in letters or "`" in letters:  # else both kinds of words are the same
        seen = seen.union(_LETTERS.findall(lower))
    return PrefilterText(lower, seen)


class Prefilter(NamedTuple):
    """Lets a text through that holds one of `words` as a word, or one of `substrings` anywhere."""

    words: frozenset[str]
    substrings: tuple[str, ...]

    def may_match(self, text: PrefilterText) -> bool:
        """False only if the pattern behind this prefilter finds nothing in `text`."""
        if not self.words.isdisjoint(text.words):
            return True
        lower = text.lower
        for substring in self.substrings:  # noqa: SIM110  # twice as fast as any()
            if substring in lower:
                return True
        return False


def prefilter(words: str = "", substrings: Iterable[str] = ()) -> Prefilter:
    """A prefilter of `words` (folded, separated by blanks) and of `substrings` (in lower case)."""
    return Prefilter(frozenset(words.split()), tuple(substrings))


class PrefilterSet:
    """Prefilters that are asked together: each word and each substring is looked for once, whoever asks for it."""

    def __init__(self, prefilters: Sequence[Prefilter]) -> None:
        # A set of prefilters is a number whose bit i stands for the one at place i.
        self._by_word: dict[str, int] = {}
        by_substring: dict[str, int] = {}
        for i, one in enumerate(prefilters):
            for found, keys in ((self._by_word, one.words), (by_substring, one.substrings)):
                for key in keys:
                    found[key] = found.get(key, 0) | 1 << i
        self._words = frozenset(self._by_word)
        self._substrings = list(by_substring.items())

    def substrings_in(
        self, lower: str, substrings: Sequence[tuple[str, int]] | None = None
    ) -> list[tuple[str, int]]:
        """The substrings that stand in a text in lower case: no other one can stand in a part of it.

        `substrings`: as `passed`.
        """
        return [pair for pair in (self._substrings if substrings is None else substrings) if pair[0] in lower]

    def passed(self, text: PrefilterText, substrings: Sequence[tuple[str, int]] | None = None) -> list[int]:
        """Places of the prefilters that let `text` through, in order.

        `substrings`: those that stand in a text that `text` is a part of.
        """
        passed = 0
        for word in self._words & text.words:
            passed |= self._by_word[word]
        lower = text.lower
        for substring, asked_by in self._substrings if substrings is None else substrings:
            if (
                asked_by & ~passed and substring in lower
            ):  # nobody looks again for those whose words let it through
                passed |= asked_by
        return [i for i in range(passed.bit_length()) if passed >> i & 1]


class SubstringsOfText:
    """The substrings of some sets of prefilters that stand in one text, looked for when first asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[int, list[tuple[str, int]]] = {}

    def of(self, prefilters: PrefilterSet) -> list[tuple[str, int]]:
        """Those that `prefilters` look for."""
        found = self._found.get(id(prefilters))
        if found is None:
            found = self._found[id(prefilters)] = prefilters.substrings_in(self._text.lower())
        return found


class Recogniser(NamedTuple):
    """Finds one kind of entity in the texts that `prefilter` lets through."""

    prefilter: Prefilter
    find: Callable[[str], Iterator[Span]]
