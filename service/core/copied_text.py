"""Whether a resume holds the posting that it is scored against: pasted, perhaps in white, to raise the score.

A score cannot tell skill from copying, but runs of eight words that both texts hold hardly come about by
chance.
"""

from __future__ import annotations

from service.core.redaction.words import read_words

Runs = frozenset[tuple[str, ...]]
"""Runs of words of a text, folded."""

_RUN = 8
_LEAST_RUNS = 8
"""Of a posting: of a shorter one a resume may well hold half."""

_SHARE = 0.5
_MANY_RUNS = 40
"""That a resume shares with a long posting: half a page."""


def runs_of(text: str) -> Runs:
    """Every run of eight words of normalised `text`."""
    words = read_words(text).folded
    return frozenset(tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1))


def repeats(posting: Runs, resume: str) -> bool:
    """True if a normalised resume holds half of a posting word by word, or half a page of it."""
    if len(posting) < _LEAST_RUNS:
        return False
    words = read_words(resume).folded
    runs = (tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1))
    shared = len(posting.intersection(runs))
    return shared >= _SHARE * len(posting) or shared >= _MANY_RUNS
