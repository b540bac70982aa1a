"""A person's right to erasure: their rows are emptied and signed, and the chain still holds.

Not to be confused with concept erasure, which takes a group out of a model's vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update

from service.core.tenants import DEFAULT_TENANT
from service.store import chain, tables
from service.store.decisions import CONTENT
from service.store.idempotency import empty_answers
from service.store.log import DecisionLog
from service.store.outcomes import delete_outcomes
from service.store.tables import to_microseconds

_ROWS_A_TRANSACTION = 500


@dataclass(slots=True)
class ErasedFromLog:
    """Rows that were emptied, outcomes that were deleted with them, answers that were emptied."""

    decisions: int = 0
    outcomes: int = 0
    answers: int = 0


def erase_person(
    decision_log: DecisionLog,
    candidate_id: str,
    *,
    tenant: str = DEFAULT_TENANT,
    now: datetime | None = None,
) -> int:
    """As `erase_from_log`; returns how many rows were emptied."""
    return erase_from_log(decision_log, candidate_id, tenant=tenant, now=now).decisions


def erase_from_log(
    decision_log: DecisionLog,
    candidate_id: str,
    *,
    tenant: str = DEFAULT_TENANT,
    now: datetime | None = None,
) -> ErasedFromLog:
    """Empty every row of a tenant's candidate. May be called again.

    Another tenant's candidate of the same id is another person. A row keeps its place in the chain, its time,
    its tenant, its `decision_id` (a random number that says nothing by
    itself) and digests under a salt that is gone. Its outcomes are deleted, and answers that hold it emptied.
    Counts stay: they hold numbers of people, and no id.

    Raises `StoreError`, also if everything is emptied but SQLite's journal could not be.
    """
    erased = to_microseconds(now or datetime.now(UTC))
    empty = dict.fromkeys((*CONTENT, "salt"))
    rows = tables.decisions
    query = (
        select(rows.c.sequence, rows.c.hash, rows.c.decision_id, rows.c.time)
        .where(rows.c.candidate_id == candidate_id, rows.c.tenant == tenant)
        # Recording outcomes locks rows in this order, too: in another one, the two could wait for each other.
        .order_by(rows.c.decision_id)
        .limit(_ROWS_A_TRANSACTION)
        .with_for_update()
    )
    total = ErasedFromLog()
    while True:
        with decision_log.writing() as connection:
            decision_log.locked_head(connection)  # one writer at a time
            found = connection.execute(query).mappings().all()
            for row in found:
                connection.execute(
                    update(rows)
                    .where(rows.c.sequence == row["sequence"])
                    .values(**empty, erased=erased, tombstone=chain.tombstone(decision_log.key, row, erased))
                )
            outcomes = delete_outcomes(connection, [row["decision_id"] for row in found])
            answers = empty_answers(connection, {row["decision_id"]: row["time"] for row in found})
        total.decisions += len(found)
        total.outcomes += outcomes
        total.answers += answers
        if len(found) < _ROWS_A_TRANSACTION:
            break
    decision_log.cut_off_journal()
    return total
