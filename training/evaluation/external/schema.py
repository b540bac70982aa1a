"""What an evaluation on resumes and postings from elsewhere found: the JSON of `evenmatch-train evaluate`.

Numbers, ids, names of categories and groups only: no text. Its HTML is drawn from this alone.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat

from training.evaluation.schema import ReliabilityBin, Subject

SystemKind = Literal["bundle", "baseline"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Part):
    """The central 95 % of what resamples gave."""

    low: FiniteFloat
    high: FiniteFloat


class Figure(_Part):
    """A number with what it stands on (`n`: pairs or postings, as its name says) and its intervals.

    Resamples draw resumes, postings, or both independently (`by_both`, the widest and the one to go by:
    neither these resumes nor these postings are all there are). None: there is one resume or posting only, no
    resampling was asked for, or too few resamples could be computed. `value` None: not computable, and
    `reason` says why.
    """

    value: FiniteFloat | None
    n: int
    by_resume: Interval | None = None
    by_posting: Interval | None = None
    by_both: Interval | None = None
    reason: str | None = None


class OperatingPoint(_Part):
    """What one threshold decides. `threshold`: inclusive, on what `on` names."""

    threshold: float
    on: Literal["calibrated_probability", "score"]
    figures: dict[str, Figure]


class ProbabilityReport(_Part):
    """Probabilities against what happened. `figures`: as in external/probabilities.py."""

    prevalence: float
    figures: dict[str, Figure]
    reliability: list[ReliabilityBin]


class CalibrationReport(_Part):
    """Probabilities as they are and as they would be, told this set's share of matches.

    `as_shipped`: for the share that the bundle was calibrated for. `at_prevalence`: shifted to the set's own
    (Saerens et al. 2002).
    """

    as_shipped: ProbabilityReport
    at_prevalence: ProbabilityReport


class CategoryReport(_Part):
    """The pairs whose posting is of one category. `resumes`: those of the category."""

    category: str
    postings: int
    resumes: int
    pairs: int
    matches: int
    roc_auc: Figure
    average_precision: Figure


class ScoredError(_Part):
    """A pair that was scored worst. `rank` of the resume among the posting's `candidates`, 1 is the best."""

    kind: Literal["missed", "false"]
    resume_id: str
    posting_id: str
    resume_place: str
    posting_place: str
    resume_categories: list[str]
    posting_categories: list[str]
    raw_score: float
    calibrated_probability: float
    selected: bool
    rank: int
    candidates: int


class ExternalGroup(_Part):
    """Decisions about one group at the bundle's threshold. `compared`: on `minimum` pairs or more."""

    group: str
    pairs: int
    resumes: int
    matches: int
    compared: bool
    figures: dict[str, Figure]


class ExternalAttribute(_Part):
    """An attribute's groups.

    `unknown`: pairs whose group is not known. `differences`: largest less smallest rate, and `impact_ratio`,
    of the groups that are compared (training.evaluation.parity).
    """

    attribute: str
    unknown: int
    groups: list[ExternalGroup]
    differences: dict[str, Figure]


class SystemReport(_Part):
    """What one way to score came to.

    `differences`: its ranking figures less those of the first bundle, on the same resamples. Only bundles
    decide and have probabilities, categories, errors and groups.
    """

    name: str
    kind: SystemKind
    description: str
    subject: Subject | None
    ranking: dict[str, Figure]
    differences: dict[str, Figure]
    at_precision: OperatingPoint | None
    at_threshold: OperatingPoint | None = None
    calibration: CalibrationReport | None = None
    categories: list[CategoryReport] = []
    errors: list[ScoredError] = []
    groups: list[ExternalAttribute] = []


class ExternalData(_Part):
    """What it was evaluated on. `every_pair`: all resumes with all postings, a match by a shared category."""

    resumes_from: str
    postings_from: str
    every_pair: bool
    pairs: int
    matches: int
    resumes: int
    postings: int
    postings_with_matches: int
    unreadable: int
    digest: str


class ExternalEvaluation(_Part):
    """The whole. `precision`: that the thresholds of `at_precision` reach; `minimum`: pairs of a group."""

    schema_version: Literal["evenmatch.external_evaluation/1"] = "evenmatch.external_evaluation/1"
    data: ExternalData
    redact: bool
    rounds: int
    seed: int
    precision: float
    minimum: int
    systems: list[SystemReport]
    notes: list[str]
    created: str
    evenmatch: str
