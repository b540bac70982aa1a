"""The writer when database, disk or process fail: what was acknowledged is kept, in order, once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.core.errors import StoreDownError, StoreError
from service.store.chain import LogKey
from service.store.decisions import Decision
from service.store.log import Appended, DecisionLog
from service.store.recorder import DATABASE_FILE, StoreOptions
from service.store.spool import spooled_lines
from service.store.sqlite import sqlite_url
from service.store.verification import verify
from tests.service.store.recorders import Begin, Disk, Watcher, ids, log_of, stored
from tests.support.decision_logs import candidates, decision, decisions
from tests.support.patience import wait_until
from tests.support.postgres import PostgresServer


async def test_spool_keeps_on_disk_what_the_database_does_not_take_and_replays_it_in_order(
    begin: Begin, tmp_path: Path, disk: Disk, watcher: Watcher
) -> None:
    recorder = begin()
    await recorder.record([decision(1)])
    wait_until(lambda: watcher.stored == 1)
    disk.database = False
    await recorder.record([decision(2)])  # acknowledged before anybody knew
    wait_until(lambda: recorder.state == "spooling")
    for number in range(3, 8):
        await recorder.record([decision(number)])
        assert spooled_lines(tmp_path / "spool") == number - 1  # on disk before the answer
    recorder.check()
    disk.database = True
    wait_until(lambda: recorder.state == "ok")
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
    wait_until(lambda: recorder.state == "down")
    wait_until(lambda: watcher.spooled == 1)  # a crash now would not lose it
    with pytest.raises(StoreDownError, match="database of decisions is away") as caught:
        recorder.check()
    assert caught.value.retry_after > 0
    with pytest.raises(StoreDownError):
        await recorder.record([decision(2)])
    disk.database = True
    wait_until(lambda: recorder.state == "ok")
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
    wait_until(lambda: recorder.state == "ok")
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
    wait_until(lambda: recorder.state == "down")
    with pytest.raises(StoreDownError, match="neither in the database nor on disk"):
        await recorder.record([decision(3)])
    disk.spool = True  # there is room again, without anybody asking
    wait_until(lambda: recorder.state == "spooling")
    await recorder.record([decision(4)])
    disk.database = True
    wait_until(lambda: recorder.state == "ok")
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
    wait_until(lambda: recorder.state == "ok")
    assert stored(tmp_path) == ["c-1", "c-2"]


async def test_a_commit_that_was_never_confirmed_is_not_stored_twice(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = DecisionLog.append
    lost = [True, True]

    def unconfirmed(log: DecisionLog, given: Sequence[Decision]) -> Appended:
        done = append(log, given)
        if lost:
            lost.pop()
            raise StoreError("the connection broke off")
        return done

    monkeypatch.setattr(DecisionLog, "append", unconfirmed)
    recorder = begin(durable=True)
    await recorder.record(decisions(2))  # committed, unconfirmed, spooled; replayed unconfirmed once more
    wait_until(lambda: recorder.state == "ok" and not lost)
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
    wait_until(lambda: again.state == "ok")
    assert stored(tmp_path) == ids(decisions(4))


async def test_a_locked_database_is_waited_for_and_then_spooled_around(
    begin: Begin, tmp_path: Path, watcher: Watcher
) -> None:
    recorder = begin(database_seconds=0.3)
    await recorder.record([decision(1)])
    wait_until(lambda: watcher.stored == 1)
    other = log_of(tmp_path)
    with other.writing():
        await recorder.record([decision(2)])
        wait_until(lambda: recorder.state == "spooling")
        await recorder.record([decision(3)])
        assert spooled_lines(tmp_path / "spool") == 2
    other.close()
    wait_until(lambda: recorder.state == "ok")
    assert stored(tmp_path) == ids(decisions(3))


async def test_a_full_database_is_spooled_around(begin: Begin, tmp_path: Path, watcher: Watcher) -> None:
    recorder = begin()
    await recorder.record(decisions(100))
    wait_until(lambda: watcher.stored == 100)
    engine = recorder._log.engine

    def limit(pages: int) -> None:
        engine.dispose()
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").close()

    limit(1)  # it may not grow beyond what it has
    for start in range(101, 1_000, 50):
        await recorder.record(decisions(50, start))
    wait_until(lambda: watcher.failures > 0)
    recorder.check()
    limit(1_000_000)
    wait_until(lambda: recorder.state == "ok")
    recorder.stop()
    assert stored(tmp_path) == ids(decisions(1_000))


@pytest.mark.postgres
async def test_postgresql_may_go_away_and_come_back(
    begin: Begin, tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    recorder = begin(database_url=postgres_url)
    await recorder.record(decisions(2))
    wait_until(lambda: recorder._writer._queue._decisions == 0)
    postgres_server.stop()
    try:
        await recorder.record([decision(3)])
        wait_until(lambda: recorder.state == "spooling")
        await recorder.record([decision(4)])
    finally:
        postgres_server.start()
    wait_until(lambda: recorder.state == "ok")
    await recorder.record([decision(5)])
    recorder.stop()
    log = StoreOptions(data_dir=tmp_path, database_url=postgres_url).open_log()
    assert verify(log).broken == 0
    assert candidates(log) == ids(decisions(5))
    log.close()


@pytest.mark.postgres
def test_a_lock_held_in_postgresql_ends_in_an_error_not_in_waiting_forever(
    postgres_url: str, tmp_path: Path
) -> None:
    options = StoreOptions(data_dir=tmp_path, database_url=postgres_url, database_seconds=2.0)
    one, other = options.open_log(create_key=True), options.open_log()
    one.open()
    with one.writing() as connection:
        one.locked_head(connection)
        with pytest.raises(StoreError, match="LockNotAvailable"):
            other.append(decisions(1))
    assert other.append(decisions(1)).stored == 1
    one.close()
    other.close()


async def test_without_a_folder_for_the_spool_all_goes_well_until_it_is_needed(
    begin: Begin, tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool").write_text("no folder")
    recorder = begin(durable=True)
    assert "the spool cannot be used" in caplog.text
    await recorder.record([decision(1)])
    disk.database = False
    with pytest.raises(StoreDownError, match="neither in the database nor on disk"):
        await recorder.record([decision(2)])
    assert recorder.state == "down"
    disk.database = True
    wait_until(lambda: recorder.state == "ok")
    await recorder.record([decision(3)])
    assert stored(tmp_path) == ["c-1", "c-3"]


def test_a_data_folder_that_cannot_be_written_to_is_not_ready_at_once(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    recorder = begin(data_dir=tmp_path / "data", log_key=SecretStr("a key that needs no file"))
    for check in (recorder.check, recorder.check_ready):
        with pytest.raises(StoreDownError, match="neither in the database nor on disk: Not a directory"):
            check()
    (tmp_path / "data").unlink()
    wait_until(lambda: recorder.state == "ok")
    recorder.check_ready()


async def test_a_log_that_gets_another_key_while_it_is_away_is_not_written_to(
    begin: Begin, tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    other = DecisionLog(sqlite_url(tmp_path / DATABASE_FILE), LogKey(b"other"))
    other.open()
    other.close()
    disk.database = False
    recorder = begin()
    disk.database = True
    wait_until(lambda: "begun under another key" in caplog.text)
    await recorder.record([decision(1)])
    assert recorder.state == "spooling"
    assert spooled_lines(tmp_path / "spool") == 1
