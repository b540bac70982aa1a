"""Purging decisions older than the retention, from the front, leaving a signed record to verify from.

Which decisions are old is said by this machine's clock, which may be wrong: see `_check_clock`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select

from service.core.errors import ClockAheadError, ConfigurationError, StoreError
from service.store import tables
from service.store.idempotency import expired_before
from service.store.log import DecisionLog
from service.store.tables import answers, from_microseconds, to_microseconds

log = logging.getLogger(__name__)

SIX_MONTHS_DAYS = 183
"""The least that articles 19 and 26(6) of the EU's AI Act ask of logs."""
MAX_DAYS = 36_500
"""A hundred years; a much longer retention would begin before `datetime` does."""

_PURGE_SECONDS = 3_600.0
_ROWS_A_TRANSACTION = 5_000
_ANSWERS_A_TRANSACTION = 500
_SKEW = timedelta(days=1)
_STEADY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Purged:
    """`rows` were deleted now; `through` is the last sequence ever purged, 0 if nothing was."""

    rows: int
    through: int


def purge(
    decision_log: DecisionLog,
    older_than: timedelta,
    *,
    now: datetime | None = None,
    steady_since: datetime | None = None,
    force: bool = False,
) -> Purged:
    """Delete decisions older than `older_than` from the front of the chain.

    The chain has no gaps, so a row goes only when all rows before it may go. A row dated more than a day into
    the future was written by a wrong clock, so its time says nothing: it goes with the rows around it.

    Expired answers to keyed requests are deleted, too.

    Raises `ClockAheadError` unless `force` if the log contradicts this machine's clock (`_check_clock`;
    `steady_since`: since when this process saw the clock run steadily), and `StoreError`, also if everything
    is deleted but SQLite's journal could not be emptied.
    """
    now = now or datetime.now(UTC)
    total = 0
    # In several transactions: SQLite has one writer, and on a server nothing should be locked for long.
    while True:
        with decision_log.writing() as connection:
            decision_log.lock_beginning(connection)
            if not force and not total:
                _check_clock(connection, older_than, now, steady_since)
            before = purged_through(connection)
            last = _last_old(connection, older_than, now)
            if last is None:
                break
            last = min(last, _first(connection) + _ROWS_A_TRANSACTION - 1)
            total += _delete_through(decision_log, connection, last, to_microseconds(now))
    _delete_answers(decision_log, expired_before(now))
    decision_log.cut_off_journal()
    return Purged(total, before)


def _delete_answers(decision_log: DecisionLog, cutoff: int) -> None:
    old = select(answers.c.key).where(answers.c.time <= cutoff).limit(_ANSWERS_A_TRANSACTION)
    deleted = _ANSWERS_A_TRANSACTION
    while deleted:
        with decision_log.writing() as connection:
            decision_log.lock_beginning(connection)
            keys = connection.execute(old).scalars().all()
            # A request may have taken an old key meanwhile: its answer is new, and stays.
            still_old = answers.c.key.in_(keys), answers.c.time <= cutoff
            deleted = connection.execute(delete(answers).where(*still_old)).rowcount


def purged_through(connection: Connection) -> int:
    """The last sequence ever purged, 0 if nothing was."""
    return connection.execute(select(func.max(tables.purges.c.sequence))).scalar_one() or 0


def _check_clock(
    connection: Connection, older_than: timedelta, now: datetime, steady_since: datetime | None
) -> None:
    """Raise `ClockAheadError` if rows would go only because the clock jumped ahead, or nothing came for long.

    The log knows times: of its decisions, and of its purges. If none of them lies within the last day, or
    those that do follow a pause of more than a day, then only this machine's clock says that it is `now`. It
    is believed in two cases. Either the purge deletes no more than one just before the pause would have. Or
    the clock has run steadily for a day and decisions were made by it, so that somebody could notice.
    """
    settled, latest = to_microseconds(now - _SKEW), to_microseconds(now + _SKEW)
    times = (tables.decisions.c.time, tables.purges.c.time)
    last = [select(func.max(time)).where(time <= settled) for time in times]
    first = [select(func.min(time)).where(time > settled, time <= latest) for time in times]
    before, after = _extreme(connection, last, max), _extreme(connection, first, min)
    if before is None:
        return  # nothing is old
    known = from_microseconds(before)
    resumed = now if after is None else from_microseconds(after)
    if resumed - known <= _SKEW:
        return
    if steady_since and now - steady_since >= _SKEW and (after is not None or known >= steady_since):
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
    # SQLite stores values of any type in any column: ignore what is no number.
    numbers = [value for value in found if isinstance(value, int)]
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
    # Recording outcomes locks rows in this order, too: in another one, the two could wait for each other.
    going = select(rows.c.decision_id).where(rows.c.sequence <= last).order_by(rows.c.decision_id)
    connection.execute(going.with_for_update()).all()
    deleted = connection.execute(delete(rows).where(rows.c.sequence <= last)).rowcount
    signature = decision_log.key.sign("purge", [kept.sequence, kept.hash, now])
    record = {"sequence": kept.sequence, "hash": kept.hash, "time": now, "signature": signature}
    connection.execute(insert(tables.purges).values(record))
    return deleted


class PurgeScheduler:
    """Purges at the start and then every hour, when its owner calls `run_if_due`."""

    def __init__(self, decision_log: DecisionLog, retention: timedelta) -> None:
        self._log = decision_log
        self._retention = retention
        self._clock = SteadyClock()
        self._due_at = time.monotonic()
        self._last_doubt = ""

    def run_if_due(self) -> None:
        """Purge if an hour has passed since the last time. Failures are logged."""
        if time.monotonic() < self._due_at:
            return
        self._run()
        self._due_at = time.monotonic() + _PURGE_SECONDS

    def _run(self) -> None:
        try:
            purged = purge(self._log, self._retention, steady_since=self._clock.since())
        except ClockAheadError as error:
            if error.message != self._last_doubt:  # once, not every hour
                log.warning("%s", error.message)
            self._last_doubt = error.message
            return
        except (StoreError, ConfigurationError) as error:
            log.error("old decisions could not be purged: %s", error.message)
            return
        if purged.rows:
            log.info("purged %d decisions older than %d days", purged.rows, self._retention.days)


class SteadyClock:
    """Since when this machine's clock has kept pace with the monotonic clock, which nobody can set."""

    def __init__(self) -> None:
        self._begin()

    def since(self) -> datetime:
        """The time of the start, or of the first call after the clock was set by more than an hour."""
        ran = timedelta(seconds=time.monotonic() - self._monotonic)
        if abs(datetime.now(UTC) - self._since - ran) > _STEADY:
            self._begin()
        return self._since

    def _begin(self) -> None:
        self._since, self._monotonic = datetime.now(UTC), time.monotonic()
