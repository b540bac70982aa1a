"""Which sentences carry a match: the score without each passage of the resume, by occlusion.

    contribution(r) = raw_score(all passages) - raw_score(all but r)

A positive contribution raised the score, a negative one lowered it. Passages are encoded alone, so
leaving one out needs no further inference: an explanation of R passages costs about as much as a score.
Contributions do not add up to the score, since late interaction is not linear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.core.matching import Matcher, TokenizedJob, TokenizedResume
from service.core.scoring import SCORE_DECIMALS, Vectors


@dataclass(frozen=True, slots=True)
class PassageContribution:
    """`contribution` in raw_score units. `text` is what the model read: redacted spans are tokens in it.

    `job_passage` is the index of the job's passage that is nearest to this one, `similarity` their
    cosine in [-1, 1]. `contribution` is None for the only passage of a resume: without it nothing is left.
    """

    index: int
    text: str
    contribution: float | None
    job_passage: int
    similarity: float


def explain(
    matcher: Matcher,
    job: TokenizedJob,
    job_vectors: Vectors,
    resume: TokenizedResume,
    resume_vectors: Vectors,
) -> list[PassageContribution]:
    """Contributions of the resume's passages, in their order. Shapes as in `Matcher.match`."""
    whole = matcher.raw_score(job, job_vectors, resume_vectors)
    bodies = job_vectors if job.title is None else job_vectors[1:]
    without: list[float] = []
    if len(resume.passages) > 1:
        without = matcher.scores_without_each(job, job_vectors, resume_vectors)
    explained = []
    for i, passage in enumerate(resume.passages):
        contribution = round(whole - without[i], SCORE_DECIMALS) if without else None
        cosines = bodies @ resume_vectors[i]  # (J,)
        nearest = int(np.argmax(cosines))
        similarity = round(float(cosines[nearest]), SCORE_DECIMALS)
        explained.append(PassageContribution(i, passage.text, contribution, nearest, similarity))
    return explained
