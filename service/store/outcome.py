"""One outcome of a decision, and what was done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.core.errors import InputError

OutcomeKind = Literal["human_decision", "label"]
OUTCOME_KINDS: tuple[OutcomeKind, ...] = ("human_decision", "label")
OutcomeEvent = Literal["recorded", "replaced", "unchanged"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`time` is when it came about; None for now. `replace`: it corrects what was said before."""

    decision_id: str
    positive: bool
    kind: OutcomeKind
    time: datetime | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """What was done, or the error for which nothing was. Groups and decision are those of the decision.

    `repeated`: it was done by an earlier request with the same `Idempotency-Key`; groups and decision are not
    told again.
    """

    outcome: Outcome
    event: OutcomeEvent | None = None
    error: InputError | None = None
    groups: Mapping[str, str] | None = None
    selected: bool | None = None
    repeated: bool = False
