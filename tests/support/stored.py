"""Decisions put into a database as the decision log does it: rows and counts in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, func, insert, select, update

from service.store.decisions import Decision
from service.store.hourly_counts import count_decisions
from service.store.tables import decision_row
from service.store.tables import decisions as table
from tests.support.decision_logs import TEMPLATE

NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
BUNDLE = "b" * 64

_TEMPLATE = replace(TEMPLATE, time=NOON, groups={}, bundle_digest=BUNDLE)


def decision(
    number: int, groups: dict[str, str] | None = None, *, score: float = 0.5, **other: Any
) -> Decision:
    """Decision d-`number`; selected from 0.5 on."""
    return replace(
        _TEMPLATE,
        decision_id=f"d-{number}",
        candidate_id=f"c-{number}",
        groups=groups or {},
        calibrated_probability=score,
        decision="selected" if score >= 0.5 else "not_selected",
        **other,
    )


def store(engine: Engine, decisions: Sequence[Decision]) -> None:
    """Insert and count, in one transaction."""
    with engine.begin() as connection:
        last = connection.scalar(select(func.max(table.c.sequence))) or 0
        rows = [_row(last + i, one) for i, one in enumerate(decisions, 1)]
        if rows:
            connection.execute(insert(table), rows)
        count_decisions(connection, decisions)


def erase(engine: Engine, *decision_ids: str) -> None:
    """Empty the rows of decisions, as a lawful erasure does: the counts stay."""
    empty = {column.name: None for column in table.columns if column.nullable}
    with engine.begin() as connection:
        connection.execute(update(table).where(table.c.decision_id.in_(decision_ids)).values(empty))


def _row(sequence: int, one: Decision) -> dict[str, Any]:
    # What else the log keeps has no part in fairness.
    rest = {column.name: None if column.nullable else "0" for column in table.columns}
    return {**rest, **decision_row(one), "sequence": sequence}
