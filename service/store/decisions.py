"""One decision as it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from service.store.answers import Keyed

DecisionKind = Literal["selected", "not_selected"]


@dataclass(frozen=True, slots=True)
class Decision:
    """A result of `/v1/score`. Ids stand as the caller gave them; nothing of any text is here.

    `time` is aware, in UTC. `groups` are the self-reported ones, attribute to group; who said nothing of an
    attribute has no entry. `raw_score`, `calibrated_probability` and `threshold` as answered. `keyed`: the
    request came with an `Idempotency-Key`; this is no part of the row.
    """

    decision_id: str
    time: datetime
    request_id: str
    job_id: str | None
    candidate_id: str
    groups: Mapping[str, str]
    raw_score: float
    calibrated_probability: float
    threshold: float
    decision: DecisionKind
    redact: bool
    bundle_digest: str
    engine: str
    keyed: Keyed | None = field(default=None, compare=False)
