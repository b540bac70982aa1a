"""Which labelled pairs of a split a training item is made of: every pair in turn, or one match a job.

Everything random comes from the item's generator, or from (seed, epoch, job): a resumed run draws the same.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Protocol

from training.learning.tokenized import TokenizedPairs


class Draw(Protocol):
    """Deals out the labelled pairs of a split.

    `drawn`: different pairs of an epoch; `labelled`: those there are. `in_order`: its items make batches in
    their own order, which is not to be shuffled.
    """

    drawn: int
    labelled: int
    in_order: bool

    @property
    def distinct(self) -> int:
        """Items of an epoch, but those that only fill up the last batch."""

    def __len__(self) -> int:
        """Items of an epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Called before the items of an epoch are asked for."""

    def item(self, index: int, rng: random.Random) -> tuple[int, list[int]]:
        """A job, and resumes that are labelled for it: a match first, where there is one."""

    def times(self) -> Mapping[tuple[int, int], float]:
        """By pair (job, resume), how often an epoch draws it on average; what fills the last batch apart."""


class OneMatchAJob:
    """One item a job and epoch: one of its matches, and up to `negatives` of its labelled non-matches."""

    in_order = False

    def __init__(self, pairs: TokenizedPairs, negatives: int) -> None:
        self._pairs = pairs
        self._negatives = negatives
        self._split = {job: by_label(pairs, job) for job in pairs.by_job}
        self._jobs = sorted(
            job for job, (matches, others) in self._split.items() if matches or (negatives and others)
        )
        self.labelled = labelled_pairs(self._split)
        self.distinct = len(self._jobs)
        self.drawn = sum(
            bool(matches) + min(negatives, len(others))
            for matches, others in map(self._split.__getitem__, self._jobs)
        )

    def __len__(self) -> int:
        return len(self._jobs)

    def set_epoch(self, epoch: int) -> None:
        pass

    def item(self, index: int, rng: random.Random) -> tuple[int, list[int]]:
        job = self._jobs[index]
        matches, others = self._split[job]
        chosen = [rng.choice(matches)] if matches else []
        return job, chosen + rng.sample(others, min(self._negatives, len(others)))

    def times(self) -> Mapping[tuple[int, int], float]:
        found: dict[tuple[int, int], float] = {}
        for job, (matches, others) in self._split.items():
            found |= {(job, resume): 1 / len(matches) for resume in matches}
            drawn = min(self._negatives, len(others))
            found |= {(job, resume): drawn / len(others) for resume in others if drawn}
        return found


class EveryPair:
    """Every labelled pair once an epoch: as many items a job as it takes, in an order of the epoch's own.

    An item has a match of the job, if there is one left, and up to `negatives` of its labelled non-matches.
    The last batch is filled up with items of the epoch's begin: `batch` items belong together.
    """

    in_order = False

    def __init__(self, pairs: TokenizedPairs, negatives: int, *, batch: int, seed: int) -> None:
        self._seed = seed
        self._epoch = 0
        self._split = {job: by_label(pairs, job) for job in pairs.by_job}
        self._places: list[tuple[int, int, int]] = []  # job, number of the item within it, items of the job
        for job in sorted(self._split):
            matches, others = self._split[job]
            items = max(len(matches), -(-len(others) // negatives) if negatives else 0)
            self._places += [(job, i, items) for i in range(items)]
        self.distinct = len(self._places)
        self._batch = batch
        self._negatives = negatives
        self._shuffled: dict[int, tuple[list[int], list[int]]] = {}
        self.labelled = labelled_pairs(self._split)
        self.drawn = self.labelled if negatives else sum(len(matches) for matches, _ in self._split.values())

    def __len__(self) -> int:
        return -(-len(self._places) // self._batch) * self._batch if self._places else 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch
        self._shuffled.clear()

    def item(self, index: int, rng: random.Random) -> tuple[int, list[int]]:
        job, number, items = self._places[index % len(self._places)]
        matches, others = self._shuffled_pairs(job)
        if not self._negatives:
            others = []
        # Equal parts, up to one: a job's last item must not be left with nothing.
        first, end = len(others) * number // items, len(others) * (number + 1) // items
        return job, matches[number : number + 1] + others[first:end]

    def times(self) -> Mapping[tuple[int, int], float]:
        return {
            (job, resume): 1.0
            for job, (matches, others) in self._split.items()
            for resume in (*matches, *(others if self._negatives else ()))
        }

    def _shuffled_pairs(self, job: int) -> tuple[list[int], list[int]]:
        found = self._shuffled.get(job)
        if found is None:
            rng = random.Random(f"{self._seed}:{self._epoch}:pairs of {job}")
            matches, others = (list(of) for of in self._split[job])
            rng.shuffle(matches)
            rng.shuffle(others)
            found = self._shuffled[job] = matches, others
        return found


def by_label(pairs: TokenizedPairs, job: int) -> tuple[Sequence[int], Sequence[int]]:
    """Matches and non-matches of a job; what has no label is neither."""
    labelled = pairs.by_job[job]
    matches = [r for r in labelled if pairs.labels[job, r] == 1]
    return matches, [r for r in labelled if pairs.labels[job, r] == 0]


def labelled_pairs(split: dict[int, tuple[Sequence[int], Sequence[int]]]) -> int:
    """How many pairs have a label."""
    return sum(len(matches) + len(others) for matches, others in split.values())
