"""Verifying that the log is as it was written: every row, every link, both ends, in constant memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlalchemy import Boolean, Connection, select, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType

from service.core.errors import TableError
from service.store import chain, tables
from service.store.chain import LogKey
from service.store.decisions import CONTENT
from service.store.log import DecisionLog, Head
from service.store.sqlite import is_damage

_ROWS_A_FETCH = 2_000
MAX_DEFECTS = 100

# With the stored values: SQLAlchemy would turn any value in `redact` into true or false.
_COLUMNS = [
    type_coerce(column, NullType()).label(column.name) if isinstance(column.type, Boolean) else column
    for column in tables.decisions.c
]

Kind = Literal[
    "changed", "unlinked", "missing", "foreign", "erasure", "head", "purge", "anchor", "unreadable"
]

_MEANINGS: Mapping[Kind, str] = {
    "changed": "its content is not what was written",
    "unlinked": "it does not follow from the row before it: inserted, moved or changed",
    "missing": "deleted",
    "foreign": "it lies outside the chain, before its beginning or after its head",
    "erasure": "emptied without a valid tombstone",
    "head": "the head is missing, not signed with this log's key, or does not fit this last row",
    "purge": "the record of the purge is not signed with this log's key",
    "anchor": "it is not the row that the anchor was taken of, or it is not there any more",
    "unreadable": "nothing from here on can be read, for pages of the database are damaged",
}


@dataclass(frozen=True, slots=True)
class ChainDefect:
    """What is wrong with rows `first` to `last`."""

    kind: Kind
    first: int
    last: int

    def __str__(self) -> str:
        rows = f"row {self.first:,}" if self.first == self.last else f"rows {self.first:,} to {self.last:,}"
        return f"{rows}: {_MEANINGS[self.kind]}"


@dataclass(slots=True)
class Verification:
    """`rows` were read, `erased` of them lawfully emptied; `purged` is the last purged sequence, or 0.

    `broken` counts all defects; `defects` holds the first `MAX_DEFECTS`. `unchecked_anchors` are of rows that
    were lawfully purged. `damage` is what SQLite says of damaged pages and indexes, in its own words, which
    name tables and pages only.
    """

    head: Head | None
    purged: int = 0
    rows: int = 0
    erased: int = 0
    anchors: int = 0
    unchecked_anchors: int = 0
    broken: int = 0
    defects: list[ChainDefect] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)

    def add(self, kind: Kind, first: int, last: int | None = None) -> None:
        """Note one defect."""
        self.broken += 1
        if len(self.defects) < MAX_DEFECTS:
            self.defects.append(ChainDefect(kind, first, first if last is None else last))


def verify(decision_log: DecisionLog, anchors: Mapping[int, str] | None = None) -> Verification:
    """Check the whole log against its key, and against anchors: hashes by sequence, kept elsewhere.

    Raises `StoreError` if it cannot be read, `DatabaseDamagedError` if not even its head can; and
    `ConfigurationError` if the key is another one.
    """
    # In a transaction of its own: an erasure, which waits until nobody reads, gets a moment in between.
    with decision_log.reading() as connection:
        damage = damaged_pages(connection)
    with decision_log.reading() as connection, _any_text(connection):
        verifier = _Verifier(decision_log.key, connection, dict(anchors or {}), decision_log)
        result = verifier.run()
        result.damage = damage
        return result


def damaged_pages(connection: Connection) -> list[str]:
    """What SQLite finds wrong with its pages and indexes, if anything. Empty for a server."""
    if connection.dialect.name != "sqlite":
        return []
    try:
        found = [str(line) for line in connection.exec_driver_sql("PRAGMA integrity_check").scalars()]
    except DBAPIError as error:
        if not is_damage(kind := getattr(error.orig, "sqlite_errorname", "")):
            raise
        return [f"they cannot even be checked ({kind})"]
    return [] if found == ["ok"] else found


@contextmanager
def _any_text(connection: Connection) -> Iterator[None]:
    """Read text that is not UTF-8, which SQLite stores too, as bytes, so that its row can be named."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.text_factory = _text
    try:
        yield
    finally:
        driver.text_factory = str


def _text(given: bytes) -> str | bytes:
    try:
        return given.decode()
    except UnicodeDecodeError:
        return given


class _Verifier:
    def __init__(
        self, key: LogKey, connection: Connection, anchors: dict[int, str], decision_log: DecisionLog
    ) -> None:
        self._key = key
        self._connection = connection
        self._anchors = anchors
        head = decision_log.head(connection)
        self._result = Verification(head, anchors=len(anchors))
        # A head that was changed says nothing about where the chain ends.
        self._end = head.sequence if head is not None and head.authentic else None
        self._last = Head(0, chain.genesis(key))

    def run(self) -> Verification:
        result = self._result
        self._start_after_purges()
        self._anchor(self._last)
        result.unchecked_anchors = sum(sequence < result.purged for sequence in self._anchors)
        query = select(*_COLUMNS).order_by(tables.decisions.c.sequence)
        try:
            stream = self._connection.execution_options(yield_per=_ROWS_A_FETCH).execute(query).mappings()
            for row in stream:
                self._check(_as_written(row))
        except DBAPIError as error:
            if not is_damage(getattr(error.orig, "sqlite_errorname", "")):
                raise
            result.add("unreadable", self._last.sequence + 1)
            return result
        self._check_end()
        return result

    def _start_after_purges(self) -> None:
        query = select(tables.purges).order_by(tables.purges.c.sequence)
        for row in self._connection.execute(query).mappings():
            if self._key.signed(row["signature"], "purge", [row["sequence"], row["hash"], row["time"]]):
                self._last = Head(row["sequence"], row["hash"])
                self._result.purged = row["sequence"]
            else:
                self._result.add("purge", row["sequence"] if type(row["sequence"]) is int else 0)

    def _check(self, row: tables.Row) -> None:
        result, last = self._result, self._last
        sequence: int = row["sequence"]
        result.rows += 1
        if type(sequence) is not int:  # SQLite stores values of any type in any column
            result.add("foreign", 0)
            return
        if sequence <= result.purged or (self._end is not None and sequence > self._end):
            result.add("foreign", sequence)
            return
        if sequence > last.sequence + 1:
            result.add("missing", last.sequence + 1, sequence - 1)
        if row["erased"] is not None or row["tombstone"] is not None:
            self._check_erased(row)
        elif chain.content_digest(self._key, row) != row["content"]:
            result.add("changed", sequence)
        # After a gap the row before is not known: the gap itself is the defect.
        if sequence == last.sequence + 1 and chain.row_hash(self._key, last.hash, row) != row["hash"]:
            result.add("unlinked", sequence)
        self._last = Head(sequence, row["hash"])
        self._anchor(self._last)

    def _check_erased(self, row: tables.Row) -> None:
        self._result.erased += 1
        empty = all(row[name] is None for name in (*CONTENT, "salt"))
        if not empty or row["tombstone"] != chain.tombstone(self._key, row, row["erased"]):
            self._result.add("erasure", row["sequence"])

    def _check_end(self) -> None:
        result, last = self._result, self._last
        if self._end is not None and last.sequence < self._end:
            result.add("missing", last.sequence + 1, self._end)
        elif self._end is None or last != result.head:
            result.add("head", last.sequence)
        for sequence in self._anchors:
            if sequence >= result.purged:
                result.add("anchor", sequence)

    def _anchor(self, row: Head) -> None:
        """Drop an anchor that holds; those left at the end do not."""
        if self._anchors.get(row.sequence) == row.hash:
            del self._anchors[row.sequence]


def _as_written(row: tables.Row) -> tables.Row:
    """The row as it was signed: SQLite stores 1 and 0 for true and false."""
    redact = row["redact"]
    return {**row, "redact": redact == 1} if type(redact) is int and redact in (0, 1) else row


def read_anchors(file: Path) -> dict[int, str]:
    """Hashes by sequence from what `evenmatch log head` printed, one record a line.

    Raises `TableError` for a file that cannot be read, that holds no anchor, or anything but anchors.
    """
    anchors: dict[int, str] = {}
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{file} cannot be read: {type(error).__name__}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        sequence, value = _anchor(line, f"{file} line {number}")
        if anchors.setdefault(sequence, value) != value:
            raise TableError(f"{file} line {number}: contradicts an earlier anchor of the same row")
    if not anchors:
        raise TableError(f"{file} holds no anchor")
    return anchors


def _anchor(line: str, where: str) -> tuple[int, str]:
    try:
        record = json.loads(line)
        sequence, value = record["sequence"], record["hash"]
    except (ValueError, TypeError, KeyError, RecursionError):
        sequence, value = None, None
    if type(sequence) is not int or not isinstance(value, str):
        raise TableError(f"{where}: not a record of `evenmatch log head`")
    return sequence, value
