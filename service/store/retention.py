"""Purge what is older than the retention asks for: from the front, leaving a signed record to verify from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select

from service.store import tables
from service.store.answer_tables import answers
from service.store.idempotency import expired_before
from service.store.log import DecisionLog
from service.store.times import to_microseconds

SIX_MONTHS_DAYS = 183
"""What articles 19 and 26(6) of the EU's AI Act ask of logs, at least."""
MAX_DAYS = 36_500
"""A hundred years; much longer ones begin before there are dates."""

_ROWS_A_TRANSACTION = 5_000
_ANSWERS_A_TRANSACTION = 500
_SKEW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Purged:
    """`rows` were deleted; `through` is the last purged sequence of all, 0 if nothing ever was."""

    rows: int
    through: int


def purge(decision_log: DecisionLog, older_than: timedelta, *, now: datetime | None = None) -> Purged:
    """Delete decisions older than `older_than` from the front of the chain.

    The chain has no holes, so a row goes only when all rows before it may go. A row dated more than a day
    into the future (a clock was wrong) says nothing about its age: it goes with the rows around it.

    Answers to keyed requests that do not hold any more are deleted, too.

    Raises `StoreError`, also if everything is deleted but SQLite's journal could not be cut off.
    """
    now = now or datetime.now(UTC)
    _delete_answers(decision_log, expired_before(now))
    cutoff, latest = to_microseconds(now - older_than), to_microseconds(now + _SKEW)
    total = 0
    while True:
        with decision_log.writing() as connection:
            decision_log.locked_head(connection)  # one writer at a time
            before = _purged_through(connection)
            last = _last_old(connection, cutoff, latest)
            if last is None:
                break
            total += _delete_through(decision_log, connection, last, to_microseconds(now))
    decision_log.forget_journal()
    return Purged(total, before)


def _delete_answers(decision_log: DecisionLog, cutoff: int) -> None:
    old = select(answers.c.key).where(answers.c.time <= cutoff).limit(_ANSWERS_A_TRANSACTION)
    deleted = _ANSWERS_A_TRANSACTION
    while deleted == _ANSWERS_A_TRANSACTION:
        with decision_log.writing() as connection:
            decision_log.locked_head(connection)  # one writer at a time
            keys = connection.execute(old).scalars().all()
            deleted = connection.execute(delete(answers).where(answers.c.key.in_(keys))).rowcount


def _purged_through(connection: Connection) -> int:
    return connection.execute(select(func.max(tables.purges.c.sequence))).scalar_one() or 0


def _last_old(connection: Connection, cutoff: int, latest: int) -> int | None:
    """The last row that may go in this transaction, or None."""
    rows = tables.decisions.c
    keep = select(func.min(rows.sequence)).where(rows.time >= cutoff, rows.time <= latest)
    first_kept = connection.execute(keep).scalar_one()
    old = select(rows.sequence).where(rows.time < cutoff)
    if first_kept is not None:
        old = old.where(rows.sequence < first_kept)
    last = connection.execute(select(func.max(old.subquery().c.sequence))).scalar_one()
    if last is None:
        return None
    first: int = connection.execute(select(func.min(rows.sequence))).scalar_one()
    return min(int(last), first + _ROWS_A_TRANSACTION - 1)


def _delete_through(decision_log: DecisionLog, connection: Connection, last: int, now: int) -> int:
    rows = tables.decisions
    newest = select(rows.c.sequence, rows.c.hash).where(rows.c.sequence <= last)
    kept = connection.execute(newest.order_by(rows.c.sequence.desc()).limit(1)).one()
    # As whoever records outcomes locks them: in another order, the two could wait for each other.
    going = select(rows.c.decision_id).where(rows.c.sequence <= last).order_by(rows.c.decision_id)
    connection.execute(going.with_for_update()).all()
    deleted = connection.execute(delete(rows).where(rows.c.sequence <= last)).rowcount
    signature = decision_log.key.sign("purge", [kept.sequence, kept.hash, now])
    record = {"sequence": kept.sequence, "hash": kept.hash, "time": now, "signature": signature}
    connection.execute(insert(tables.purges).values(record))
    return deleted
