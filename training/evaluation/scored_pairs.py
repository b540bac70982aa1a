"""Scores, labels and groups of many resume-job pairs: what calibration and evaluation work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.core.calibration import Calibration
from service.core.errors import InputError

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Flags = NDArray[np.bool_]
PairGroups = Mapping[str, Sequence[str | None]]


class ScoredPairsError(InputError):
    """Arrays of different lengths, scores that are no numbers, or labels other than 0 and 1."""

    code = "unusable_pairs"
    title = "Unusable pairs"


@dataclass(frozen=True)
class ScoredPairs:
    """N pairs. All arrays have length N and the same order.

    Attributes:
        raw_scores: raw_score of each pair, in [-1, 1].
        labels: 1 for a match, 0 for none.
        jobs: id of the pair's job. Pairs of one job are resampled together.
        resumes: id of the pair's resume.
        titled: whether the job has a title; the two kinds have calibration curves of their own.
        groups: for each attribute the resume's group, None where it is not known.
        true_labels: labels before a known bias was put into them, where there was one.

    Raises `ScoredPairsError` if lengths differ, a score is not finite or a label is neither 0 nor 1.
    """

    raw_scores: Floats
    labels: Labels
    jobs: Sequence[str]
    resumes: Sequence[str]
    titled: Flags
    groups: PairGroups = field(default_factory=dict)
    true_labels: Labels | None = None

    def __post_init__(self) -> None:
        columns: dict[str, Any] = {
            "labels": self.labels,
            "jobs": self.jobs,
            "resumes": self.resumes,
            "titled": self.titled,
            **{f"groups.{attribute}": of for attribute, of in self.groups.items()},
        }
        if self.true_labels is not None:
            columns["true_labels"] = self.true_labels
        for name, column in columns.items():
            if len(column) != len(self):
                raise ScoredPairsError(
                    f"{name} has {len(column):,} rows; raw_scores has {len(self):,}",
                    field=name,
                    limit=len(self),
                    actual=len(column),
                )
        if not np.isfinite(self.raw_scores).all():
            row = int(np.argmin(np.isfinite(self.raw_scores)))
            raise ScoredPairsError(f"raw_scores[{row}] is not a finite number", field=f"raw_scores[{row}]")
        for name in ("labels", "true_labels"):
            values = columns.get(name)
            if values is not None and not np.isin(values, (0, 1)).all():
                row = int(np.argmin(np.isin(values, (0, 1))))
                raise ScoredPairsError(f"{name}[{row}] is neither 0 nor 1", field=f"{name}[{row}]")

    def __len__(self) -> int:
        return len(self.raw_scores)

    @cached_property
    def job_index(self) -> NDArray[np.int64]:
        """(N,): number of each pair's job, jobs in sorted order of their ids."""
        _, index = np.unique(np.asarray(self.jobs, dtype=np.str_), return_inverse=True)
        return index.astype(np.int64)

    @cached_property
    def job_rows(self) -> list[NDArray[np.int64]]:
        """The rows of each job, in the order of `job_index`."""
        order = np.argsort(self.job_index, kind="stable")
        ends = np.searchsorted(self.job_index[order], np.arange(self.jobs_count + 1))
        return [order[start:end] for start, end in pairwise(ends)]

    @property
    def jobs_count(self) -> int:
        return int(self.job_index.max()) + 1 if len(self) else 0

    def group_names(self, attribute: str) -> list[str]:
        """The known groups of an attribute, sorted."""
        return sorted({group for group in self.groups[attribute] if group is not None})

    def members(self, attribute: str, group: str) -> Flags:
        """(N,): whether the pair's resume is of that group."""
        return np.array([g == group for g in self.groups[attribute]], dtype=np.bool_)

    def take(self, rows: NDArray[Any]) -> ScoredPairs:
        """The pairs at `rows` (indices or a mask), in that order."""
        index = np.arange(len(self))[rows]
        return ScoredPairs(
            raw_scores=self.raw_scores[index],
            labels=self.labels[index],
            jobs=[self.jobs[i] for i in index],
            resumes=[self.resumes[i] for i in index],
            titled=self.titled[index],
            groups={name: [of[i] for i in index] for name, of in self.groups.items()},
            true_labels=None if self.true_labels is None else self.true_labels[index],
        )

    def with_intersections(self, crossings: Sequence[tuple[str, str]]) -> ScoredPairs:
        """The same pairs with an attribute `a_b` of groups `x:y` for each crossing of known attributes."""
        groups = dict(self.groups)
        for a, b in crossings:
            if a in self.groups and b in self.groups:
                groups[f"{a}_{b}"] = [
                    None if x is None or y is None else f"{x}:{y}"
                    for x, y in zip(self.groups[a], self.groups[b], strict=True)
                ]
        return replace(self, groups=groups)

    def probabilities(self, calibration: Calibration) -> Floats:
        """calibrated_probability of each pair, (N,), exactly as the service computes it."""
        return np.array(
            [
                calibration.probability(float(score), titled=bool(titled))
                for score, titled in zip(self.raw_scores, self.titled, strict=True)
            ],
            dtype=np.float64,
        )


def concatenated(parts: Sequence[ScoredPairs]) -> ScoredPairs:
    """All pairs of `parts` in their order; a group that a part does not know of is None there."""
    attributes = dict.fromkeys(name for part in parts for name in part.groups)
    true_labels = [part.true_labels for part in parts if part.true_labels is not None]
    return ScoredPairs(
        raw_scores=np.concatenate([part.raw_scores for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        jobs=[job for part in parts for job in part.jobs],
        resumes=[resume for part in parts for resume in part.resumes],
        titled=np.concatenate([part.titled for part in parts]),
        groups={
            name: [group for part in parts for group in part.groups.get(name, [None] * len(part))]
            for name in attributes
        },
        true_labels=np.concatenate(true_labels) if len(true_labels) == len(parts) else None,
    )
