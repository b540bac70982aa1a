"""Passage vectors -> late interaction -> raw_score.

    e(j, r) = exp(T * cos(job passage j, resume passage r))
    w_j   ~ share of j's words that are about the work, times exp(f * cos(job title, job passage j)); sum 1
    body  = (1/T) ln of sum_j w_j e(j, r), its mean over the m resume passages where it is largest
    title = mean of the k largest cos(job title, resume passage r)
    raw_score = (1 - w) * body + w * title            (body alone without a title)

T, f, w, k and the share that m is of all resume passages come from the bundle's `MatchPolicy`. The
log-mean-exp lies between the mean (T -> 0) and the maximum (T -> infinity) of the cosines and is
differentiable, so training can go through it. With a share below 1, what says least about the job (a
line with a name and an address, say) has no part in the score at all.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from service.core.occupations import OccupationPolicy
from service.core.vectors import Floats, Vectors

_BLOCK = 2**22
"""Cosines held at once; a long job and a long resume, of a line for each word, have a billion."""

SCORE_DECIMALS = 6
"""Scores are rounded before anything is decided on them, far above the engine's noise of 1e-7."""


class MatchPolicy(BaseModel):
    """Late interaction (`late_interaction` has the formula)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: FiniteFloat = Field(
        default=12.0, gt=0, le=1000, description="T of the smooth maximum: higher is nearer to the maximum."
    )
    title_weight: FiniteFloat = Field(
        default=0.4, ge=0, le=1, description="w: the title's share of the score."
    )
    title_passages: int = Field(
        default=2, ge=1, le=50, description="k: the resume's passages that the title is set against."
    )
    resume_share: FiniteFloat = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Of a resume's passages, those that count for the body, rounded up.",
    )
    title_focus: FiniteFloat = Field(
        default=0.0,
        ge=0,
        le=50,
        description="f: how much more a job's passage weighs the nearer it is to the title; 0: all the same.",
    )
    boilerplate: bool = Field(
        default=False,
        description="Tell a posting's boilerplate (about us, benefits, how to apply) from the work: it "
        "weighs nothing.",
    )
    occupations: OccupationPolicy | None = Field(
        default=None, description="What reference occupations add to late interaction; null: nothing."
    )

    def counted(self, passages: int) -> int:
        """How many of a resume's passages count for the body, at least 1."""
        return math.ceil(self.resume_share * passages)


def passage_weights(
    job: Vectors, title: Vectors | None, shares: Floats | None, policy: MatchPolicy
) -> Floats | None:
    """W of the job's passages, (J,), sum 1; None where all weigh the same.

    `shares`: of each passage's words, those that are about the work, (J,) in [0, 1]; None: all. Where all
    are 0, they are left out of account.
    """
    if shares is not None and (not shares.sum() > 0 or bool((shares == shares[0]).all())):
        shares = None
    focused = title is not None and policy.title_focus > 0
    if shares is None and not focused:
        return None
    weights = np.ones(len(job)) if shares is None else shares.astype(np.float64)
    if title is not None and focused:
        nearness = (job @ title).astype(np.float64)
        weights = weights * np.exp(policy.title_focus * (nearness - nearness.max()))
    summed = float(weights.sum())
    # A far passage may be all that is about the work, and exp of it nothing beside that of the rest.
    return weights / summed if summed > 0 else None


def late_interaction(
    job: Vectors,
    resume: Vectors,
    title: Vectors | None,
    policy: MatchPolicy,
    shares: Floats | None = None,
) -> float:
    """The score of a job and a resume, in [-1, 1], rounded to `SCORE_DECIMALS`; without occupations.

    Args:
        job: unit vectors of the job's passages, (J, D) with J >= 1.
        resume: unit vectors of the resume's passages, (R, D) with R >= 1.
        title: unit vector of the job title, (D,), or None if the job has no title.
        policy: temperature, weights and shares.
        shares: as in `passage_weights`.
    """
    t = policy.temperature
    peak, summed = _sums(job, resume, t, passage_weights(job, title, shares, policy))
    counted = policy.counted(len(resume))
    best_sums = summed if counted == len(resume) else np.sort(summed)[len(resume) - counted :]
    body = peak + float(np.log(best_sums.sum() / (len(job) * counted))) / t
    if title is None:
        return round(body, SCORE_DECIMALS)
    best = np.sort(resume @ title)[::-1][: policy.title_passages]  # (min(k, R),)
    title_score = float(np.mean(best, dtype=np.float64))
    score = (1.0 - policy.title_weight) * body + policy.title_weight * title_score
    return round(score, SCORE_DECIMALS)


def without_each(
    job: Vectors,
    resume: Vectors,
    title: Vectors | None,
    policy: MatchPolicy,
    shares: Floats | None = None,
) -> list[float]:
    """`late_interaction` without each of the resume's passages, in their order; R >= 2, the rest as there.

    Costs about as much as one score, not R of them: a resume may have thousands of passages.
    """
    t = policy.temperature
    peak, summed = _sums(job, resume, t, passage_weights(job, title, shares, policy))
    counted = policy.counted(len(resume) - 1)
    sums = _best_without_each(summed, counted)  # (R,)
    scores = peak + np.log(np.maximum(sums, np.finfo(np.float64).tiny) / (len(job) * counted)) / t
    if title is not None:
        best = min(policy.title_passages, len(resume) - 1)
        titles = _best_without_each((resume @ title).astype(np.float64), best) / best
        scores = (1.0 - policy.title_weight) * scores + policy.title_weight * titles
    rounded = [round(float(score), SCORE_DECIMALS) for score in scores]
    for i in np.flatnonzero(sums == 0.0):  # all but this one vanish beside it at a very high temperature
        rounded[i] = late_interaction(job, np.delete(resume, i, axis=0), title, policy, shares)
    return rounded


def _sums(
    job: Vectors, resume: Vectors, t: float, weights: Floats | None
) -> tuple[float, NDArray[np.float64]]:
    """The largest cosine, and of each resume passage the sum of exp(t * (cosine - largest)) over the job.

    Each job passage counts by J times its weight, if there are weights.
    """
    peak = -math.inf
    summed = np.zeros(len(resume))
    rows = max(1, _BLOCK // len(resume))
    for start in range(0, len(job), rows):
        cosines = job[start : start + rows] @ resume.T  # (rows, R)
        # Subtracting the maximum first keeps exp in range for any temperature.
        highest = max(peak, float(cosines.max()))
        summed *= math.exp(t * (peak - highest))
        peak = highest
        terms = np.exp(t * (cosines.astype(np.float64) - peak))
        if weights is not None:
            terms *= len(job) * weights[start : start + rows, None]
        summed += terms.sum(axis=0)
    return peak, summed


def _best_without_each(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The sum of the `count` largest of the others, for each of the values; count < len(values)."""
    order = np.argsort(values)[::-1]
    largest = values[order[: count + 1]]
    # Added up from both ends: a difference of sums would lose small ones beside a large one.
    before = np.concatenate(([0.0], np.cumsum(largest)[:-1]))
    after = np.concatenate((np.cumsum(largest[::-1])[::-1][1:], [0.0]))
    sums = np.full(len(values), largest[:count].sum())
    sums[order[: count + 1]] = before + after
    return sums
