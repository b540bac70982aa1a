"""Copies of a lost SQLite database, brought back at the next start: in its place, or into what is there now.

A running service saves such a copy when its file was deleted or replaced (`service.store.sqlite`).
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from service.core.errors import ConfigurationError, EvenmatchError, StoreError
from service.store import chain, tables
from service.store.chain import LogKey
from service.store.decisions import Decision
from service.store.idempotency import with_answers_of
from service.store.log import DecisionLog, Head
from service.store.outcomes import Outcome, record_outcomes
from service.store.retention import purged_through
from service.store.sqlite import forget_drafts, rescued_copies, sqlite_url, sync_folder
from service.store.tables import from_microseconds, outcomes
from service.store.verification import damaged_pages

log = logging.getLogger(__name__)

_ROWS = 500
_ANY_TIME = timedelta(days=36_500)
"""These outcomes were accepted once: their times are not judged again."""


def open_and_recover(decision_log: DecisionLog) -> Head:
    """Open the log, with what was saved of it when its file was lost.

    A copy that cannot be brought back stays, and is reported. Raises what `DecisionLog.open` raises.
    """
    file = decision_log.file
    if file is not None and not decision_log.is_held:
        forget_drafts(file)
        _put_in_place(file, decision_log.key)
    head = decision_log.open()
    if file is not None:
        for copy in rescued_copies(file):
            _bring_back(decision_log, copy)
    return head


def _put_in_place(file: Path, key: LogKey) -> None:
    """Where nothing stands, the first sound copy becomes the database again."""
    for copy in rescued_copies(file):
        try:
            if file.exists():
                return
            with closing(_opened(copy, key)) as saved, saved.reading() as connection:
                _check(saved, connection)
            # What is left of the lost database's journal would be taken for this one's.
            for suffix in ("-wal", "-shm"):
                file.with_name(f"{file.name}{suffix}").unlink(missing_ok=True)
            os.link(copy, file)  # unlike a rename, never over a file of somebody else
            copy.unlink()
            sync_folder(file.parent)
        except EvenmatchError as error:
            log.error("%s cannot be put in the place of %s: %s", copy, file.name, error.message)
        except OSError as error:
            log.error("%s cannot be put in the place of %s: %s", copy, file.name, error.strerror)
        else:
            log.warning("%s was put in the place of %s, which was gone", copy, file.name)


def _bring_back(decision_log: DecisionLog, copy: Path) -> None:
    """Append what the log lacks, then delete the copy: it holds ids of people."""
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
    """Raises `StoreError` if a copy is damaged or not ours."""
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
    # What is erased there has nothing left to bring back; what was erased here is known by its id.
    query = select(rows).where(rows.c.erased.is_(None), rows.c.sequence > purged).order_by(rows.c.sequence)
    stream = connection.execution_options(yield_per=_ROWS).execute(query).mappings()
    appended = 0
    for batch in _batches(iter(stream)):
        decisions = [_decision(decision_log.key, row) for row in batch]
        # A request that is sent again finds its answer; one that was sent again found another meanwhile.
        appended += decision_log.append(with_answers_of(connection, decisions)).stored
    return appended


def _decision(key: LogKey, row: Mapping[Any, Any]) -> Decision:
    """Raises `StoreError` if the row is not what was written."""
    if chain.content_digest(key, row) != row["content"]:
        raise StoreError(f"row {row['sequence']:,} of it is not what was written")
    names = ("decision_id", *(name for name in chain.CONTENT if name != "groups"))
    return Decision(
        **{name: row[name] for name in names},
        time=from_microseconds(row["time"]),
        groups=json.loads(row["groups"]),
    )


def _record_outcomes(decision_log: DecisionLog, connection: Connection) -> None:
    """What the log does not know, or knows from an earlier time only."""
    query = select(outcomes).order_by(outcomes.c.received, outcomes.c.decision_id)
    rows = connection.execution_options(yield_per=_ROWS).execute(query).mappings()
    for batch in _batches(iter(rows)):
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
            # One whose decision is erased by now is refused: it goes with it.
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
            )


def _batches(rows: Iterator[Mapping[Any, Any]]) -> Iterator[list[Mapping[Any, Any]]]:
    while batch := list(islice(rows, _ROWS)):
        yield batch
