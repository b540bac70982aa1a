"""What `cohort.json` says of a cohort: of what its vectors are, how scores are normalised, its warnings."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat

from service.core.cohort import CohortPolicy, References
from service.core.manifest import Sha256
from service.core.passages import PassagePolicy
from service.core.redaction.policy import Category
from service.core.scoring import MatchPolicy

FORMAT_VERSION: Literal[1] = 1

CohortWarning = Literal["too_small", "one_occupation"]
SourceKind = Literal["documents", "table", "traffic"]

AS_SERVED = "as served"
"""Engine and precision of vectors that live requests left."""

ONE_OCCUPATION = 0.6
"""Mean correlation of two reference postings' scores over the reference resumes, from which all postings rank
the pool alike: they are of one occupation, or the resumes are. Real postings of one occupation over a mixed
pool have 0.67 to 0.89, postings of many occupations 0.36 to 0.41 (docs/cohorts.md)."""

_MOST_TEXTS = 100_000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CohortBundle(_Part):
    """The bundle that made the vectors."""

    name: str = Field(max_length=64)
    version: str = Field(max_length=64)
    digest: Sha256


class CohortRedaction(_Part):
    """What was hidden in resumes. `entities`: the model that looked for names beside the rules, if any."""

    version: int
    categories: tuple[Category, ...]
    entities: str | None = Field(default=None, max_length=1_024)


class CountedTexts(_Part):
    """Where the texts of one kind come from. `used`: in the cohort; the others are why not all of them are.

    `duplicates`: as another or nearly so. `unreadable`: no text, or too long. `not_drawn`: beyond the most
    that were asked for. `little`: postings that say too little to be judged by.
    """

    used: int = Field(ge=0, le=_MOST_TEXTS)
    passages: int = Field(ge=0)
    given: int = Field(ge=0)
    duplicates: int = Field(default=0, ge=0)
    unreadable: int = Field(default=0, ge=0)
    little: int = Field(default=0, ge=0)
    not_drawn: int = Field(default=0, ge=0)
    sources: dict[SourceKind, int] = Field(max_length=3)


class CohortManifest(_Part):
    """`cohort.json`."""

    format_version: Literal[1] = FORMAT_VERSION
    created: AwareDatetime
    expires: AwareDatetime | None = None
    bundle: CohortBundle
    base_model_sha256: Sha256
    dimensions: int = Field(ge=1, le=65_536)
    engine: str = Field(max_length=64)
    precision: str = Field(max_length=64)
    redaction: CohortRedaction
    passages: PassagePolicy
    matching: MatchPolicy
    policy: CohortPolicy
    seed: int = Field(ge=0)
    resumes: CountedTexts
    postings: CountedTexts
    titled_postings: int = Field(ge=0)
    agreement: FiniteFloat | None = Field(
        description="Mean correlation of two postings' scores over the resumes; null if there are too few."
    )
    warnings: tuple[CohortWarning, ...] = ()
    constant: FiniteFloat = Field(description="What is added to every normalised score.")
    vectors_sha256: Sha256


def agreement_of(scores: NDArray[np.float64]) -> float | None:
    """Mean Pearson correlation of two postings' raw scores over the resumes, in [-1, 1]; scores (P, R).

    High if all postings rank the resumes alike. None with fewer than two postings or three resumes, or
    without any spread.
    """
    if scores.shape[0] < 2 or scores.shape[1] < 3:
        return None
    centred = scores - scores.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1)
    unit = centred[lengths > 0] / lengths[lengths > 0, None]
    n = len(unit)
    if n < 2:
        return None
    total = float(np.square(unit.sum(axis=0)).sum())  # of all pairs, each with itself among them
    return round((total - n) / (n * (n - 1)), 4)


def warnings_of(
    references: References, policy: CohortPolicy, agreement: float | None
) -> tuple[CohortWarning, ...]:
    """What is to be said of a cohort; `agreement` as `agreement_of` gives it."""
    found: list[CohortWarning] = []
    resumes, postings = len(references.resumes), len(references.postings)
    if resumes < policy.minimum_resumes or postings < policy.minimum_postings:
        found.append("too_small")
    if agreement is not None and agreement >= ONE_OCCUPATION:
        found.append("one_occupation")
    return tuple(found)


def warning_text(manifest: CohortManifest, warning: CohortWarning) -> str:
    """A warning of a cohort, in words."""
    policy = manifest.policy
    if warning == "too_small":
        return (
            f"the cohort holds {manifest.resumes.used:,} resumes and {manifest.postings.used:,} postings; "
            f"below {policy.minimum_resumes:,} and {policy.minimum_postings:,} no score is normalised"
        )
    return (
        f"all postings of the cohort rank its resumes nearly alike (mean correlation {manifest.agreement}): "
        "they seem to be of one occupation, and whoever is good at it is scored down"
    )
