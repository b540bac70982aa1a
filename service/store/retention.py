"""Purge what is older than the retention asks for: from the front, leaving a signed record to verify from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select

from service.core.errors import ClockAheadError
from service.store import tables
from service.store.idempotency import expired_before
from service.store.log import DecisionLog
from service.store.tables import answers, from_microseconds, to_microseconds

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


def purge(
    decision_log: DecisionLog,
    older_than: timedelta,
    *,
    now: datetime | None = None,
    even_since: datetime | None = None,
    force: bool = False,
) -> Purged:
    """Delete decisions older than `older_than` from the front of the chain.

    The chain has no holes, so a row goes only when all rows before it may go. A row dated more than a day
    into the future (a clock was wrong) says nothing about its age: it goes with the rows around it.

    Answers to keyed requests that do not hold any more are deleted, too.

    Raises `ClockAheadError` unless `force` if the log does not bear out this machine's clock (`_check_clock`,
    with `even_since`: since when this process saw it run evenly), and `StoreError`, also if everything is
    deleted but SQLite's journal could not be cut off.
    """
    now = now or datetime.now(UTC)
    total = 0
    while True:
        with decision_log.writing() as connection:
            decision_log.locked_head(connection)  # one writer at a time
            if not force and not total:
                _check_clock(connection, older_than, now, even_since)
            before = purged_through(connection)
            last = _last_old(connection, older_than, now)
            if last is None:
                break
            last = min(last, _first(connection) + _ROWS_A_TRANSACTION - 1)
            total += _delete_through(decision_log, connection, last, to_microseconds(now))
    _delete_answers(decision_log, expired_before(now))
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


def purged_through(connection: Connection) -> int:
    """The last purged sequence of all, 0 if nothing ever was."""
    return connection.execute(select(func.max(tables.purges.c.sequence))).scalar_one() or 0


def _check_clock(
    connection: Connection, older_than: timedelta, now: datetime, even_since: datetime | None
) -> None:
    """Raise `ClockAheadError` if rows would go only because the clock jumped, or nobody decided, for long.

    The log knows times: of its decisions, and of its purges. If none lies within the last day, or if those
    that do follow a pause of more than a day, then `now` is the word of one clock against all that came
    before. It is believed if it makes nothing go that was not to go before the pause; or if it has run evenly
    for a day, and decisions were made by it, so that somebody could notice.
    """
    settled, latest = to_microseconds(now - _SKEW), to_microseconds(now + _SKEW)
    times = (tables.decisions.c.time, tables.purges.c.time)
    before = _extreme(connection, [select(func.max(time)).where(time <= settled) for time in times], max)
    after = _extreme(
        connection, [select(func.min(time)).where(time > settled, time <= latest) for time in times], min
    )
    if before is None:
        return  # nothing is old
    known = from_microseconds(before)
    resumed = now if after is None else from_microseconds(after)
    if resumed - known <= _SKEW:
        return
    if even_since is not None and now - even_since >= _SKEW and (after is not None or known >= even_since):
        return
    if _last_old(connection, older_than, now) == _last_old(connection, older_than, known):
        return
    raise ClockAheadError(
        f"this machine's clock says {now:%Y-%m-%d}, and until a day ago by it the log knows of nothing after "
        f"{known:%Y-%m-%d}: nothing is purged before decisions have come for a day under this clock; if it "
        "is right, `evenmatch log purge --force` does not wait"
    )


def _extreme(
    connection: Connection, queries: Sequence[Select[Any]], of: Callable[[list[int]], int]
) -> int | None:
    found = [connection.execute(query).scalar_one() for query in queries]
    # SQLite keeps anything anywhere; what is no number says nothing.
    numbers = [time for time in found if isinstance(time, int)]
    return of(numbers) if numbers else None


def _last_old(connection: Connection, older_than: timedelta, now: datetime) -> int | None:
    """The last row that may go, or None."""
    cutoff, latest = to_microseconds(now - older_than), to_microseconds(now + _SKEW)
    rows = tables.decisions.c
    keep = select(func.min(rows.sequence)).where(rows.time >= cutoff, rows.time <= latest)
    first_kept = connection.execute(keep).scalar_one()
    old = select(rows.sequence).where(rows.time < cutoff)
    if first_kept is not None:
        old = old.where(rows.sequence < first_kept)
    last: int | None = connection.execute(select(func.max(old.subquery().c.sequence))).scalar_one()
    return last


def _first(connection: Connection) -> int:
    first: int = connection.execute(select(func.min(tables.decisions.c.sequence))).scalar_one()
    return first


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
