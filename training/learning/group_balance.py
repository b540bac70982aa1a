"""Draws in which each group of an attribute has about as many resumes in every batch.

The parity losses compare groups within a batch: where one group is rare, most batches have too little of it
to compare. Everything is a function of seed and epoch.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from training.learning.draws import by_label, labelled_pairs
from training.learning.tokenized import TokenizedPairs

Group = str | None
"""None: nobody knows."""

Item = tuple[int, list[int]]


class _Ordered:
    """Items in an order that is made anew for each epoch; `batch` consecutive ones belong together.

    The last batch is filled up with items of the epoch's begin.
    """

    in_order = True

    def __init__(self, pairs: TokenizedPairs, *, attribute: str, batch: int, seed: int) -> None:
        self._batch = batch
        self._seed = seed
        self._epoch = 0
        self._groups: list[Group] = [resume.groups.get(attribute) for resume in pairs.resumes]
        self._split = {job: by_label(pairs, job) for job in sorted(pairs.by_job)}
        self._items: list[Item] | None = None
        self.labelled = labelled_pairs(self._split)

    def __len__(self) -> int:
        return -(-self.distinct // self._batch) * self._batch

    @property
    def distinct(self) -> int:
        """Items of an epoch, but those that only fill up the last batch."""
        return len(self._of_epoch())

    def set_epoch(self, epoch: int) -> None:
        """Called before the items of an epoch are asked for."""
        if epoch != self._epoch:
            self._epoch, self._items = epoch, None

    def item(self, index: int, rng: random.Random) -> Item:
        """A job, and resumes that are labelled for it: a match first, where there is one."""
        job, resumes = self._of_epoch()[index % self.distinct]
        return job, list(resumes)

    def _of_epoch(self) -> list[Item]:
        if self._items is None:
            self._items = self._made(self._epoch)
        return self._items

    def _made(self, epoch: int) -> list[Item]:
        raise NotImplementedError

    def _rng(self, epoch: int, of: str) -> random.Random:
        return random.Random(f"{self._seed}:{epoch}:balance of {of}")


class EveryPairBalanced(_Ordered):
    """Every labelled pair at least once an epoch; of the smaller groups pairs come again, in other items.

    An item's resumes are all of one group: of a job a match, if there is one left, and up to `negatives`
    labelled non-matches. Items of a smaller group are repeated until it has about as many resumes in an epoch
    as the largest, but none more than `repeats` times. Resumes without a group are neither repeated nor
    balanced: they are spread evenly.
    """

    def __init__(
        self, pairs: TokenizedPairs, negatives: int, *, attribute: str, repeats: int, batch: int, seed: int
    ) -> None:
        super().__init__(pairs, attribute=attribute, batch=batch, seed=seed)
        self._negatives = negatives
        self._of_job: dict[Group, dict[int, tuple[list[int], list[int]]]] = {}
        for job, (matches, others) in self._split.items():
            for label, resumes in ((0, matches), (1, others if negatives else [])):
                for resume in resumes:
                    jobs = self._of_job.setdefault(self._groups[resume], {})
                    jobs.setdefault(job, ([], []))[label].append(resume)
        resumes_of = {
            group: sum(len(of) for split in jobs.values() for of in split)
            for group, jobs in self._of_job.items()
        }
        largest = max((n for group, n in resumes_of.items() if group is not None), default=0)
        self._passes = {
            group: 1.0 if group is None else min(float(repeats), largest / n)
            for group, n in resumes_of.items()
        }
        """By group, how often an epoch passes over it: whole times, and a part of its items."""
        self.drawn = sum(resumes_of.values())

    def times(self) -> Mapping[tuple[int, int], float]:
        """By pair (job, resume), how often an epoch draws it, on average."""
        return {
            (job, resume): self._passes[group]
            for group, jobs in self._of_job.items()
            for job, split in jobs.items()
            for resumes in split
            for resume in resumes
        }

    def _made(self, epoch: int) -> list[Item]:
        sequences = []
        # None last: sorted by name, for the order must be the same in every process.
        for group in sorted(self._of_job, key=lambda of: (of is None, of or "")):
            items: list[Item] = []
            once = len(self._pass(group, epoch, 0))
            wanted = round(self._passes[group] * once)
            for number in range(-(-wanted // once)):
                items += self._pass(group, epoch, number)[: wanted - len(items)]
            sequences.append(items)
        return spread(sequences)

    def _pass(self, group: Group, epoch: int, number: int) -> list[Item]:
        """Each labelled pair of the group once; items with and without a match evenly mixed."""
        rng = self._rng(epoch, f"{group}, pass {number}")
        with_match: list[Item] = []
        without: list[Item] = []
        for job, split in self._of_job[group].items():
            matches, others = (rng.sample(of, len(of)) for of in split)
            items = max(len(matches), -(-len(others) // self._negatives) if self._negatives else 0)
            for i in range(items):
                first, end = len(others) * i // items, len(others) * (i + 1) // items
                item = (job, matches[i : i + 1] + others[first:end])
                (with_match if i < len(matches) else without).append(item)
        rng.shuffle(with_match)
        rng.shuffle(without)
        return spread([with_match, without])


class OneMatchAJobBalanced(_Ordered):
    """One item a job and epoch, as `OneMatchAJob` has it: which match and which non-matches, groups decide.

    Among a job's candidates the group is taken that the epoch has drawn least; jobs that have no choice come
    first. Nothing is repeated, so that groups are as even as the jobs' candidates allow. Resumes without a
    group keep their share.
    """

    def __init__(
        self, pairs: TokenizedPairs, negatives: int, *, attribute: str, batch: int, seed: int
    ) -> None:
        super().__init__(pairs, attribute=attribute, batch=batch, seed=seed)
        self._negatives = negatives
        self._jobs = [
            job for job, (matches, others) in self._split.items() if matches or (negatives and others)
        ]
        self.drawn = sum(len(resumes) for _, resumes in self._of_epoch())

    def times(self) -> Mapping[tuple[int, int], float]:
        """By pair (job, resume), how often the first epoch draws it, which stands for all."""
        return {(job, resume): 1.0 for job, resumes in self._made(0) for resume in resumes}

    def _made(self, epoch: int) -> list[Item]:
        rng = self._rng(epoch, "jobs")
        jobs = rng.sample(self._jobs, len(self._jobs))
        # Stable: among jobs with as much choice the order stays random.
        jobs.sort(key=lambda job: len({self._groups[resume] for resume in self._split[job][0]}))
        drawn: dict[Group, int] = {}
        matches = {job: self._chosen(self._split[job][0], 1, drawn, rng) for job in jobs}
        by_group: dict[Group, list[int]] = {}
        for job in rng.sample(jobs, len(jobs)):
            first = next(iter(matches[job]), None)
            by_group.setdefault(None if first is None else self._groups[first], []).append(job)
        order = sorted(by_group, key=lambda of: (of is None, of or ""))
        items: list[Item] = []
        drawn = {}
        for job, _ in spread([[(job, [job]) for job in by_group[group]] for group in order]):
            others = self._chosen(self._split[job][1], self._negatives, drawn, rng)
            items.append((job, matches[job] + others))
        return items

    def _chosen(
        self, resumes: Sequence[int], count: int, drawn: dict[Group, int], rng: random.Random
    ) -> list[int]:
        """Up to `count` of the resumes, each of the group that was drawn least so far; `drawn` is kept up."""
        left: dict[Group, list[int]] = {}
        for resume in rng.sample(list(resumes), len(resumes)):
            left.setdefault(self._groups[resume], []).append(resume)
        found: list[int] = []
        while left and len(found) < count:
            unknown = len(left.get(None, ()))
            group: Group = None
            if rng.random() * sum(map(len, left.values())) >= unknown:
                group = min((of for of in left if of is not None), key=lambda of: (drawn.get(of, 0), of))
            found.append(left[group].pop())
            drawn[group] = drawn.get(group, 0) + 1
            if not left[group]:
                del left[group]
        return found


def spread(sequences: Sequence[Sequence[Item]]) -> list[Item]:
    """The sequences merged, each in its own order and spread evenly over the whole, by numbers of resumes.

    In a stretch of the result in which one sequence has a share of its resumes, every other has that share of
    its own, to within about an item.
    """
    placed = []
    for number, items in enumerate(sequences):
        total = sum(len(resumes) for _, resumes in items)
        before = 0
        for _, resumes in items:
            placed.append(((before + len(resumes) / 2) / total, number))
            before += len(resumes)
    placed.sort()
    rest = [iter(items) for items in sequences]
    return [next(rest[number]) for _, number in placed]
