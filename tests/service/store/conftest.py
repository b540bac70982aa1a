from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from service.store.chain import LogKey
from service.store.decisions import Decision
from service.store.log import DecisionLog
from service.store.recorder import Recorder, StoreOptions, open_recorder
from service.store.sqlite import sqlite_url
from tests.service.store.recorders import Begin, Disk, Watcher

KEY = LogKey(b"k" * 32)
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)

_TEMPLATE = Decision(
    decision_id="",
    time=DAY,
    request_id="r-1",
    job_id="req-17",
    candidate_id="",
    groups={"sex": "female"},
    raw_score=0.41,
    calibrated_probability=0.7125,
    threshold=0.62,
    decision="selected",
    redact=True,
    bundle_digest="b" * 64,
    engine="openvino",
)


def decision(number: int, **changes: Any) -> Decision:
    """Decision `number`, made at minute `number`, of candidate c-`number`."""
    made = replace(
        _TEMPLATE,
        decision_id=f"00000000-0000-4000-8000-{number:012d}",
        time=DAY + timedelta(minutes=number),
        candidate_id=f"c-{number}",
    )
    return replace(made, **changes)


def decisions(count: int, start: int = 1) -> list[Decision]:
    return [decision(number) for number in range(start, start + count)]


OpenLog = Callable[..., DecisionLog]


@pytest.fixture
def open_log() -> Iterator[OpenLog]:
    """Open a log at a URL; closed at the end."""
    with ExitStack() as stack:

        def begin(url: str, key: LogKey = KEY, timeout: float | None = None) -> DecisionLog:
            # A server is asked for many things within the limit, on a machine that may be busy.
            limit = timeout or (60.0 if url.startswith("postgresql") else 5.0)
            opened = DecisionLog(url, key, timeout=limit)
            stack.callback(opened.close)
            opened.open()
            return opened

        yield begin


@pytest.fixture
def decision_log(url: str, open_log: OpenLog) -> DecisionLog:
    """An open, empty log, on each kind of database in turn."""
    return open_log(url)


@pytest.fixture
def sqlite_log(tmp_path: Path, open_log: OpenLog) -> DecisionLog:
    return open_log(sqlite_url(tmp_path / "log.sqlite"))


def tamper(decision_log: DecisionLog, statement: str, **values: Any) -> None:
    """Change the database behind the log's back."""
    with decision_log.engine.begin() as connection:
        connection.execute(text(statement), values)


def candidates(decision_log: DecisionLog) -> list[str | None]:
    """Candidate ids in the order of the chain."""
    with decision_log.reading() as connection:
        rows = connection.execute(text("SELECT candidate_id FROM decisions ORDER BY sequence"))
        return list(rows.scalars())


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def begin(tmp_path: Path, watcher: Watcher) -> Iterator[Begin]:
    """Start a recorder with its files in `tmp_path`, not durable unless so told; stopped at the end."""
    started = []

    def start(**options: Any) -> Recorder:
        defaults = {"data_dir": tmp_path, "database_seconds": 2.0, "durable": False, "retention_days": 36_500}
        # Unchecked: tests wait for less time than any user may.
        recorder = open_recorder(StoreOptions.model_construct(**{**defaults, **options}), watcher)
        recorder.start()
        started.append(recorder)
        return recorder

    yield start
    for recorder in started:
        recorder.stop()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)
