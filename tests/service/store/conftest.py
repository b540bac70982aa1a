from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from service.store.chain import LogKey
from service.store.log import DecisionLog
from service.store.recorder import Recorder, StoreOptions, open_recorder
from service.store.sqlite import sqlite_url
from tests.service.store.recorders import Begin, Disk, Watcher
from tests.support.decision_logs import KEY, OpenLog


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
