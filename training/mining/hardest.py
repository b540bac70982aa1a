"""The resumes of a pool that score highest for one posting, in memory that does not grow with the pool."""

from __future__ import annotations

from bisect import insort
from typing import NamedTuple


class Scored(NamedTuple):
    """A resume and its score; smaller ones come first.

    Attributes:
        cost: -raw_score.
        id: of the resume, which decides where scores tie.
        file: number of the pool's file.
        row: line or row in it.
        text: fingerprint of its text.
    """

    cost: float
    id: str
    file: int
    row: int
    text: str


class Hardest:
    """Of all that are offered the `most` first, each text once. The order of the offers does not matter."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[Scored] = []
        self._by_text: dict[str, Scored] = {}

    @property
    def least_score(self) -> float:
        """A resume that scores lower is not kept; -inf while there is room."""
        return -self._kept[-1].cost if len(self._kept) == self._most else float("-inf")

    def offer(self, one: Scored) -> None:
        """Keep `one` if it is among the first."""
        known = self._by_text.get(one.text)
        if known is not None:
            if one >= known:
                return
            self._kept.remove(known)
        elif len(self._kept) == self._most:
            if one >= self._kept[-1]:
                return
            del self._by_text[self._kept.pop().text]
        insort(self._kept, one)
        self._by_text[one.text] = one

    def ranked(self, skip: int = 0) -> list[Scored]:
        """Those that are kept, the hardest first, without the first `skip`."""
        return self._kept[skip:]
