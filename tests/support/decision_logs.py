"""Decisions for a log, and what tests do behind its back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from service.store.chain import LogKey
from service.store.decisions import Decision
from service.store.log import DecisionLog

KEY = LogKey(b"k" * 32)
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)

TEMPLATE = Decision(
    decision_id="",
    time=DAY,
    request_id="r-1",
    job_id="req-17",
    candidate_id="",
    groups={"sex": "female"},
    raw_score=0.41,
    calibrated_probability=0.7125,
    threshold=0.62,
    decision="selected",
    redact=True,
    bundle_digest="b" * 64,
    engine="openvino",
)


def decision(number: int, **changes: Any) -> Decision:
    """Decision `number`, made at minute `number`, of candidate c-`number`."""
    made = replace(
        TEMPLATE,
        decision_id=f"00000000-0000-4000-8000-{number:012d}",
        time=DAY + timedelta(minutes=number),
        candidate_id=f"c-{number}",
    )
    return replace(made, **changes)


def decisions(count: int, start: int = 1) -> list[Decision]:
    return [decision(number) for number in range(start, start + count)]


OpenLog = Callable[..., DecisionLog]


def tamper(decision_log: DecisionLog, statement: str, **values: Any) -> None:
    """Change the database behind the log's back."""
    with decision_log.engine.begin() as connection:
        connection.execute(text(statement), values)


def candidates(decision_log: DecisionLog) -> list[str | None]:
    """Candidate ids in the order of the chain."""
    with decision_log.reading() as connection:
        rows = connection.execute(text("SELECT candidate_id FROM decisions ORDER BY sequence"))
        return list(rows.scalars())
