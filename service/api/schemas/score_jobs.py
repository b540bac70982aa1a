"""Bodies of `/v1/score/jobs`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from service.api.schemas.base import Body, RequestBody
from service.api.schemas.requirements import REQUIRE, REQUIREMENTS, Require
from service.core.calibration import Prevalence
from service.core.requirements.kinds import Kind
from service.jobs.options import LONGEST_TTL_SECONDS
from service.jobs.states import Priority, Status

MAX_TOP_K = 10_000
MAX_PAGE = 100

Webhook = Annotated[str, StringConstraints(min_length=8, max_length=2_000, pattern=r"^https?://[!-~]+$")]
_TopK = Annotated[int | None, Field(ge=1, le=MAX_TOP_K)]
_Ttl = Annotated[int | None, Field(ge=60, le=LONGEST_TTL_SECONDS)]

_REDACT = (
    "Hide names, contact data, schools and other clues to the person from the model. Off, names alone are "
    "hidden, and addresses and links in which they stand (docs/redaction.md)."
)
_TOP_K = "Only the best so many of each posting are in the results; every pair is scored and recorded."
_PRIORITY = "Jobs of a higher priority are begun first."
_TTL = "Seconds after which a job that is not over is `expired`."
_PREVALENCE = (
    "Share of true matches among the pairs, in (0, 1): probabilities are given for it, decisions stay "
    "(docs/calibration.md). Left out: `EVENMATCH_PREVALENCE`, or the bundle's own."
)
_WEBHOOK = "Told of the job's end, signed as Standard Webhooks has it (docs/jobs.md)."


def _list(given: object) -> object:
    return [given] if isinstance(given, str) else given


class JobOptionsIn(RequestBody):
    redact: bool = Field(True, description=_REDACT)
    top_k: _TopK = Field(None, description=_TOP_K)
    priority: Priority = Field("normal", description=_PRIORITY)
    ttl: _Ttl = Field(None, description=_TTL)
    webhook: Webhook | None = Field(None, description=_WEBHOOK)
    prevalence: Prevalence | None = Field(None, description=_PREVALENCE)
    requirements: bool = Field(False, description=REQUIREMENTS)
    require: Require = Field(default_factory=list, description=REQUIRE)


class JobQuery(BaseModel):
    """The same for a body of rows."""

    model_config = ConfigDict(extra="forbid")

    redact: bool = Field(True, description=_REDACT)
    top_k: _TopK = Field(None, description=_TOP_K)
    priority: Priority = Field("normal", description=_PRIORITY)
    ttl: _Ttl = Field(None, description=_TTL)
    webhook: Webhook | None = Field(None, description=_WEBHOOK)
    prevalence: Prevalence | None = Field(None, description=_PREVALENCE)
    requirements: bool = Field(False, description=REQUIREMENTS)
    require: Require = Field(default_factory=list, description=REQUIRE)


class PostingFile(RequestBody):
    name: str
    content: str = Field(description="The file's bytes in base64.")


class PostingIn(RequestBody):
    id: str | None = Field(None, description="The caller's id of the posting.")
    title: str | None = Field(None, description="Job title; improves the ranking.")
    description: str | None = Field(None, description="The posting's text.")
    file: PostingFile | str | None = Field(None, description="A document, or the name of one, in its place.")


_EXAMPLE: dict[str, Any] = {
    "jobs": [
        {
            "id": "req-17",
            "title": "Backend engineer",
            "description": "Payment services in Python and PostgreSQL, on-call rota.",
        }
    ],
    "candidates": [
        {"id": "c-1", "resume": "Seven years of REST services in Python and Go. PostgreSQL, Kafka, Docker."},
        {
            "id": "c-2",
            "resume": "Registered nurse on a surgical ward: wound care, triage, medication rounds.",
        },
    ],
    "top_k": 1,
}


class ScoreJobRequest(JobOptionsIn):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    job: PostingIn | None = Field(None, description="The posting for all candidates.")
    jobs: list[PostingIn] = Field(
        default_factory=list, description="Several: every candidate is scored against each."
    )
    candidates: list[Any] = Field(
        default_factory=list,
        description="Each `{id, resume or file, groups, job}`, checked one by one: what is wrong with one is "
        "among the job's errors, and the others are scored.",
    )


def request_schema() -> dict[str, Any]:
    """Of `ScoreJobRequest`, which no route declares as its body, without references to other schemas."""
    schema = ScoreJobRequest.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, list):
            return [inlined(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return inlined(definitions[part["$ref"].rpartition("/")[2]])
        return {name: inlined(one) for name, one in part.items()}

    found: dict[str, Any] = inlined(schema)
    return found


class CountsOut(Body):
    total: int = Field(description="Rows of the input.")
    completed: int = Field(description="Rows that are scored and recorded.")
    failed: int = Field(description="Rows that cannot be scored.")
    decisions: int = Field(description="Decisions that are recorded: rows times postings.")


class FailureOut(Body):
    code: str
    message: str
    field: str = Field(description="Path of what is at fault, or empty.")


class ScoreJobOut(Body):
    id: str
    object: Literal["score_job"] = "score_job"
    status: Status = Field(description="As OpenAI's Batch API names them.")
    priority: Priority
    redact: bool
    top_k: int | None
    prevalence: float | None = Field(description="As it was asked for; null: that of the service.")
    requirements: bool = Field(description="Whether records list requirements; so they do with `require`.")
    require: list[Kind] = Field(description="Kinds of requirements that decide.")
    postings: int = Field(description="Postings for all candidates; 0 if each row has its own.")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime = Field(description="When it is given up if it is not over.")
    counts: CountsOut
    rows_per_second: float | None = Field(description="Since it began.")
    seconds_left: float | None = Field(description="By that rate; null before it began and at the end.")
    errors: dict[str, int] = Field(description="Rows that failed, by code.")
    failure: FailureOut | None = Field(description="Why the job as a whole failed.")
    webhook: bool = Field(description="Whether a webhook is told of its end.")


class ScoreJobListOut(Body):
    object: Literal["list"] = "list"
    data: list[ScoreJobOut] = Field(description="The newest first.")
    next_cursor: str | None = Field(description="What `cursor` is for the next page; null on the last.")


class ListQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Annotated[list[Status], BeforeValidator(_list)] = Field(
        default_factory=list, description="Only jobs of this status; may be given several times."
    )
    limit: int = Field(20, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(None, max_length=200, description="`next_cursor` of the page before.")


class ResultsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["ndjson", "csv"] = "ndjson"
