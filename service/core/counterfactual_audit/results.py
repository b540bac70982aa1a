"""What a counterfactual audit found, by attribute and group. No text of a resume is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from service.core.counterfactual.variants import Attribute, Reason
from service.core.counterfactual_audit.statistics import TopShares
from service.core.fairness.statistics import Interval
from service.core.resume_warnings import ResumeWarning

ALPHA = 0.05
Unit = Literal["resume", "variant"]


@dataclass(frozen=True, slots=True)
class WorstPair:
    """The pair with the largest absolute gap, by ids."""

    resume_id: str
    variant_id: str
    gap: float


@dataclass(frozen=True, slots=True)
class GapSummary:
    """counterfactual_score_gap = raw_score of the variant - raw_score of its reference, over `n` pairs.

    `shift_over_sd`: mean absolute gap over the standard deviation of the audited resumes' own scores;
    None with fewer than three resumes. `mean_interval` is of the directional mean.
    """

    n: int
    mean_gap: float
    mean_interval: Interval | None
    interval_unit: Unit
    mean_absolute_gap: float
    p95_absolute_gap: float
    max_absolute_gap: float
    shift_over_sd: float | None
    mean_probability_gap: float
    flips: int
    flip_rate: float
    gaps: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class GroupGaps:
    """One group of an attribute beside the control arm; p-values are Holm-adjusted over the whole audit."""

    group: str
    summary: GapSummary
    effect_size: float | None
    p_value: float | None
    adjusted_p_value: float | None
    beyond_noise: bool
    top_share: float | None
    worst: WorstPair


@dataclass(frozen=True, slots=True)
class AttributeGaps:
    """`difference_p_value`: of "all groups score alike", Holm-adjusted over attributes.

    `sets` counts the sets of one variant a group, in which places are compared.
    """

    attribute: Attribute
    groups: list[GroupGaps]
    difference_p_value: float | None
    adjusted_difference_p_value: float | None
    top: TopShares | None
    applicable: int
    not_applicable: dict[Reason, int]


@dataclass(frozen=True, slots=True)
class CounterfactualReport:
    """Everything an audit found. `warnings`: by id of the resume, those without any left out."""

    redact: bool
    seed: int
    resumes: int
    distinct_texts: int
    control: GapSummary | None
    attributes: list[AttributeGaps]
    missing: dict[Attribute, dict[Reason, int]]
    names_placed: list[str]
    several_people: list[str]
    not_english: list[str]
    warnings: dict[str, list[ResumeWarning]]
    score_sd: float | None
    findings: list[str]
