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


def copied_words(posting: Runs, resume: str) -> int:
    """How many words of a normalised resume stand in a posting in runs of eight.

    0 unless it holds half of the posting word by word, or half a page of it.
    """
    if len(posting) < _LEAST_RUNS:
        return 0
    words = read_words(resume).folded
    shared = [i for i in range(len(words) - _RUN + 1) if tuple(words[i : i + _RUN]) in posting]
    distinct = len({tuple(words[i : i + _RUN]) for i in shared})
    if distinct < _SHARE * len(posting) and distinct < _MANY_RUNS:
        return 0
    count = end = 0
    for i in shared:
        count += i + _RUN - max(i, end)
        end = i + _RUN
    return count
