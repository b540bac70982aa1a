"""raw_score of pairs under a bundle: late interaction, and what reference occupations add to it.

    raw_score = (late interaction + a * likeness of profiles - b * the job's level - c * the resume's level)
                / (1 + a + b + c)

`scoring.py` has late interaction, `occupations.py` the rest with a, b and c; without occupations the score is
late interaction alone. All is in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from service.core.occupations import Occupations, Profile
from service.core.pair_scoring import all_raw_scores
from service.core.scoring import SCORE_DECIMALS, MatchPolicy, late_interaction, without_each
from service.core.vectors import Floats, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class PreparedJob:
    """A job's vectors: `passages` (J, D), `title` (D,) or None, `shares` (J,) as in `passage_weights`.

    `profile`: among the bundle's occupations, if it has any.
    """

    passages: Vectors = field(repr=False)
    title: Vectors | None = field(repr=False)
    shares: Floats | None = field(repr=False)
    profile: Profile | None = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedResume:
    """A resume's vectors, `passages` (R, D), and its profile among the bundle's occupations, if any."""

    passages: Vectors = field(repr=False)
    profile: Profile | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """What a raw_score is the sum of, but for rounding; each in units of raw_score."""

    late_interaction: float
    occupations: float
    posting_level: float
    resume_level: float


class Scorer:
    """Scores under one policy. `occupations`: those of the bundle; the policy says whether they count.

    Raises `ValueError` if the policy asks for occupations and there are none. Equal vectors give equal
    scores, bit for bit, whatever they are scored with.
    """

    def __init__(self, policy: MatchPolicy, occupations: Occupations | None = None) -> None:
        if policy.occupations is not None and occupations is None:
            raise ValueError("the matching policy has occupations, but there are no vectors of them")
        self._policy = policy
        self._occupations = occupations

    def job(
        self, passages: Vectors, title: Vectors | None = None, shares: Floats | None = None
    ) -> PreparedJob:
        """A job to score; its profile is made here, once."""
        if not self._policy.boilerplate:
            shares = None
        profile = None
        if self._occupations is not None and self._policy.occupations is not None:
            profile = self._occupations.of_job(passages, title, shares, self._policy.occupations)
        return PreparedJob(passages, title, shares, profile)

    def resume(self, passages: Vectors) -> PreparedResume:
        """A resume to score; its profile is made here, once."""
        profile = None
        if self._occupations is not None and self._policy.occupations is not None:
            profile = self._occupations.of_resume(passages, self._policy.occupations)
        return PreparedResume(passages, profile)

    def score(self, job: PreparedJob, resume: PreparedResume) -> float:
        """raw_score of a pair, in [-1, 1], rounded to `SCORE_DECIMALS`."""
        similarity = late_interaction(job.passages, resume.passages, job.title, self._policy, job.shares)
        return self._with_occupations(similarity, job.profile, resume.profile)

    def scores(self, jobs: Sequence[PreparedJob], resumes: Sequence[PreparedResume]) -> Floats:
        """`score` of every job and resume, (jobs, resumes)."""
        scores = all_raw_scores(
            [(job.passages, job.title) for job in jobs],
            [resume.passages for resume in resumes],
            self._policy,
            [job.shares for job in jobs],
        )
        if self._policy.occupations is None:
            return scores
        for j, job in enumerate(jobs):
            for r, resume in enumerate(resumes):
                scores[j, r] = self._with_occupations(float(scores[j, r]), job.profile, resume.profile)
        return scores

    def without_each(self, job: PreparedJob, resume: PreparedResume) -> list[float]:
        """`score` without each of the resume's passages, in their order; there are two or more."""
        scores = without_each(job.passages, resume.passages, job.title, self._policy, job.shares)
        if self._occupations is None or self._policy.occupations is None:
            return scores
        profiles = self._occupations.without_each(resume.passages, self._policy.occupations)
        return [
            self._with_occupations(score, job.profile, profile)
            for score, profile in zip(scores, profiles, strict=True)
        ]

    def parts(self, job: PreparedJob, resume: PreparedResume) -> ScoreParts:
        """What the score of a pair is made of."""
        similarity = late_interaction(job.passages, resume.passages, job.title, self._policy, job.shares)
        policy = self._policy.occupations
        if policy is None or job.profile is None or resume.profile is None:
            return ScoreParts(similarity, 0.0, 0.0, 0.0)
        parts = (
            similarity,
            policy.weight * job.profile.likeness(resume.profile),
            -policy.level_weight * job.profile.level,
            -policy.resume_level_weight * resume.profile.level,
        )
        return ScoreParts(*(round(part / policy.whole, SCORE_DECIMALS) for part in parts))

    def _with_occupations(self, similarity: float, job: Profile | None, resume: Profile | None) -> float:
        policy = self._policy.occupations
        if policy is None or job is None or resume is None:
            return similarity
        levels = policy.level_weight * job.level + policy.resume_level_weight * resume.level
        score = (similarity + policy.weight * job.likeness(resume) - levels) / policy.whole
        return round(min(max(score, -1.0), 1.0), SCORE_DECIMALS)
