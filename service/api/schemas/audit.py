"""Bodies of `POST /v1/audit/counterfactual`. The answer holds numbers and ids, never text of a variant."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from service.api.schemas.base import Body, ClientId, ReadBody, RequestBody, StopEarly
from service.api.schemas.files import DocumentOut, TextOrFile
from service.api.schemas.score import JobIn, PassageOut, ScoringModel
from service.api.schemas.spans import SpansIn
from service.core.counterfactual.variants import ATTRIBUTES, Attribute, Reason
from service.core.resume_warnings import ResumeWarning

_EXAMPLE: dict[str, Any] = {
    "job": {
        "title": "Backend engineer",
        "description": "Design and run payment services in Python and PostgreSQL.",
    },
    "resumes": [
        {
            "id": "c-1",
            "resume": "Maria Lopez\nmaria.lopez@example.com\n\nExperience\nBackend engineer, 2018 - 2024\n"
            "- Built REST services in Python. She led her team.\n\nEducation\nBSc, University of Leeds, 2014",
        }
    ],
    "redact": False,
}


class AuditResumeIn(TextOrFile):
    TEXT_FIELD: ClassVar = "resume"

    id: ClientId = Field(description="The caller's id of the resume, unique in the request.")
    resume: str = Field("", description="The resume's text.")
    spans: SpansIn = Field(
        default_factory=list,
        description="Names, schools, years and the like that stand in it, as `missing` asks for: they are "
        "changed, and hidden, beside those that are recognised.",
    )


class AuditRequest(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    job: JobIn
    resumes: Annotated[list[AuditResumeIn], StopEarly()] = Field(
        description="1 to `limits.max_candidates` resumes.", json_schema_extra={"minItems": 1}
    )
    attributes: Annotated[list[Attribute], StopEarly()] = Field(
        default_factory=lambda: list(ATTRIBUTES), description="What to change, one at a time."
    )
    names_per_group: int = Field(
        5, description="Names, schools, groups and postal codes drawn of each group, 2 to 20."
    )
    controls: int = Field(6, description="Benign edits of each resume: the noise floor, 2 to 20.")
    redact: bool = Field(
        True, description="Score variants as with redaction on, or off: then names alone are hidden."
    )
    seed: int = Field(0, description="0 or more; the same seed draws the same variants and permutations.")
    explain: bool = Field(
        False,
        description="Add the contributions of each resume's passages; needs `redact`, since it shows text.",
    )


class IntervalOut(ReadBody):
    low: float
    high: float


class GapsOut(ReadBody):
    """`counterfactual_score_gap` = raw_score of the variant minus that of its reference."""

    n: int = Field(description="Pairs of a variant and its reference.")
    mean_gap: float = Field(description="Directional mean.")
    mean_interval: IntervalOut | None = Field(description="95 % t interval of the mean; null for one value.")
    interval_unit: Literal["resume", "variant"] = Field(description="What the interval takes as its sample.")
    mean_absolute_gap: float
    p95_absolute_gap: float
    max_absolute_gap: float
    shift_over_sd: float | None = Field(
        description="Mean absolute gap over the spread of the resumes' own scores; null for fewer than three."
    )
    mean_probability_gap: float = Field(description="The same in calibrated_probability.")
    flips: int = Field(description="Pairs that were decided differently.")
    flip_rate: float


class WorstPairOut(ReadBody):
    resume_id: str
    variant_id: str = Field(description="attribute/group/index; the same seed makes it again.")
    gap: float


class GroupOut(ReadBody):
    group: str
    gaps: GapsOut = Field(validation_alias="summary")
    effect_size: float | None = Field(description="Cliff's delta of absolute gaps against the control arm's.")
    p_value: float | None = Field(description="Permutation test: are gaps larger than those of benign edits?")
    adjusted_p_value: float | None = Field(description="Holm, over all groups of all attributes.")
    beyond_noise: bool = Field(description="adjusted_p_value is 0.05 or less.")
    top_share: float | None = Field(description="Share of sets in which this group's variant scores highest.")
    worst: WorstPairOut


class TopSharesOut(ReadBody):
    min_max_ratio: float = Field(description="Lowest over highest top_share; 1 if all are equal.")
    p_value: float = Field(description="Monte Carlo chi-square test of equal shares.")
    sets: int = Field(description="Sets of one variant a group in which not all tied.")


class AttributeOut(ReadBody):
    attribute: Attribute
    applicable: int = Field(description="Resumes in which the attribute could be changed.")
    not_applicable: dict[Reason, int] = Field(description="Resumes in which it could not, by reason.")
    difference_p_value: float | None = Field(description="Permutation test of: all groups are scored alike.")
    adjusted_difference_p_value: float | None = Field(description="Holm, over the attributes.")
    top: TopSharesOut | None = Field(description="Null if every set tied.")
    groups: list[GroupOut]


class ExplanationOut(Body):
    resume_id: str
    passages: list[PassageOut]


class AuditReportOut(ReadBody):
    redact: bool
    seed: int
    resumes: int
    distinct_texts: int = Field(description="Texts that were scored, after equal ones were put together.")
    score_sd: float | None = Field(description="Standard deviation of the resumes' own raw_scores.")
    control: GapsOut | None = Field(description="The noise floor: gaps of benign edits.")
    attributes: list[AttributeOut]
    missing: dict[Attribute, dict[Reason, int]] = Field(
        description="Resumes not changed, by attribute and reason: what was looked for and not recognised."
    )
    names_placed: list[str] = Field(
        description="Resumes in which no name was recognised, so that one was placed on top."
    )
    several_people: list[str] = Field(description="Resumes that name other people too.")
    not_english: list[str] = Field(description="Resumes in other languages or scripts.")
    warnings: dict[str, list[ResumeWarning]] = Field(
        description="Warnings by id of the resume; those without any are left out."
    )
    findings: list[str] = Field(description="What was measured, in plain language.")


class AuditResponse(AuditReportOut):
    model: ScoringModel
    job_id: str | None
    threshold: float
    job_document: DocumentOut | None = Field(None, description="What was read if the job came as a document.")
    documents: dict[str, DocumentOut] = Field(
        default_factory=dict, description="What was read of resumes that came as documents, by id."
    )
    explanations: list[ExplanationOut] | None = None
