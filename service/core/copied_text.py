"""Whether a resume holds the posting that it is scored against: pasted, perhaps in white, to raise the score.

A score cannot tell skill from copying, but runs of eight words that both texts hold hardly come about by
chance.
"""

from __future__ import annotations

from collections import Counter, defaultdict
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


def repeats(posting: Runs, resume: str) -> bool:
    """True if a normalised resume holds half of a posting word by word, or half a page of it."""
    return bool(RunsOfPostings([posting]).repeated_by(resume))


class RunsOfPostings:
    """Whether a resume repeats any of many postings, in one pass over the resume."""

    def __init__(self, postings: Sequence[Runs]) -> None:
        self._sizes = [len(runs) for runs in postings]
        self._postings: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for i, runs in enumerate(postings):
            if len(runs) >= _LEAST_RUNS:
                for run in runs:
                    self._postings[run].append(i)

    def repeated_by(self, resume: str) -> list[int]:
        """Indexes of the postings that a normalised resume repeats, in their order."""
        if not self._postings:
            return []
        shared: Counter[int] = Counter()
        for run in runs_of(resume):
            shared.update(self._postings.get(run, ()))
        return sorted(
            i for i, runs in shared.items() if runs >= _SHARE * self._sizes[i] or runs >= _MANY_RUNS
        )
