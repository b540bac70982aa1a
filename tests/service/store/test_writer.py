"""The writer of one process when all is well: what it promises, how it shares commits, when it is full."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.core.errors import ConfigurationError, ShuttingDownError, StoreDownError
from service.store.decisions import Decision
from service.store.log import Appended, DecisionLog
from service.store.recorder import StoreOptions, open_recorder
from tests.service.store.recorders import Begin, Disk, Watcher, ids, stored
from tests.support.decision_logs import decision, decisions
from tests.support.patience import PATIENCE, wait_until


def log_of_new(folder: Path) -> DecisionLog:
    log = StoreOptions(data_dir=folder).open_log(create_key=True)
    log.open()
    return log


async def test_a_stop_keeps_everything_recorded(begin: Begin, tmp_path: Path, watcher: Watcher) -> None:
    recorder = begin()
    for number in range(1, 101):
        await recorder.record([decision(number)])
    recorder.stop()
    assert stored(tmp_path) == ids(decisions(100))
    assert (watcher.stored, watcher.queued, watcher.failures) == (100, 0, 0)
    with pytest.raises(ShuttingDownError):
        await recorder.record([decision(101)])


async def test_what_is_not_durable_is_answered_first_and_committed_soon(begin: Begin, tmp_path: Path) -> None:
    recorder = begin()
    await recorder.record(decisions(2))
    wait_until(lambda: stored(tmp_path) == ["c-1", "c-2"])


async def test_durable_answers_after_the_commit(begin: Begin, tmp_path: Path) -> None:
    recorder = begin(durable=True)
    for number in (1, 2, 3):
        await recorder.record([decision(number)])
        assert stored(tmp_path)[-1] == f"c-{number}"


async def test_requests_at_the_same_time_share_commits(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = []
    append = DecisionLog.append

    def slow(log: DecisionLog, given: Sequence[Decision]) -> Appended:
        commits.append(len(given))
        time.sleep(0.05)
        return append(log, given)

    monkeypatch.setattr(DecisionLog, "append", slow)
    recorder = begin(durable=True)
    await asyncio.gather(*(recorder.record([decision(n)]) for n in range(1, 51)))
    assert sum(commits) == 50
    assert len(commits) < 10


async def test_a_caller_that_hangs_up_takes_nothing_back(begin: Begin, tmp_path: Path, disk: Disk) -> None:
    recorder = begin(durable=True)
    task = asyncio.create_task(recorder.record([decision(1)]))
    await asyncio.sleep(0)
    task.cancel()
    await recorder.record([decision(2)])
    assert stored(tmp_path) == ["c-1", "c-2"]


async def test_a_full_queue_makes_answers_wait_and_then_refuses(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.writer.QUEUE_LIMIT", 10)
    in_hand, release = threading.Event(), threading.Event()
    append = DecisionLog.append

    def blocked(log: DecisionLog, given: Sequence[Decision]) -> Appended:
        in_hand.set()
        release.wait(PATIENCE)
        return append(log, given)

    monkeypatch.setattr(DecisionLog, "append", blocked)
    recorder = begin()
    await recorder.record([decision(1)])
    await asyncio.to_thread(in_hand.wait, PATIENCE)
    await recorder.record(decisions(10, 2))
    waiting = asyncio.create_task(recorder.record(decisions(10, 12)))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    with pytest.raises(StoreDownError, match="20 decisions wait") as caught:
        await recorder.record([decision(22)])
    assert (caught.value.limit, caught.value.actual) == (20, 21)
    release.set()
    await waiting
    assert stored(tmp_path) == ids(decisions(21))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_writer_that_dies_is_said_and_nobody_waits_for_it(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = begin(durable=True)

    def bug(log: DecisionLog, given: Sequence[Decision]) -> Appended:
        raise TypeError("a bug")

    monkeypatch.setattr(DecisionLog, "append", bug)
    with pytest.raises(StoreDownError):
        await recorder.record([decision(1)])
    wait_until(lambda: recorder.state == "down")
    with pytest.raises(StoreDownError, match="must be restarted"):
        await recorder.record([decision(2)])


async def test_another_key_stops_the_start(begin: Begin, tmp_path: Path) -> None:
    recorder = begin()
    recorder.stop()
    with pytest.raises(ConfigurationError, match="another key"):
        open_recorder(StoreOptions(data_dir=tmp_path, log_key=SecretStr("another key of the log")))


async def test_old_decisions_are_purged_at_the_start(begin: Begin, tmp_path: Path) -> None:
    log = log_of_new(tmp_path)
    now = datetime.now(UTC)
    ages = ((1, 185), (2, 184), (3, 182), (4, 1.2), (5, 0.5))
    log.append([decision(n, time=now - timedelta(days=age)) for n, age in ages])
    log.close()
    begin(retention_days=183)
    wait_until(lambda: stored(tmp_path) == ["c-3", "c-4", "c-5"])


async def test_a_clock_that_jumped_ahead_purges_nothing_and_says_so_once(
    begin: Begin, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.retention._PURGE_SECONDS", 0.05)
    log = log_of_new(tmp_path)
    # As if this machine's clock were 185 days ahead.
    log.append([decision(n, time=datetime.now(UTC) - timedelta(days=185, hours=n)) for n in (3, 2, 1)])
    log.close()
    recorder = begin(retention_days=183, durable=True)
    wait_until(lambda: "log purge --force" in caplog.text)
    await recorder.record([decision(4, time=datetime.now(UTC))])
    await asyncio.sleep(0.3)
    recorder.stop()
    assert stored(tmp_path) == ["c-3", "c-2", "c-1", "c-4"]
    assert caplog.text.count("log purge --force") == 1
