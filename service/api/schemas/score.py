"""Bodies of `POST /v1/score`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from service.api.schemas.base import Body, ClientId

Warning = Literal["non_latin_script"]


class JobIn(Body):
    id: ClientId | None = Field(None, description="The caller's id of the job.")
    title: str | None = Field(
        None, description="Job title; improves the ranking. Leave out if there is none."
    )
    description: str = Field(description="The job's text.")


class CandidateIn(Body):
    id: ClientId = Field(description="The caller's id of the candidate, unique in the request.")
    resume: str = Field(description="The resume's text; all of it is read.")
    groups: dict[str, str] = Field(
        default_factory=dict,
        description="Self-reported groups by attribute, for monitoring only. Never given to the model.",
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


class ScoreRequest(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    job: JobIn
    candidates: list[CandidateIn] = Field(description="1 to `limits.max_candidates` (see `GET /v1/model`).")


class ScoringModel(Body):
    bundle: str
    version: str
    engine: str
    precision: str


class ScoreResult(Body):
    candidate_id: str
    decision_id: str = Field(description="Names this decision from now on.")
    raw_score: float = Field(description="Late-interaction similarity, in [-1, 1].")
    calibrated_probability: float = Field(description="In [0, 1]; for the pool the bundle was calibrated on.")
    decision: Literal["selected", "not_selected"] = Field(
        description="A recommendation to a person: `selected` at or above the threshold."
    )
    borderline: bool = Field(description="So close to the threshold that a person should look twice.")
    truncated: bool = Field(description="Always false: a resume is read as passages, to its end.")
    warnings: list[Warning] = Field(description="Why this score deserves less trust.")


class ScoreResponse(Body):
    model: ScoringModel
    job_id: str | None
    threshold: float = Field(description="One for everybody, inclusive, on the calibrated probability.")
    warnings: list[Warning] = Field(description="About the job's text.")
    results: list[ScoreResult] = Field(description="In the order asked.")
