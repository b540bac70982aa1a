"""Bodies of `POST /v1/score`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from service.api.schemas.base import (
    Body,
    ClientId,
    Metadata,
    RequestBody,
    StopEarly,
    few_fields,
)
from service.api.schemas.files import DocumentOut, TextOrFile
from service.api.schemas.requirements import REQUIRE, REQUIREMENTS, Require, RequirementOut
from service.core.blanks import without_blanks
from service.core.calibration import Prevalence
from service.core.groups import MAX_GROUP_PAIRS
from service.core.redaction.policy import Category
from service.core.requirements.listing import Reason
from service.core.resume_warnings import JobWarning, ResumeWarning


def _given_groups(given: Any) -> Any:
    given = few_fields(given, MAX_GROUP_PAIRS)
    return without_blanks(given, given.keys()) if isinstance(given, dict) else given


class JobIn(TextOrFile):
    TEXT_FIELD: ClassVar = "description"

    id: ClientId | None = Field(None, description="The caller's id of the job.")
    title: str | None = Field(
        None, description="Job title; improves the ranking. Leave out if there is none."
    )
    description: str = Field("", description="The job's text.")

    @property
    def heading(self) -> str | None:
        return self.title

    def set_heading(self, text: str) -> None:
        self.title = " ".join(text.split())


class CandidateIn(TextOrFile):
    TEXT_FIELD: ClassVar = "resume"

    id: ClientId = Field(description="The caller's id of the candidate, unique in the request.")
    resume: str = Field("", description="The resume's text; all of it is read.")
    groups: Annotated[dict[str, str], BeforeValidator(_given_groups)] = Field(
        default_factory=dict,
        description="Self-reported groups by attribute, for monitoring only, as forms write them "
        "(docs/groups.md). Never given to the model.",
    )
    metadata: Metadata | None = Field(
        None,
        description="The caller's own data, up to 16 KiB and 32 levels: given back with the result, not "
        "looked at, kept nowhere. The place for fields that this service does not know.",
    )


_EXAMPLE: dict[str, Any] = {
    "job": {
        "id": "req-17",
        "title": "Backend engineer",
        "description": "You will design and run payment services in Python and PostgreSQL, take part in the "
        "on-call rota and mentor junior colleagues.",
    },
    "candidates": [
        {
            "id": "c-1",
            "resume": "Seven years of building REST services in Python and Go. Cut the latency of a billing "
            "system by 40 %. PostgreSQL, Kafka, Docker.",
            "groups": {"sex": "female"},
        },
        {
            "id": "c-2",
            "resume": "Registered nurse on a surgical ward: wound care, triage, medication rounds, teaching "
            "new colleagues.",
        },
    ],
}


class ScoreRequest(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    job: JobIn
    candidates: Annotated[list[CandidateIn], StopEarly()] = Field(
        description="1 to `limits.max_candidates` (see `GET /v1/model`).",
        json_schema_extra={"minItems": 1},
    )
    redact: bool = Field(
        True,
        description="Hide names, contact data, schools and other clues to the person from the model. Off, "
        "names alone are hidden, and addresses and links in which they stand (docs/redaction.md).",
    )
    explain: bool = Field(
        False,
        description="Say how much each passage of a resume contributes. Costs no inference, some bytes.",
    )
    requirements: bool = Field(False, description=REQUIREMENTS)
    require: Require = Field(default_factory=list, description=REQUIRE)
    prevalence: Prevalence | None = Field(
        None,
        description="Share of true matches among the candidates that are scored, in (0, 1): probabilities "
        "and threshold are given for it, decisions stay (docs/calibration.md). Left out: "
        "`EVENMATCH_PREVALENCE`, or the bundle's own.",
    )


class ScoringModel(Body):
    bundle: str
    version: str
    engine: str
    precision: str
    cohort: str | None = Field(
        None, description="Digest of the cohort that scores are normalised by (docs/cohorts.md); null: none."
    )


class PassageOut(Body):
    text: str = Field(description="The passage as the model read it: what was redacted is a token in it.")
    contribution: float | None = Field(
        description="raw_score minus raw_score without this passage; null if it is the only one. A cohort's "
        "shift stays that of the whole resume."
    )
    job_passage: int = Field(description="Index of the job's passage that is nearest to it.")
    similarity: float = Field(description="Cosine of the two, in [-1, 1].")


class ScorePartsOut(Body):
    """What raw_score is the sum of, each in its units; a cohort's shift is not among them."""

    late_interaction: float = Field(description="Passages of job and resume, and the title, by nearness.")
    occupations: float = Field(description="Likeness of the occupations that both are near to; 0 or more.")
    posting_level: float = Field(
        description="What is taken off since the posting is near to many occupations: equal for all its "
        "candidates."
    )
    resume_level: float = Field(description="The same of the resume; 0 unless the bundle weighs it.")


class ScoreResult(Body):
    candidate_id: str
    decision_id: str = Field(description="Names this decision from now on.")
    raw_score: float = Field(
        description="The bundle's score of the pair (docs/matching.md), in [-1, 1]; with a cohort, less the "
        "levels that its reference texts give to this posting and to this resume."
    )
    calibrated_probability: float = Field(
        description="In [0, 1]; for a pool where a share `prevalence` matches."
    )
    decision: Literal["selected", "not_selected"] = Field(
        description="A recommendation to a person: `selected` at or above the threshold, unless `reason` "
        "says why not."
    )
    reason: Reason | None = Field(
        None, description="With `require`: why it is not selected, whatever its probability."
    )
    borderline: bool = Field(
        description="A person should look: the probability is close to the threshold, or a warning is given "
        "that is not about the language. The decision is the threshold's all the same."
    )
    cohort_percentile: float | None = Field(
        None,
        description="With a cohort: percent of its resumes that score lower on this posting; null if it does "
        "not cover the posting.",
    )
    truncated: bool = Field(description="Always false: a resume is read as passages, to its end.")
    language: str = Field(
        description="ISO 639-1 code of the resume's language, or `und` if it cannot be told."
    )
    warnings: list[ResumeWarning] = Field(
        description="Why this score, and what was redacted, deserves less trust (docs/redaction.md)."
    )
    warning_counts: dict[ResumeWarning, int] = Field(
        default_factory=dict,
        description="For warnings that count something: characters, sentences or words (docs/redaction.md).",
    )
    redactions: dict[Category, int] = Field(description="How many spans were hidden, by category.")
    document: DocumentOut | None = Field(None, description="What was read if it came as a document.")
    unknown_groups: list[str] = Field(
        default_factory=list,
        description="With `EVENMATCH_UNKNOWN_GROUPS=unknown`: attributes whose label stands for no group and "
        "is counted as unknown; `other` is an attribute that is not monitored.",
    )
    metadata: dict[str, Any] | None = Field(None, description="The candidate's, as it was given.")
    explanation: list[PassageOut] | None = Field(None, description="With `explain`: passages in their order.")
    parts: ScorePartsOut | None = Field(None, description="With `explain`: what `raw_score` is the sum of.")
    requirements: list[RequirementOut] | None = Field(
        None, description="With `requirements` or `require`: in the order of the job's text."
    )


class ScoreResponse(Body):
    model: ScoringModel
    job_id: str | None
    redact: bool = Field(description="Whether redaction was on; if not, names alone were hidden.")
    threshold: float = Field(description="One for everybody, inclusive, on the calibrated probability.")
    prevalence: float | None = Field(
        None,
        description="Share of matches for which probabilities and threshold are given; null in an answer "
        "that an earlier version kept for its key.",
    )
    warnings: list[JobWarning] = Field(
        description="About the job's text. With `little_text` every decision is borderline; with "
        "`cohort_does_not_cover` scores are as without the cohort."
    )
    job_document: DocumentOut | None = Field(None, description="What was read if the job came as a document.")
    results: list[ScoreResult] = Field(description="In the order asked.")
