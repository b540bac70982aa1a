"""Cheap tests of whether a pattern could match a text at all: most texts hold none of its words.

Patterns are many and most find nothing, so this is where redaction's speed comes from. A prefilter must
let through every text in which its pattern finds something; a test compares redaction with and without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from service.core.redaction.spans import Span


class PrefilterText(NamedTuple):
    """What prefilters look at: a text in lower case, and its words (folded)."""

    lower: str
    words: frozenset[str]


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


class Recogniser(NamedTuple):
    """Finds one kind of entity in the texts that `prefilter` lets through."""

    prefilter: Prefilter
    find: Callable[[str], Iterator[Span]]
