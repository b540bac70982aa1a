"""The writer of one process: what is acknowledged is kept, in order, whatever fails."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.core.errors import ConfigurationError, ShuttingDownError, StoreDownError, StoreError
from service.store.decision import Decision
from service.store.log import DecisionLog, Head
from service.store.observer import StoreObserver
from service.store.recorder import Recorder, StoreOptions
from service.store.spool import Spool, spooled_lines
from service.store.submissions import Submission, SubmissionQueue
from service.store.verification import verify
from tests.postgres import PostgresServer
from tests.service.store.conftest import candidates, decision, decisions


class Watcher(StoreObserver):
    def __init__(self) -> None:
        self.stored = self.failures = self.queued = self.spooled = 0

    def decisions_stored(self, decisions: int) -> None:
        self.stored += decisions

    def store_failed(self) -> None:
        self.failures += 1

    def store_queue_changed(self, decisions: int) -> None:
        self.queued = decisions

    def spool_changed(self, decisions: int) -> None:
        self.spooled = decisions


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def ids(given: Sequence[Decision]) -> list[str]:
    return [one.candidate_id for one in given]


Begin = Callable[..., Recorder]


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def begin(tmp_path: Path, watcher: Watcher) -> Iterator[Begin]:
    """Start a recorder with its files in `tmp_path`; stopped at the end."""
    started = []

    def start(**options: object) -> Recorder:
        recorder = Recorder(
            StoreOptions(**{"data_dir": tmp_path, "timeout": 2.0, "retention_days": 36_500, **options}),  # type: ignore[arg-type]
            watcher,
        )
        recorder.start()
        started.append(recorder)
        return recorder

    yield start
    for recorder in started:
        recorder.stop()


class Disk:
    """What the store's two places do: `database` and `spool` may be taken away and given back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database = self.spool = True
        append, open_log = DecisionLog.append, DecisionLog.open
        spool_append, probe = Spool.append, Spool.probe

        def check(there: bool) -> None:
            if not there:
                raise StoreError("the database failed: for a test")

        def append_if_there(log: DecisionLog, given: Sequence[Decision]) -> int:
            check(self.database)
            return append(log, given)

        def open_if_there(log: DecisionLog) -> Head:
            check(self.database)
            return open_log(log)

        def check_disk() -> None:
            if not self.spool:
                raise OSError(errno.ENOSPC, "No space left on device")

        def spool_if_room(spool: Spool, given: Sequence[Decision]) -> None:
            check_disk()
            spool_append(spool, given)

        def probe_if_room(spool: Spool) -> None:
            check_disk()
            probe(spool)

        monkeypatch.setattr(DecisionLog, "append", append_if_there)
        monkeypatch.setattr(DecisionLog, "open", open_if_there)
        monkeypatch.setattr(Spool, "append", spool_if_room)
        monkeypatch.setattr(Spool, "probe", probe_if_room)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def log_of(folder: Path) -> DecisionLog:
    return StoreOptions(data_dir=folder).open_log()


def stored(folder: Path) -> list[str | None]:
    """Candidate ids in the database; the chain must hold."""
    log = log_of(folder)
    try:
        assert verify(log).broken == 0
        return candidates(log)
    finally:
        log.close()


async def test_a_stop_keeps_everything_recorded(begin: Begin, tmp_path: Path, watcher: Watcher) -> None:
    recorder = begin()
    for number in range(1, 101):
        await recorder.record([decision(number)])
    recorder.stop()
    assert stored(tmp_path) == ids(decisions(100))
    assert (watcher.stored, watcher.queued, watcher.failures) == (100, 0, 0)
    with pytest.raises(ShuttingDownError):
        await recorder.record([decision(101)])


async def test_the_default_answers_first_and_commits_soon(begin: Begin, tmp_path: Path) -> None:
    recorder = begin()
    await recorder.record(decisions(2))
    until(lambda: stored(tmp_path) == ["c-1", "c-2"])


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

    def slow(log: DecisionLog, given: Sequence[Decision]) -> int:
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


async def test_spool_keeps_on_disk_what_the_database_does_not_take_and_replays_it_in_order(
    begin: Begin, tmp_path: Path, disk: Disk, watcher: Watcher
) -> None:
    recorder = begin()
    await recorder.record([decision(1)])
    until(lambda: watcher.stored == 1)
    disk.database = False
    await recorder.record([decision(2)])  # acknowledged before anybody knew
    until(lambda: recorder.state == "spooling")
    for number in range(3, 8):
        await recorder.record([decision(number)])
        assert spooled_lines(tmp_path / "spool") == number - 1  # on disk before the answer
    recorder.check()
    disk.database = True
    until(lambda: recorder.state == "ok")
    await recorder.record([decision(8)])
    recorder.stop()
    assert stored(tmp_path) == ids(decisions(8))
    assert spooled_lines(tmp_path / "spool") == 0
    assert (watcher.stored, watcher.spooled) == (8, 0)
    assert watcher.failures >= 1


async def test_refuse_takes_nothing_new_and_keeps_what_was_acknowledged(
    begin: Begin, tmp_path: Path, disk: Disk, watcher: Watcher
) -> None:
    recorder = begin(on_failure="refuse")
    disk.database = False
    await recorder.record([decision(1)])
    until(lambda: recorder.state == "down")
    until(lambda: watcher.spooled == 1)  # a crash now would not lose it
    with pytest.raises(StoreDownError, match="database of decisions is away") as caught:
        recorder.check()
    assert caught.value.retry_after > 0
    with pytest.raises(StoreDownError):
        await recorder.record([decision(2)])
    disk.database = True
    until(lambda: recorder.state == "ok")
    await recorder.record([decision(3)])
    recorder.stop()
    assert stored(tmp_path) == ["c-1", "c-3"]


async def test_refuse_and_durable_never_store_what_was_refused(
    begin: Begin, tmp_path: Path, disk: Disk
) -> None:
    recorder = begin(on_failure="refuse", durable=True)
    disk.database = False
    with pytest.raises(StoreDownError):
        await recorder.record([decision(1)])
    disk.database = True
    until(lambda: recorder.state == "ok")
    await recorder.record([decision(2)])
    assert stored(tmp_path) == ["c-2"]


@pytest.mark.parametrize("durable", [False, True])
async def test_with_neither_database_nor_disk_nothing_is_taken_and_nothing_is_lost(
    begin: Begin, tmp_path: Path, disk: Disk, durable: bool
) -> None:
    recorder = begin(durable=durable)
    await recorder.record([decision(1)])
    disk.database = disk.spool = False
    acknowledged = ["c-1"]
    try:
        await recorder.record([decision(2)])
        acknowledged.append("c-2")
    except StoreDownError:
        assert durable
    until(lambda: recorder.state == "down")
    with pytest.raises(StoreDownError, match="neither in the database nor on disk"):
        await recorder.record([decision(3)])
    disk.spool = True  # there is room again, without anybody asking
    until(lambda: recorder.state == "spooling")
    await recorder.record([decision(4)])
    disk.database = True
    until(lambda: recorder.state == "ok")
    recorder.stop()
    assert stored(tmp_path) == [*acknowledged, "c-4"]


async def test_a_stop_while_the_database_is_away_leaves_a_spool_for_the_next_start(
    begin: Begin, tmp_path: Path, disk: Disk
) -> None:
    recorder = begin(on_failure="refuse")
    disk.database = False
    await recorder.record(decisions(3))
    recorder.stop()
    assert spooled_lines(tmp_path / "spool") == 3
    disk.database = True
    again = begin(on_failure="refuse")
    await again.record([decision(4)])
    again.stop()
    assert stored(tmp_path) == ids(decisions(4))


async def test_a_database_that_is_away_at_the_start_may_come_later(
    begin: Begin, tmp_path: Path, disk: Disk
) -> None:
    disk.database = False
    recorder = begin()
    assert recorder.state == "spooling"
    await recorder.record(decisions(2))
    disk.database = True
    until(lambda: recorder.state == "ok")
    assert stored(tmp_path) == ["c-1", "c-2"]


async def test_a_commit_that_was_never_confirmed_is_not_stored_twice(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = DecisionLog.append
    lost = [True, True]

    def unconfirmed(log: DecisionLog, given: Sequence[Decision]) -> int:
        done = append(log, given)
        if lost:
            lost.pop()
            raise StoreError("the connection broke off")
        return done

    monkeypatch.setattr(DecisionLog, "append", unconfirmed)
    recorder = begin(durable=True)
    await recorder.record(decisions(2))  # committed, unconfirmed, spooled; replayed unconfirmed once more
    until(lambda: recorder.state == "ok" and not lost)
    await recorder.record([decision(3)])
    assert stored(tmp_path) == ["c-1", "c-2", "c-3"]


async def test_a_replay_that_broke_off_goes_on_after_a_restart(
    begin: Begin, tmp_path: Path, disk: Disk
) -> None:
    disk.database = False
    recorder = begin()
    await recorder.record(decisions(4))
    recorder.stop()
    disk.database = True
    log = log_of(tmp_path)
    log.open()
    log.append(decisions(2))  # what a process stored before it was killed
    log.close()
    again = begin()
    until(lambda: again.state == "ok")
    assert stored(tmp_path) == ids(decisions(4))


async def test_a_full_queue_makes_answers_wait_and_then_refuses(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.writer.QUEUE_LIMIT", 10)
    release = threading.Event()
    append = DecisionLog.append

    def blocked(log: DecisionLog, given: Sequence[Decision]) -> int:
        release.wait(20)
        return append(log, given)

    monkeypatch.setattr(DecisionLog, "append", blocked)
    recorder = begin()
    await recorder.record([decision(1)])
    await asyncio.sleep(0.5)  # the writer has it in hand
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

    def bug(log: DecisionLog, given: Sequence[Decision]) -> int:
        raise TypeError("a bug")

    monkeypatch.setattr(DecisionLog, "append", bug)
    with pytest.raises(StoreDownError):
        await recorder.record([decision(1)])
    until(lambda: recorder.state == "down")
    with pytest.raises(StoreDownError, match="must be restarted"):
        await recorder.record([decision(2)])


async def test_another_key_stops_the_start(begin: Begin, tmp_path: Path) -> None:
    recorder = begin()
    recorder.stop()
    other = Recorder(StoreOptions(data_dir=tmp_path, key="another key of the log"))
    with pytest.raises(ConfigurationError, match="another key"):
        other.start()


async def test_old_decisions_are_purged_at_the_start(begin: Begin, tmp_path: Path) -> None:
    log = log_of_new(tmp_path)
    now = datetime.now(UTC)
    log.append([decision(n, time=now - timedelta(days=age)) for n, age in ((1, 185), (2, 184), (3, 182))])
    log.close()
    begin(retention_days=183)
    until(lambda: stored(tmp_path) == ["c-3"])


def log_of_new(folder: Path) -> DecisionLog:
    log = StoreOptions(data_dir=folder).open_log(create_key=True)
    log.open()
    return log


async def test_a_locked_database_is_waited_for_and_then_spooled_around(
    begin: Begin, tmp_path: Path, watcher: Watcher
) -> None:
    recorder = begin(timeout=0.3)
    await recorder.record([decision(1)])
    until(lambda: watcher.stored == 1)
    other = log_of(tmp_path)
    with other.writing():
        await recorder.record([decision(2)])
        until(lambda: recorder.state == "spooling")
        await recorder.record([decision(3)])
        assert spooled_lines(tmp_path / "spool") == 2
    other.close()
    until(lambda: recorder.state == "ok")
    assert stored(tmp_path) == ids(decisions(3))


async def test_a_full_database_is_spooled_around(begin: Begin, tmp_path: Path, watcher: Watcher) -> None:
    recorder = begin()
    await recorder.record(decisions(100))
    until(lambda: watcher.stored == 100)
    engine = recorder._log.engine

    def limit(pages: int) -> None:
        engine.dispose()
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").close()

    limit(1)  # it may not grow beyond what it has
    for start in range(101, 1_000, 50):
        await recorder.record(decisions(50, start))
    until(lambda: watcher.failures > 0)
    recorder.check()
    limit(1_000_000)
    until(lambda: recorder.state == "ok")
    recorder.stop()
    assert stored(tmp_path) == ids(decisions(1_000))


async def test_a_database_file_that_is_deleted_is_noticed_and_begun_anew(
    begin: Begin, tmp_path: Path, watcher: Watcher
) -> None:
    recorder = begin(durable=True)
    await recorder.record([decision(1)])
    for file in tmp_path.glob("decisions.sqlite*"):
        file.unlink()
    await recorder.record([decision(2)])
    until(lambda: recorder.state == "ok")
    assert stored(tmp_path) == ["c-2"]
    assert watcher.failures >= 1


@pytest.mark.postgres
async def test_postgresql_may_go_away_and_come_back(
    begin: Begin, tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    recorder = begin(url=postgres_url)
    await recorder.record(decisions(2))
    until(lambda: recorder._writer._queue._decisions == 0)
    postgres_server.stop()
    try:
        await recorder.record([decision(3)])
        until(lambda: recorder.state == "spooling")
        await recorder.record([decision(4)])
    finally:
        postgres_server.start()
    until(lambda: recorder.state == "ok")
    await recorder.record([decision(5)])
    recorder.stop()
    log = StoreOptions(data_dir=tmp_path, url=postgres_url).open_log()
    assert verify(log).broken == 0
    assert candidates(log) == ids(decisions(5))
    log.close()


@pytest.mark.postgres
def test_a_lock_held_in_postgresql_ends_in_an_error_not_in_waiting_forever(
    postgres_url: str, tmp_path: Path
) -> None:
    options = StoreOptions(data_dir=tmp_path, url=postgres_url, timeout=0.5)
    one, other = options.open_log(create_key=True), options.open_log()
    one.open()
    with one.writing() as connection:
        one.locked_head(connection)
        with pytest.raises(StoreError, match="LockNotAvailable"):
            other.append(decisions(1))
    assert other.append(decisions(1)) == 1
    one.close()
    other.close()


def test_the_queue_gives_out_batches_up_to_a_size() -> None:
    queue = SubmissionQueue(100, lambda _: None)
    for start in (1, 4, 7):
        queue.put(Submission(decisions(3, start)))
    batch = queue.take(0, 0, 6)
    assert batch is not None
    assert [len(one.decisions) for one in batch] == [3, 3]
    queue.close()
    assert len(queue.take(0, 0, 1) or []) == 1
    assert queue.take(None, 0, 1) is None


def test_the_queue_gathers_unless_an_answer_waits() -> None:
    queue = SubmissionQueue(100, lambda _: None)
    queue.put(Submission([decision(1)]))
    started = time.monotonic()
    assert len(queue.take(None, 0.2, 10) or []) == 1
    assert time.monotonic() - started >= 0.15
    queue.put(Submission([decision(2)], waiting=True))
    assert len(queue.take(None, 3_600, 10) or []) == 1
    assert queue.take(0, 3_600, 10) == []
