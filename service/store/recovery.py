"""When the database is away or lost: notice it, reach for it again, and bring back what was saved.

A running service saves a copy of a SQLite database whose file was deleted or replaced (`sqlite.HeldFile`).
The next start puts it in the place of the lost one, or, if there is a database again, appends what that
lacks.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import closing
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, inspect, literal, null, select

from service.core.errors import ConfigurationError, DatabaseLostError, EvenmatchError, StoreError
from service.core.files import sync_folder
from service.core.tenants import DEFAULT_TENANT
from service.store import chain, tables
from service.store.chain import LogKey
from service.store.decisions import Decision
from service.store.idempotency import with_answers_of
from service.store.log import DecisionLog, Head
from service.store.outcomes import Outcome, record_outcomes
from service.store.retention import PurgeScheduler, purged_through
from service.store.sqlite import check_room, delete_drafts, rescued_copies, sqlite_url
from service.store.tables import Row, decision_from, from_microseconds, outcomes
from service.store.verification import damaged_pages
from service.store.writer import StoreObserver, Writer

log = logging.getLogger(__name__)

_WATCH_SECONDS = 1.0
_RESCUE_SECONDS = 30.0
_ROWS = 500
_ANY_TIME = timedelta(days=36_500)
"""For outcomes of a copy: their times were checked when they were recorded."""


class DatabaseWatch:
    """A thread that looks after the database: reconnects, watches SQLite's file, purges what is too old.

    It is not the writer's, so that a database that does not answer holds up nobody who writes to disk.
    """

    def __init__(self, decision_log: DecisionLog, retention: timedelta, observer: StoreObserver) -> None:
        self._log = decision_log
        self._observer = observer
        self._purges = PurgeScheduler(decision_log, retention)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._last_complaint = ""
        self._rescue_at = 0.0
        self._thread: threading.Thread | None = None

    def start(self, writer: Writer) -> None:
        self._thread = threading.Thread(target=self._run, args=(writer,), name="database-watch", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """The database failed just now: reach for it at once."""
        self._wake.set()

    def stop(self, timeout: float) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self, writer: Writer) -> None:
        while not self._stopping.is_set():
            if self._check_file(writer) and not writer.connected:
                self._reconnect(writer)
            if writer.connected:
                self._purges.run_if_due()
            if self._stopping.is_set():
                return
            self._wake.wait(_WATCH_SECONDS)
            self._wake.clear()

    def _check_file(self, writer: Writer) -> bool:
        """Whether SQLite's file is still there and sound, as far as anybody knows."""
        try:
            self._log.check()
        except StoreError as error:
            if writer.connected:
                writer.database_is_lost()
                self._observer.store_failed()
            if isinstance(error, DatabaseLostError):
                self._observer.store_lost()
                self._rescue()
            return False
        return True

    def _rescue(self) -> None:
        if time.monotonic() < self._rescue_at:
            return
        try:
            self._log.rescue()
        except StoreError as error:
            self._complain(error.message)
        self._rescue_at = time.monotonic() + _RESCUE_SECONDS

    def _reconnect(self, writer: Writer) -> None:
        try:
            open_and_recover(self._log)
            check_room(self._log.engine)
        except (StoreError, ConfigurationError) as error:
            self._log.disconnect()
            self._complain(f"the decision log is out of reach: {error.message}")
            return
        self._last_complaint = ""
        log.info("the decision log is in reach")
        writer.database_is_back()

    def _complain(self, message: str) -> None:
        """Log an error once, not every second."""
        if message != self._last_complaint:
            log.error("%s", message)
        self._last_complaint = message


def open_and_recover(decision_log: DecisionLog) -> Head:
    """Open the log, with what was saved of it when its file was lost.

    A copy that cannot be brought back stays, and an error is logged. Raises what `DecisionLog.open` raises.
    """
    file = decision_log.file
    if file is not None and not decision_log.is_held:
        delete_drafts(file)
        _put_in_place(file, decision_log.key)
    head = decision_log.open()
    if file is not None:
        for copy in rescued_copies(file):
            _bring_back(decision_log, copy)
    return head


def _put_in_place(file: Path, key: LogKey) -> None:
    """If there is no database, the first sound copy becomes it."""
    for copy in rescued_copies(file):
        try:
            if file.exists():
                return
            with closing(_opened(copy, key)) as saved, saved.reading() as connection:
                _check(saved, connection)
            # SQLite would take what is left of the lost database's journal for this one's.
            for suffix in ("-wal", "-shm"):
                file.with_name(f"{file.name}{suffix}").unlink(missing_ok=True)
            os.link(copy, file)  # fails if another process made a file meanwhile; a rename would replace it
            copy.unlink()
            sync_folder(file.parent)
        except EvenmatchError as error:
            log.error("%s cannot be put in the place of %s: %s", copy, file.name, error.message)
        except OSError as error:
            log.error("%s cannot be put in the place of %s: %s", copy, file.name, error.strerror)
        else:
            log.warning("%s was put in the place of %s, which was gone", copy, file.name)


def _bring_back(decision_log: DecisionLog, copy: Path) -> None:
    """Append what the log lacks, then delete the copy, since it holds ids of people."""
    try:
        with closing(_opened(copy, decision_log.key)) as saved, saved.reading() as connection:
            _check(saved, connection)
            appended = _append(decision_log, connection)
            _record_outcomes(decision_log, connection)
        copy.unlink(missing_ok=True)
    except EvenmatchError as error:
        log.error("%s cannot be brought back into the log, and stays: %s", copy, error.message)
    except OSError as error:
        log.error("%s cannot be deleted: %s", copy, error.strerror)
    else:
        log.warning("%s: %d decisions that the log lacked were appended; deleted", copy, appended)


def _opened(copy: Path, key: LogKey) -> DecisionLog:
    return DecisionLog(sqlite_url(copy), key, frozen=True)


def _check(saved: DecisionLog, connection: Connection) -> None:
    """Raise `StoreError` if a copy is damaged or signed with another key."""
    if found := damaged_pages(connection):
        raise StoreError(f"its pages are damaged: {found[0]}")
    try:
        head = saved.head(connection)
    except ConfigurationError as error:
        raise StoreError(error.message) from None
    if head is None or not head.authentic:
        raise StoreError("its head is not signed with this log's key")


def _append(decision_log: DecisionLog, connection: Connection) -> int:
    rows = tables.decisions
    with decision_log.reading() as ours:
        purged = purged_through(ours)
    # Rows erased in the copy have no content to bring back. Rows erased in the log are still known there by
    # their id, so `append` leaves them out.
    # A copy that an earlier version saved lacks what was added since, which was null then.
    there = {column["name"] for column in inspect(connection).get_columns(rows.name)}
    missing: dict[str, ColumnElement[Any]] = {"tenant": literal(DEFAULT_TENANT)}
    columns = [
        column if column.name in there else missing.get(column.name, null()).label(column.name)
        for column in rows.c
    ]
    query = (
        select(*columns).where(rows.c.erased.is_(None), rows.c.sequence > purged).order_by(rows.c.sequence)
    )
    stream = connection.execution_options(yield_per=_ROWS).execute(query).mappings()
    appended = 0
    for batch in stream.partitions(_ROWS):
        decisions = [_checked(decision_log.key, row) for row in batch]
        # With their answers, so that a repeated request finds its own again. If it was repeated while the
        # copy was out of reach, it got another answer, and that one counts.
        appended += decision_log.append(with_answers_of(connection, decisions)).stored
    return appended


def _checked(key: LogKey, row: Row) -> Decision:
    """Raises `StoreError` if the row is not what was written."""
    if chain.content_digest(key, row) != row["content"]:
        raise StoreError(f"row {row['sequence']:,} of it is not what was written")
    return decision_from(row)


def _record_outcomes(decision_log: DecisionLog, connection: Connection) -> None:
    """Record the outcomes that the log lacks, or has received an earlier version of."""
    query = select(outcomes).order_by(outcomes.c.received, outcomes.c.decision_id)
    rows = connection.execution_options(yield_per=_ROWS).execute(query).mappings()
    for batch in rows.partitions(_ROWS):
        with decision_log.reading() as ours:
            known = {
                (row.decision_id, row.kind): row.received
                for row in ours.execute(
                    select(outcomes.c.decision_id, outcomes.c.kind, outcomes.c.received).where(
                        outcomes.c.decision_id.in_({row["decision_id"] for row in batch})
                    )
                )
            }
        newer = [row for row in batch if row["received"] > known.get((row["decision_id"], row["kind"]), -1)]
        for received, same in groupby(newer, key=lambda row: int(row["received"])):
            # An outcome whose decision is erased by now is refused, and so gone as it should be.
            record_outcomes(
                decision_log.engine,
                [
                    Outcome(
                        row["decision_id"],
                        row["positive"],
                        row["kind"],
                        from_microseconds(row["time"]),
                        replace=True,
                    )
                    for row in same
                ],
                now=from_microseconds(received),
                skew=_ANY_TIME,
                tenant=None,
            )
