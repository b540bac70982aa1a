"""Whether a resume holds the posting that it is scored against: pasted, perhaps in white, to raise the score.

A score cannot tell skill from copying, but runs of eight words that both texts hold hardly come about by
chance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

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


class RunsOfPostings:
    """Whether a resume repeats any of many postings, in one pass over the resume."""

    def __init__(self, postings: Sequence[Runs]) -> None:
        self._sizes = [len(runs) for runs in postings]
        self._postings: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for i, runs in enumerate(postings):
            if len(runs) >= _LEAST_RUNS:
                for run in runs:
                    self._postings[run].append(i)

    def repeated_by(self, resume: str) -> dict[int, int]:
        """Which postings a normalised resume repeats, and how many of its words stand in runs of them.

        By index, in the postings' order. A posting counts if the resume holds half of it word by word, or
        half a page of it.
        """
        if not self._postings:
            return {}
        words = read_words(resume).folded
        places: dict[int, list[int]] = defaultdict(list)
        shared: dict[int, set[tuple[str, ...]]] = defaultdict(set)
        for i in range(len(words) - _RUN + 1):
            run = tuple(words[i : i + _RUN])
            for posting in self._postings.get(run, ()):
                places[posting].append(i)
                shared[posting].add(run)
        return {
            posting: _words_in(places[posting])
            for posting, runs in sorted(shared.items())
            if len(runs) >= _SHARE * self._sizes[posting] or len(runs) >= _MANY_RUNS
        }


def _words_in(places: Sequence[int]) -> int:
    """Words of a text that stand in runs which begin at `places`, in order."""
    count = end = 0
    for place in places:
        count += place + _RUN - max(place, end)
        end = place + _RUN
    return count
