"""`metrics.json`: everything that an evaluation found, and all that its HTML report is drawn from.

Numbers, ids of jobs and names of groups only: no text. `Evaluation.model_json_schema()` is its JSON Schema.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat

SCHEMA_VERSION: Literal["evenmatch.evaluation/1"] = "evenmatch.evaluation/1"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(_Part):
    """A number with its sample size and 95 % bootstrap interval.

    `n`: what the number stands on (pairs, jobs or resumes, as the figure's name or heading says).
    `value` None: not computable, and `reason` says why. `low` and `high` None: no interval, because there
    was one job only, no resampling was asked for, or too few resamples could be computed.
    """

    value: FiniteFloat | None
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    n: int
    reason: str | None = None


class ReliabilityBin(_Part):
    """Pairs whose calibrated_probability lies in [low, high); the last bin holds 1 too."""

    low: float
    high: float
    n: int
    mean_probability: float | None
    match_rate: float | None


class GroupReport(_Part):
    """One group. `compared`: large enough to take part in differences of selection_rate."""

    group: str
    pairs: int
    resumes: int
    matches: int
    compared: bool
    figures: dict[str, Estimate]
    exposure: dict[str, Estimate]
    reliability: list[ReliabilityBin]
    score_histogram: list[int]


class AttributeReport(_Part):
    """One attribute, or the intersection of two. `unknown`: pairs whose group is not known."""

    attribute: str
    unknown: int
    groups: list[GroupReport]
    differences: dict[str, Estimate]
    fairness_score: Estimate
    balanced_fairness_score: Estimate


class Judgement(_Part):
    """Everything that depends on labels. `true`: labels from before a known bias was put in."""

    labels: Literal["given", "true"]
    matches: int
    utility: dict[str, Estimate]
    reliability: list[ReliabilityBin]
    attributes: list[AttributeReport]
    fairness_score: Estimate
    balanced_fairness_score: Estimate


class Subject(_Part):
    """What was evaluated. `digest`: of the bundle before its reports, this one too, were added."""

    bundle: str
    version: str
    digest: str
    engine: str
    precision: str
    redact: bool
    threshold: float
    constraint: str


class ShiftReport(_Part):
    """Pairs of an original and a changed text, scored for the same job. See `evaluation.shift`."""

    pairs: int
    jobs: int
    figures: dict[str, Estimate]
    shift_histogram: list[int]
    shift_edges: list[float]


class PairsReport(ShiftReport):
    """Pairs of the user's own, by one bundle: the whole JSON of `evenmatch-train counterfactual`.

    `unchanged`: pairs whose two texts are the same as given. `digest`: SHA-256 of the pairs, to compare like
    with like. `source`: what was read.
    """

    schema_version: Literal["evenmatch.counterfactual_pairs/1"] = "evenmatch.counterfactual_pairs/1"
    subject: Subject
    source: str
    digest: str
    unchanged: int
    rounds: int
    created: str
    evenmatch: str


class VariantGroup(_Part):
    """Variants of one group, or the control arm of benign edits, each against the text before the change.

    `beyond_noise`: absolute gaps exceed those of benign edits at a Holm-adjusted 5 % level.
    """

    group: str
    figures: dict[str, Estimate]
    adjusted_p_value: float | None
    beyond_noise: bool
    gap_histogram: list[int]


class VariedAttribute(_Part):
    """What one attribute's variants came to.

    `figures`: of all groups' variants together. `min_max_ratio`: lowest over highest share of first
    places; `top_p_value` of uniform shares.
    """

    attribute: str
    applicable: int
    figures: dict[str, Estimate]
    groups: list[VariantGroup]
    min_max_ratio: Estimate
    top_p_value: float | None
    sets: int
    difference_p_value: float | None


class VariantEvaluation(_Part):
    """A counterfactual audit over several jobs, pooled."""

    redact: bool
    seed: int
    jobs: int
    resumes: int
    distinct_texts: int
    score_sd: float | None
    gap_edges: list[float]
    control: VariantGroup | None
    attributes: list[VariedAttribute]
    findings: list[str]


class DecisionEffect(_Part):
    """Decisions on the same pairs by two texts of each resume. See `evaluation.decision_effect`.

    `figures`: `selected_first` and `selected_second`, shares of pairs; `pairs_differ`, of which `pairs_lost`
    were selected by the first text only and `pairs_gained` by the second; `resumes_differ`, `resumes_lost`
    and `resumes_gained`, in which that is so for one job at least; `mean_shift` of |raw_score|.
    """

    pairs: int
    jobs: int
    resumes: int
    figures: dict[str, Estimate]


class DataNote(_Part):
    """What it was evaluated on. `digest`: SHA-256 of ids, labels and groups, to compare like with like."""

    description: str
    pairs: int
    jobs: int
    resumes: int
    digest: str


class Evaluation(_Part):
    """The whole of `metrics.json`. `minimum`: pairs that a rate must stand on to be compared.

    `redaction_without_clues`: decisions on resumes that hold no clue, bare against redacted: what redaction
    decides beside hiding clues. None if no such resumes were given, and in older evaluations.
    """

    schema_version: Literal["evenmatch.evaluation/1"] = SCHEMA_VERSION
    subject: Subject
    data: DataNote
    created: str
    minimum: int
    rounds: int
    score_edges: list[float]
    score_sd: float
    judgements: list[Judgement]
    audits: list[VariantEvaluation]
    shifts: dict[str, ShiftReport]
    redaction_without_clues: DecisionEffect | None = None
    notes: list[str]
