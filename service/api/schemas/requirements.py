"""Requirements in bodies: which are asked for, and what a resume says to each."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from service.api.schemas.base import Body
from service.core.requirements.kinds import KINDS, MAX_TEXT, Found, Kind

_WHOLE = {"true": True, "false": False}


def _kinds(given: Any) -> Any:
    """`true` stands for every kind, `false` for none, in a query too; a query may name one kind alone."""
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], str):
        given = _WHOLE.get(given[0], given)
    if isinstance(given, bool):
        return list(KINDS) if given else []
    return given


_Kinds = Annotated[list[Kind], Field(max_length=len(KINDS))]
# The limit stands in both: what validates a list is not what the schema says of the input.
Require = Annotated[_Kinds, BeforeValidator(_kinds, json_schema_input_type=_Kinds | bool)]

REQUIREMENTS = (
    "List the hard facts that the job's text asks for, and whether each resume states them "
    "(docs/requirements.md). Changes no score."
)
REQUIRE = (
    "Kinds of requirements without which a candidate is not selected, or `true` for all: where the job's "
    "text requires one and the resume itself says less (`found` is `no`; `unknown` never counts), the "
    "decision is `not_selected` with the reason `requirement_not_found`. Lists them, too."
)


class RequirementOut(Body):
    text: str = Field(
        description=f"The job's own words, at most {MAX_TEXT} characters around what is asked for."
    )
    kind: Kind
    required: bool = Field(description="False if the job's text only prefers it; such a one never decides.")
    found: Found = Field(
        description="`no` only where the resume itself says less; `unknown` where its silence proves nothing "
        "and always for the right to work, times of work and places."
    )
    where: list[int] = Field(
        description="Indices of the resume's passages that say so, counted from 0, as in `explanation`."
    )
