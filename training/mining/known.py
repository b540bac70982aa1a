"""What labels say of postings: which resumes of a pool are no negatives of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.data.nearly_same import shingles_of
from training.data.review import normalised

NEARLY_SAME = 0.8
"""Jaccard similarity of shingles of five words from which on a resume is a match's with another date."""

Shingles = NDArray[np.int64]


def word_shingles(text: str) -> Shingles:
    """Of the normalised words of a text (`nearly_same.shingles_of`)."""
    return shingles_of(normalised(text).split())


class KnownPairs:
    """Labelled pairs of postings that are given by number. `families`: of each posting.

    Whoever matches a posting is no negative of any of its family, under the same id, with the same text, or
    with one that is nearly the same. A labelled non-match is no candidate for its own posting: it is training
    data already.
    """

    def __init__(self, families: Sequence[int]) -> None:
        self._families = families
        self._matches: dict[int, set[str]] = {}
        self._labelled: dict[int, set[str]] = {}
        self._shingles: dict[int, dict[str, Shingles]] = {}

    def add(self, posting: int, resume_id: str, text: str, fingerprint: str, *, match: bool) -> None:
        """A labelled pair; `resume_id` "" if it has none."""
        names = {_of_text(fingerprint), *([_of_id(resume_id)] if resume_id else [])}
        if not match:
            self._labelled.setdefault(posting, set()).update(names)
            return
        family = self._families[posting]
        self._matches.setdefault(family, set()).update(names)
        self._shingles.setdefault(family, {}).setdefault(fingerprint, word_shingles(text))

    def is_candidate(self, posting: int, resume_id: str, fingerprint: str) -> bool:
        """Whether no label speaks of the pair; near repeats of matches are not looked at here."""
        names = (_of_text(fingerprint), *([_of_id(resume_id)] if resume_id else []))
        known = self._matches.get(self._families[posting], ()), self._labelled.get(posting, ())
        return not any(name in of for of in known for name in names)

    def repeats_match(self, posting: int, shingles: Shingles) -> bool:
        """Whether a text is nearly that of a match of the posting's family."""
        return any(
            _jaccard(shingles, other) >= NEARLY_SAME
            for other in self._shingles.get(self._families[posting], {}).values()
        )


def _of_text(fingerprint: str) -> str:
    return f"text:{fingerprint}"


def _of_id(resume_id: str) -> str:
    return f"id:{resume_id}"


def _jaccard(one: Shingles, other: Shingles) -> float:
    smaller, larger = sorted((len(one), len(other)))
    if smaller < NEARLY_SAME * larger:
        return 0.0
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
