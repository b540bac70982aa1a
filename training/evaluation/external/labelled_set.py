"""Resumes, postings, and which pairs of them are known to match or not."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.data.example import DataError
from training.data.review import fingerprint_once
from training.evaluation.external.kept_texts import KeptText
from training.evaluation.scored_pairs import Labels

Indexes = NDArray[np.int64]

_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class GivenDocument:
    """A resume or posting. `place`: file and line. `title`: of a posting. `groups`: of a person.

    `given`: its text, or where that is kept on the disk.
    """

    id: str
    given: str | KeptText = field(repr=False)
    place: str
    title: str | None = None
    categories: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The text, read from the disk if it lies there."""
        return self.given if isinstance(self.given, str) else self.given.read()

    @property
    def fingerprint(self) -> str:
        """Equal for texts that differ in form only (`training.data.review.fingerprint`)."""
        return fingerprint_once(self.given) if isinstance(self.given, str) else self.given.fingerprint


@dataclass(frozen=True)
class LabelledSet:
    """N pairs of R resumes and P postings.

    Attributes:
        pair_postings: number of each pair's posting, (N,); pairs of one posting stand together.
        pair_resumes: number of each pair's resume, (N,).
        labels: 1 for a match, (N,).
        every_pair: whether all resumes are paired with all postings.
    """

    resumes: Sequence[GivenDocument]
    postings: Sequence[GivenDocument]
    pair_postings: Indexes
    pair_resumes: Indexes
    labels: Labels
    every_pair: bool

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def prevalence(self) -> float:
        """The share of matches; NaN without pairs."""
        return float(self.labels.mean()) if len(self) else float("nan")

    @cached_property
    def rows_of_postings(self) -> list[Indexes]:
        """The pairs of each posting, in the postings' order."""
        order = np.argsort(self.pair_postings, kind="stable")
        ends = np.searchsorted(self.pair_postings[order], np.arange(len(self.postings) + 1))
        return [order[start:end] for start, end in pairwise(ends)]

    @cached_property
    def matches_of_postings(self) -> Indexes:
        """How many matches each posting has, (P,)."""
        return np.bincount(self.pair_postings, self.labels, len(self.postings)).astype(np.int64)

    @property
    def digest(self) -> str:
        """SHA-256 of the texts, titles and labels of all pairs, to compare like with like."""
        texts = [
            [hashlib.sha256(f"{d.title}\n{d.text}".encode()).hexdigest() for d in documents]
            for documents in (self.postings, self.resumes)
        ]
        # As of the `repr` of texts and all rows, which would be large.
        digest = hashlib.sha256(f"({texts!r}, [".encode())
        for start in range(0, len(self), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            columns = (self.pair_postings[part], self.pair_resumes[part], self.labels[part])
            rows = zip(*(column.tolist() for column in columns), strict=True)
            digest.update((", " * bool(start) + ", ".join(map(repr, rows))).encode())
        digest.update(b"])")
        return digest.hexdigest()

    def blocks_of_resumes(self, size: int) -> Iterator[tuple[int, Indexes]]:
        """The first number of every `size` resumes, and their pairs by posting and resume."""
        blocks = self.pair_resumes // size
        order = np.lexsort((self.pair_resumes, self.pair_postings, blocks))
        ends = np.searchsorted(blocks[order], np.arange(-(-len(self.resumes) // size) + 1))
        for number, (start, end) in enumerate(pairwise(ends)):
            yield number * size, order[start:end]

    def without(self, resumes: Collection[int], postings: Collection[int]) -> LabelledSet:
        """The set less some resumes and postings, and less whoever is in no pair after that.

        Raises `DataError` if nothing is left.
        """
        rows = np.flatnonzero(
            ~np.isin(self.pair_resumes, list(resumes)) & ~np.isin(self.pair_postings, list(postings))
        )
        if not len(rows):
            raise DataError("no pair is left of resumes and postings that can be read")
        kept_postings, of_posting = np.unique(self.pair_postings[rows], return_inverse=True)
        kept_resumes, of_resume = np.unique(self.pair_resumes[rows], return_inverse=True)
        return replace(
            self,
            resumes=[self.resumes[i] for i in kept_resumes],
            postings=[self.postings[i] for i in kept_postings],
            pair_postings=of_posting.astype(np.int64),
            pair_resumes=of_resume.astype(np.int64),
            labels=self.labels[rows],
        )

    def with_texts_once(self) -> tuple[LabelledSet, int]:
        """Every resume's text once, under its first id, and how many others there were.

        Of pairs that become one the first counts. Raises `DataError` if they are labelled differently.
        """
        first: dict[str, int] = {}
        now = np.array(
            [first.setdefault(d.fingerprint, i) for i, d in enumerate(self.resumes)], dtype=np.int64
        )
        gone = {i for i, other in enumerate(now) if i != other}
        if not gone:
            return self, 0
        moved = now[self.pair_resumes]
        keys = self.pair_postings * len(self.resumes) + moved
        _, firsts, inverse = np.unique(keys, return_index=True, return_inverse=True)
        contradicted = int((self.labels != self.labels[firsts][inverse]).sum())
        if contradicted:
            raise DataError(
                f"resumes of the same text match the same posting under one id and not under another, in "
                f"{contradicted:,} pairs: they cannot be counted as one"
            )
        rows = np.sort(firsts)
        kept = replace(
            self,
            pair_postings=self.pair_postings[rows],
            pair_resumes=moved[rows],
            labels=self.labels[rows],
        )
        return kept.without(gone, ()), len(gone)


def every_pair(resumes: Sequence[GivenDocument], postings: Sequence[GivenDocument]) -> LabelledSet:
    """All resumes with all postings; those that share a category match."""
    numbers: dict[str, int] = {}
    of_resumes, of_postings = (_by_category(side, numbers) for side in (resumes, postings))
    width = len(numbers)
    shared = (
        csr_matrix((of_postings[0], of_postings[1:3]), shape=(len(postings), width))
        @ csr_matrix((of_resumes[0], of_resumes[1:3]), shape=(len(resumes), width)).T
    )
    labels = (shared.toarray() > 0).astype(np.int64)  # (P, R)
    return LabelledSet(
        resumes=resumes,
        postings=postings,
        pair_postings=np.repeat(np.arange(len(postings)), len(resumes)),
        pair_resumes=np.tile(np.arange(len(resumes)), len(postings)),
        labels=labels.ravel(),
        every_pair=True,
    )


def _by_category(
    documents: Sequence[GivenDocument], numbers: dict[str, int]
) -> tuple[NDArray[np.int64], list[int], list[int]]:
    rows, columns = [], []
    for i, document in enumerate(documents):
        for category in document.categories:
            rows.append(i)
            columns.append(numbers.setdefault(category, len(numbers)))
    return np.ones(len(rows), np.int64), rows, columns
