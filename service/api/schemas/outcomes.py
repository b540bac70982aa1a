"""Bodies of `POST /v1/outcomes` and `POST /v1/outcomes/bulk`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from service.api.schemas.base import Body, RequestBody, StopEarly
from service.api.schemas.times import Time
from service.store.outcomes import OutcomeEvent, OutcomeKind

# RFC 9562: read without regard to case, as SQL Server and .NET write them in capitals.
DecisionId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,36}$", to_lower=True)]

_EXAMPLE: dict[str, Any] = {
    "decision_id": "0b0c2f3e-6f0c-4b8e-9d55-0d8a2c1f7f11",
    "outcome": "positive",
    "kind": "human_decision",
    "time": "2026-03-31T14:05:00Z",
}


class OutcomeIn(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    decision_id: DecisionId = Field(description="As `/v1/score` gave it.")
    outcome: Literal["positive", "negative"] = Field(
        description="Whether a person took the candidate further, or the candidate proved a match."
    )
    kind: OutcomeKind = Field(
        description="`human_decision`: what a person decided. `label`: what was known later, or judged "
        "without sight of the score. A decision may have one of each."
    )
    time: Time | None = Field(None, description="When it came about, with offset; left out: now.")
    replace: bool = Field(False, description="Correct what was recorded before; the history keeps both.")


class OutcomesIn(RequestBody):
    outcomes: Annotated[list[OutcomeIn], StopEarly()] = Field(
        description="1 to `EVENMATCH_MAX_OUTCOMES`; each is taken by itself.",
        json_schema_extra={"minItems": 1},
    )


class OutcomeOut(Body):
    decision_id: str
    kind: OutcomeKind
    status: OutcomeEvent = Field(description="`unchanged`: the same outcome was recorded already.")


class OutcomeItemOut(Body):
    decision_id: str
    kind: OutcomeKind
    status: OutcomeEvent | Literal["refused"]
    http_status: int = Field(description="What the single route would have answered.")
    code: str | None = Field(None, description="Why it was refused; stable.")
    message: str | None = None


class OutcomesOut(Body):
    recorded: int
    replaced: int
    unchanged: int
    refused: int
    results: list[OutcomeItemOut] = Field(description="In the order given.")
