"""A person's right of access: what the log keeps of one tenant's candidate, and of nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from service.core.tenants import DEFAULT_TENANT
from service.store import tables
from service.store.decisions import CONTENT, Answer
from service.store.idempotency import answers_that_hold
from service.store.tables import from_microseconds, outcome_history, outcomes, to_microseconds

_IDS_A_QUERY = 500

Record = dict[str, Any]


def decisions_of_person(
    connection: Connection, candidate_id: str, tenant: str = DEFAULT_TENANT
) -> list[Record]:
    """A tenant's decisions about a candidate, in the chain's order, each with its outcomes and history."""
    rows = tables.decisions
    query = (
        select(rows)
        .where(rows.c.candidate_id == candidate_id, rows.c.tenant == tenant)
        .order_by(rows.c.sequence)
    )
    found = [
        {
            "sequence": row["sequence"],
            "decision_id": row["decision_id"],
            "time": from_microseconds(row["time"]).isoformat(),
            **{name: row[name] for name in CONTENT},
            "groups": json.loads(row["groups"]),
            "outcomes": [],
            "outcome_history": [],
        }
        for row in connection.execute(query).mappings()
    ]
    by_id = {one["decision_id"]: one for one in found}
    for start in range(0, len(found), _IDS_A_QUERY):
        ids = [one["decision_id"] for one in found[start : start + _IDS_A_QUERY]]
        for decision_id, outcome in _outcomes(connection, ids):
            name = "outcome_history" if "event" in outcome else "outcomes"
            by_id[decision_id][name].append(outcome)
    return found


def answers_of_person(connection: Connection, decisions: Sequence[Record]) -> list[tuple[Answer, list[str]]]:
    """Answers kept for an `Idempotency-Key` that hold these decisions, each with the ids that it holds."""
    times = {one["decision_id"]: to_microseconds(datetime.fromisoformat(one["time"])) for one in decisions}
    return [
        (answer, [decision_id for decision_id in times if answer.names(decision_id)])
        for answer in answers_that_hold(connection, times)
    ]


def _outcomes(connection: Connection, ids: Sequence[str]) -> Iterator[tuple[str, Record]]:
    for table, order in ((outcomes, outcomes.c.received), (outcome_history, outcome_history.c.id)):
        query = select(table).where(table.c.decision_id.in_(ids)).order_by(order)
        for row in connection.execute(query).mappings():
            record = {
                "kind": row["kind"],
                "outcome": "positive" if row["positive"] else "negative",
                "time": from_microseconds(row["time"]).isoformat(),
                "received": from_microseconds(row["received"]).isoformat(),
            }
            yield row["decision_id"], record | ({"event": row["event"]} if "event" in row else {})
