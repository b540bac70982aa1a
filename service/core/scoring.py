"""Passage vectors -> late interaction -> raw_score.

    e(j, r) = exp(T * cos(job passage j, resume passage r))
    body  = (1/T) ln mean of e(j, r) over all j and the m resume passages with the largest sum_j e(j, r)
    title = mean of the k largest cos(job title, resume passage r)
    raw_score = (1 - w) * body + w * title            (body alone without a title)

T, w, k and the share that m is of all resume passages come from the bundle's `MatchPolicy`. The
log-mean-exp lies between the mean (T -> 0) and the maximum (T -> infinity) of the cosines and is
differentiable, so training can go through it. With a share below 1, what says least about the job (a
line with a name and an address, say) has no part in the score at all.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

Vectors = NDArray[np.float32]

SCORE_DECIMALS = 6
"""Scores are rounded before anything is decided on them, far above the engine's noise of 1e-7."""


class MatchPolicy(BaseModel):
    """Late interaction: `temperature` T, `title_weight` w in [0, 1], `title_passages` k.

    `resume_share` in (0, 1]: of a resume's passages, those that count for the body, rounded up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: FiniteFloat = Field(default=12.0, gt=0, le=1000)
    title_weight: FiniteFloat = Field(default=0.4, ge=0, le=1)
    title_passages: int = Field(default=2, ge=1, le=50)
    resume_share: FiniteFloat = Field(default=1.0, gt=0, le=1)

    def counted(self, passages: int) -> int:
        """How many of a resume's passages count for the body, at least 1."""
        return math.ceil(self.resume_share * passages)


def late_interaction(job: Vectors, resume: Vectors, title: Vectors | None, policy: MatchPolicy) -> float:
    """raw_score of a job and a resume, in [-1, 1], rounded to `SCORE_DECIMALS`.

    Args:
        job: unit vectors of the job's passages, (J, D) with J >= 1.
        resume: unit vectors of the resume's passages, (R, D) with R >= 1.
        title: unit vector of the job title, (D,), or None if the job has no title.
        policy: temperature and weight of the title.
    """
    cosines = job @ resume.T  # (J, R)
    peak = float(cosines.max())
    t = policy.temperature
    # Subtracting the maximum first keeps exp in range for any temperature.
    summed = np.exp(t * (cosines.astype(np.float64) - peak)).sum(axis=0)  # (R,)
    counted = policy.counted(len(resume))
    best_sums = summed if counted == len(resume) else np.sort(summed)[len(resume) - counted :]
    body = peak + float(np.log(best_sums.sum() / (len(job) * counted))) / t
    if title is None:
        return round(body, SCORE_DECIMALS)
    best = np.sort(resume @ title)[::-1][: policy.title_passages]  # (min(k, R),)
    title_score = float(np.mean(best, dtype=np.float64))
    score = (1.0 - policy.title_weight) * body + policy.title_weight * title_score
    return round(score, SCORE_DECIMALS)
