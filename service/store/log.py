"""The decision log in one database: one chain, whichever and however many processes append to it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from service.core.errors import ConfigurationError, StoreError
from service.store import chain, tables
from service.store.arrays import insert_rows
from service.store.chain import LogKey
from service.store.database import BUSY_SECONDS, lock_migrations, migrate, open_database
from service.store.decisions import Answer, Decision
from service.store.hourly_counts import count_decisions
from service.store.idempotency import claim_keys
from service.store.sqlite import HeldFile, file_of, hold, release
from service.store.transactions import brief, snapshot, store_errors, transaction

log = logging.getLogger(__name__)

_IDS_A_QUERY = 500
_PAUSE_SECONDS = 0.05

_BEGINNING = 7013443
"""Of the advisory lock of whoever purges; `migrate` has one beside it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain. `authentic`: whether it was signed with our key."""

    sequence: int
    hash: str
    authentic: bool = True


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of decisions: `stored` of them are new. `answers`: by key, the answer that counts.

    `left_out` were not stored because another request with the same `Idempotency-Key` came first.
    """

    stored: int
    left_out: int
    answers: Mapping[str, Answer]


class DecisionLog:
    """Thread-safe. Every failure of the database is a `StoreError`, without any content of a row."""

    def __init__(self, url: str, key: LogKey, *, timeout: float = BUSY_SECONDS, frozen: bool = False) -> None:
        """`timeout`: seconds to wait for a lock or a server. `frozen`: a SQLite file that nobody writes to.

        Raises `ConfigurationError` for a bad URL.
        """
        self.key = key
        self.engine = open_database(url, timeout=timeout, frozen=frozen)
        self.file = file_of(self.engine.url) if self.engine.dialect.name == "sqlite" else None
        self._timeout = timeout
        self._held: HeldFile | None = None

    def open(self) -> Head:
        """Make or migrate the tables, and begin the chain if there is none yet.

        From then until `close` a SQLite file is held: if it is deleted or replaced, nothing in this process
        writes to the file that is there instead.

        Raises `ConfigurationError` if the log was begun under another key, `StoreError` if the database
        cannot be used.
        """
        with store_errors():
            if self.file is not None and self._held is None:
                self._held = hold(self.file, self._timeout)
            self.check()
            migrate(self.engine)
        with self.writing() as connection:
            lock_migrations(connection)  # else two processes would begin the chain at the same time
            if connection.execute(select(func.count()).select_from(tables.head)).scalar_one() == 0:
                if connection.execute(select(tables.decisions.c.sequence).limit(1)).first() is not None:
                    raise StoreError("the decision log has rows but no head: see `evenmatch log verify`")
                log.info("a new decision log begins, under key %s", self.key.id)
                first = Head(0, chain.genesis(self.key))
                connection.execute(insert(tables.head).values(id=1, **self._signed(first)))
            return self.locked_head(connection)

    def append(self, decisions: Sequence[Decision]) -> Appended:
        """Chain and store decisions, all or none, with the answers under their keys.

        Leaves out decisions that are stored already, so that a batch whose commit was never confirmed can
        be given again, and those of a request whose key was answered with others. PostgreSQL has the log's
        time limit for all of it, from connecting to the commit.
        """
        with brief(self.engine), self.writing() as connection:
            # From here on no other process appends: the two lookups below stay true until the commit.
            last = self.locked_head(connection)
            unknown = self._unknown(connection, decisions)
            claimed = claim_keys(connection, unknown)
            fresh = claimed.kept
            appended = Appended(len(fresh), len(unknown) - len(fresh), claimed.answers)
            if not fresh:
                return appended
            rows = []
            for decision in fresh:
                rows.append(chain.chained(self.key, decision, last.sequence + 1, last.hash))
                last = Head(last.sequence + 1, rows[-1]["hash"])
            if connection.dialect.name == "postgresql":
                insert_rows(connection, tables.decisions, rows)
            else:
                connection.execute(insert(tables.decisions), rows)
            count_decisions(connection, fresh)
            connection.execute(update(tables.head).values(self._signed(last)))
            return appended

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that may write."""
        with store_errors(), transaction(self.engine) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that sees one state of the database, however long it takes."""
        with store_errors(), snapshot(self.engine) as connection:
            yield connection

    def cut_off_journal(self) -> None:
        """Empty SQLite's journal, which still holds erased rows as they were. Does nothing for a server.

        Raises `StoreError` if somebody reads the journal for longer than the time limit.
        """
        if self.engine.dialect.name != "sqlite":
            return
        deadline = time.monotonic() + self._timeout
        with store_errors(), closing(self.engine.raw_connection()) as connection:
            while connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise StoreError(
                        "the rows are gone, but SQLite's journal, which still holds them, is being read: do "
                        "the same again when no verify, export or backup runs"
                    )
                # SQLite waits for readers by itself, but not for another connection that does this too.
                time.sleep(_PAUSE_SECONDS)

    def locked_head(self, connection: Connection) -> Head:
        """The head, locked: no other process can append until the transaction ends.

        Raises `ConfigurationError` if it is of another key, `StoreError` if it is missing or was changed.
        """
        return self._checked_head(connection, lock=True)

    def lock_beginning(self, connection: Connection) -> None:
        """Only one process takes rows off the front of the chain until the transaction ends.

        On PostgreSQL decisions are appended meanwhile; SQLite has one writer anyway. Raises as `locked_head`.
        """
        if connection.dialect.name != "postgresql":
            self.locked_head(connection)
            return
        connection.execute(select(func.pg_advisory_xact_lock(_BEGINNING)))
        self._checked_head(connection, lock=False)

    def head(self, connection: Connection, *, lock: bool = False) -> Head | None:
        """The head as stored, None without one. Raises `ConfigurationError` if it is of another key."""
        query = select(tables.head).where(tables.head.c.id == 1)
        row = connection.execute(query.with_for_update() if lock else query).mappings().first()
        if row is None:
            return None
        authentic = self.key.signed(row["signature"], "head", [row["sequence"], row["hash"], row["key_id"]])
        if not authentic and isinstance(row["key_id"], str) and row["key_id"] != self.key.id:
            raise ConfigurationError(
                f"the decision log was begun under another key ({row['key_id']}, not {self.key.id}): all "
                "processes need the same log_key",
                field="log_key",
            )
        return Head(row["sequence"], row["hash"], authentic)

    @property
    def is_held(self) -> bool:
        """Whether a file is held. Nothing may then be put in its place, even if it was deleted."""
        return self._held is not None

    def check(self) -> None:
        """Raise `DatabaseLostError` if the file is gone, `DatabaseDamagedError` if it is damaged."""
        if self._held is not None:
            self._held.check()

    def rescue(self) -> None:
        """Save what a lost database held, if that was not done yet. Raises `StoreError` if it fails."""
        if self._held is not None:
            self._held.rescue()

    def disconnect(self) -> None:
        """Close the connections, but keep the file held; they are opened again when needed."""
        self.engine.dispose()

    def close(self) -> None:
        """Close the connections and release the file."""
        self.engine.dispose()
        if self._held is not None:
            release(self._held)
            self._held = None

    def _checked_head(self, connection: Connection, *, lock: bool) -> Head:
        head = self.head(connection, lock=lock)
        if head is None:
            raise StoreError("the decision log has no head: see `evenmatch log verify`")
        if not head.authentic:
            raise StoreError("the head of the decision log was changed: see `evenmatch log verify`")
        return head

    def _signed(self, head: Head) -> dict[str, Any]:
        signature = self.key.sign("head", [head.sequence, head.hash, self.key.id])
        return {
            "sequence": head.sequence,
            "hash": head.hash,
            "key_id": self.key.id,
            "signature": signature,
        }

    @staticmethod
    def _unknown(connection: Connection, decisions: Sequence[Decision]) -> list[Decision]:
        by_id = {decision.decision_id: decision for decision in decisions}
        ids = list(by_id)
        column = tables.decisions.c.decision_id
        for start in range(0, len(ids), _IDS_A_QUERY):
            query = select(column).where(column.in_(ids[start : start + _IDS_A_QUERY]))
            for known in connection.execute(query).scalars().all():
                del by_id[known]
        return list(by_id.values())
