"""Late interaction of many jobs with many resumes at once, differentiable: `core/scoring.py` in torch.

The formula is that of `late_interaction`, without its rounding; a test holds the two together. Boilerplate
and occupations have no part in it: they act on what is trained, in the bundle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from service.core.scoring import MatchPolicy


@dataclass(frozen=True, slots=True)
class Passages:
    """The passages of N documents as rows of one matrix of vectors.

    `rows` (M,): row of each passage; `owner` (M,): its document, ascending; `count` (N,): passages of each,
    1 or more.
    """

    rows: Tensor
    owner: Tensor
    count: Tensor

    @staticmethod
    def of(documents: Sequence[Sequence[int]]) -> Passages:
        """`documents`: the row numbers of each document's passages. Raises `ValueError` if one has none."""
        if not all(documents):
            raise ValueError("every document needs at least one passage")
        count = torch.tensor([len(rows) for rows in documents], dtype=torch.long)
        return Passages(
            rows=torch.tensor([row for rows in documents for row in rows], dtype=torch.long),
            owner=torch.repeat_interleave(torch.arange(len(documents)), count),
            count=count,
        )

    def __len__(self) -> int:
        return len(self.count)

    def to(self, device: torch.device | str, **options: Any) -> Passages:
        """The same on another device; accelerate moves batches by this method."""
        return Passages(
            self.rows.to(device, **options),
            self.owner.to(device, **options),
            self.count.to(device, **options),
        )


def raw_scores(
    vectors: Tensor, jobs: Passages, titles: Tensor, resumes: Passages, policy: MatchPolicy
) -> Tensor:
    """raw_score of every job with every resume, (J, R), each in [-1, 1], in f32 under mixed precision too.

    In bf16 a score is off by some 0.005, which is as much as a name moves it.

    Args:
        vectors: unit vectors of all passages and titles, (P, D).
        jobs: the passages of J jobs.
        titles: row of each job's title, (J,); -1 for a job without one.
        resumes: the passages of R resumes.
        policy: temperature and weight of the title.
    """
    with torch.autocast(vectors.device.type, enabled=False):
        return _raw_scores(vectors.float(), jobs, titles, resumes, policy)


def _raw_scores(
    vectors: Tensor, jobs: Passages, titles: Tensor, resumes: Passages, policy: MatchPolicy
) -> Tensor:
    of_resumes = vectors[resumes.rows]  # (M, D)
    cosines = vectors[jobs.rows] @ of_resumes.T  # (job passages, M)
    # Cosines are at most 1, so exp(T (cos - 1)) never overflows; the 1 is added back below.
    similarity = torch.exp(policy.temperature * (cosines - 1.0))
    titled = titles >= 0
    if policy.title_focus > 0 and bool(titled.any()):
        similarity = similarity * _focus(vectors, jobs, titles, policy)[:, None]
    summed = similarity.new_zeros(len(jobs), similarity.shape[1]).index_add(0, jobs.owner, similarity)
    counted = torch.tensor([policy.counted(int(n)) for n in resumes.count], device=vectors.device)
    best = _mean_of_largest(summed, resumes, counted)  # (J, R)
    body = torch.log(best / jobs.count[:, None]) / policy.temperature + 1.0
    if not bool(titled.any()):
        return body
    of_titles = vectors[titles.clamp(min=0)] @ of_resumes.T  # (J, M)
    title = _mean_of_largest(of_titles, resumes, resumes.count.clamp(max=policy.title_passages))  # (J, R)
    weighted = (1.0 - policy.title_weight) * body + policy.title_weight * title
    return torch.where(titled[:, None], weighted, body)


def _focus(vectors: Tensor, jobs: Passages, titles: Tensor, policy: MatchPolicy) -> Tensor:
    """J times `passage_weights` of each job passage, by its title: (job passages,), mean 1 in each job."""
    owner_title = titles[jobs.owner]
    nearness = (vectors[jobs.rows] * vectors[owner_title.clamp(min=0)]).sum(-1)
    exponent = policy.title_focus * torch.where(owner_title >= 0, nearness, 0.0)
    highest = exponent.new_full((len(jobs),), -torch.inf).scatter_reduce(0, jobs.owner, exponent, "amax")
    weights = torch.exp(exponent - highest[jobs.owner])
    of_job = weights.new_zeros(len(jobs)).index_add(0, jobs.owner, weights)
    return weights * (jobs.count / of_job)[jobs.owner]


def mean_vectors(vectors: Tensor, documents: Passages) -> Tensor:
    """The mean of each document's passage vectors, made a unit vector again: (N, D)."""
    summed = vectors.new_zeros(len(documents), vectors.shape[1])
    summed = summed.index_add(0, documents.owner, vectors[documents.rows])
    return torch.nn.functional.normalize(summed, dim=-1)


def _mean_of_largest(values: Tensor, documents: Passages, k: Tensor) -> Tensor:
    """Values (J, M) by passage -> mean of the k (N,) largest of each document, (J, N)."""
    width = int(documents.count.max())
    start = torch.cumsum(documents.count, 0) - documents.count
    column = torch.arange(len(documents.rows), device=values.device) - start[documents.owner]
    # Documents differ in their number of passages: pad with -inf, which is never among the largest kept.
    table = values.new_full((values.shape[0], len(documents), width), -torch.inf)
    table[:, documents.owner, column] = values
    most = int(k.max())
    largest = table.topk(most, dim=-1).values  # (J, N, most)
    kept = torch.arange(most, device=values.device) < k[:, None]  # (N, most)
    return torch.where(kept, largest, 0.0).sum(-1) / k
