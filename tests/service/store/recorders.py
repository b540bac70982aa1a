"""A recorder under test: who watches it, what its places do, what it left behind."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from service.core.errors import StoreError
from service.store import tables
from service.store.decisions import Answer, Decision
from service.store.log import Appended, DecisionLog, Head
from service.store.recorder import Recorder, StoreOptions
from service.store.spool import Spool
from service.store.verification import verify
from service.store.writer import StoreObserver

Begin = Callable[..., Recorder]


class Watcher(StoreObserver):
    def __init__(self) -> None:
        self.stored = self.failures = self.queued = self.spooled = self.lost = 0

    def decisions_stored(self, decisions: int) -> None:
        self.stored += decisions

    def store_failed(self) -> None:
        self.failures += 1

    def store_lost(self) -> None:
        self.lost = 1

    def store_queue_changed(self, decisions: int) -> None:
        self.queued = decisions

    def spool_changed(self, decisions: int) -> None:
        self.spooled = decisions


def ids(given: Sequence[Decision]) -> list[str]:
    return [one.candidate_id for one in given]


class Disk:
    """What the store's two places do: `database` and `spool` may be taken away and given back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database = self.spool = True
        append, open_log = DecisionLog.append, DecisionLog.open
        spool_append, probe = Spool.append, Spool.probe

        def check(there: bool) -> None:
            if not there:
                raise StoreError("the database failed: for a test")

        def append_if_there(log: DecisionLog, given: Sequence[Decision]) -> Appended:
            check(self.database)
            return append(log, given)

        def open_if_there(log: DecisionLog) -> Head:
            check(self.database)
            return open_log(log)

        def check_disk() -> None:
            if not self.spool:
                raise OSError(errno.ENOSPC, "No space left on device")

        def spool_if_room(spool: Spool, given: Sequence[Decision]) -> Mapping[str, Answer]:
            check_disk()
            return spool_append(spool, given)

        def probe_if_room(spool: Spool) -> None:
            check_disk()
            probe(spool)

        monkeypatch.setattr(DecisionLog, "append", append_if_there)
        monkeypatch.setattr(DecisionLog, "open", open_if_there)
        monkeypatch.setattr(Spool, "append", spool_if_room)
        monkeypatch.setattr(Spool, "probe", probe_if_room)


def log_of(folder: Path) -> DecisionLog:
    return StoreOptions(data_dir=folder).open_log()


def stored(folder: Path) -> list[str | None]:
    """Candidate ids in the database; the chain must hold."""
    log = log_of(folder)
    try:
        assert verify(log).broken == 0
        with log.reading() as connection:
            query = select(tables.decisions.c.candidate_id).order_by(tables.decisions.c.sequence)
            return list(connection.execute(query).scalars())
    finally:
        log.close()
