"""A database lost under the service: where decisions go, what is said, and how all of it comes back."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from service.core.errors import DatabaseDamagedError, DatabaseLostError, StoreDownError
from service.store.chain import load_key
from service.store.log import DecisionLog
from service.store.outcomes import Outcome, record_outcomes
from service.store.recorder import DATABASE_FILE, Recorder
from service.store.right_to_erasure import erase_person
from service.store.sqlite import rescued_copies, sqlite_url
from service.store.tables import outcomes
from tests.service.store.recorders import Begin, Watcher, ids, log_of, stored
from tests.support.decision_logs import KEY, decision, decisions
from tests.support.patience import wait_until

NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / DATABASE_FILE


def delete(file: Path) -> None:
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()


def code(recorder: Recorder) -> str:
    try:
        recorder.check_ready()
    except (DatabaseLostError, DatabaseDamagedError, StoreDownError) as error:
        return error.code
    return ""


async def test_a_deleted_database_is_noticed_and_comes_back_with_all_of_it(
    begin: Begin, tmp_path: Path, watcher: Watcher, file: Path
) -> None:
    recorder = begin(durable=True)
    await recorder.record(decisions(3))
    log = log_of(tmp_path)
    erase_person(log, "c-2")
    record_outcomes(log.engine, [Outcome(decision(1).decision_id, True, "label")], now=NOW, skew=timedelta(1))
    log.close()
    delete(file)
    wait_until(lambda: recorder.state == "spooling")  # before anybody asks for anything
    await recorder.record([decision(4)])
    wait_until(lambda: len(rescued_copies(file)) == 1)
    assert (code(recorder), watcher.lost, file.exists()) == ("store_lost", 1, False)
    assert rescued_copies(file)[0].stat().st_mode & 0o777 == 0o600
    recorder.stop()
    again = begin(durable=True)
    wait_until(lambda: again.state == "ok")
    await again.record([decision(5)])
    again.stop()
    assert stored(tmp_path) == ["c-1", None, "c-3", "c-4", "c-5"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert rescued_copies(file) == []
    with closing(log_of(tmp_path)) as log, log.reading() as connection:
        assert len(connection.execute(select(outcomes)).all()) == 1


async def test_it_stays_lost_whatever_is_put_there_until_the_restart(
    begin: Begin, tmp_path: Path, file: Path
) -> None:
    recorder = begin(durable=True)
    await recorder.record(decisions(2))
    shutil.copy(file, tmp_path / "backup")
    delete(file)
    wait_until(lambda: code(recorder) == "store_lost")
    (tmp_path / "backup").rename(file)
    wait_until(lambda: len(rescued_copies(file)) == 1)
    for number in (3, 4):
        await recorder.record([decision(number)])
        assert (code(recorder), recorder.state) == ("store_lost", "spooling")


async def test_a_lost_database_refuses_decisions_if_so_set(begin: Begin, file: Path) -> None:
    recorder = begin(on_failure="refuse")
    await recorder.record([decision(1)])
    delete(file)
    wait_until(lambda: recorder.state == "down")
    with pytest.raises(StoreDownError):
        recorder.check()


async def test_what_a_backup_put_there_lacks_is_appended_and_who_was_erased_stays_so(
    begin: Begin, tmp_path: Path, file: Path
) -> None:
    recorder = begin(durable=True)
    await recorder.record(decisions(3))
    recorder.stop()
    backup = tmp_path / "backup"
    shutil.copy(file, backup)
    recorder = begin(durable=True)
    await recorder.record(decisions(2, 4))
    log = log_of(tmp_path)
    label = Outcome(decision(1).decision_id, True, "label")
    later = Outcome(decision(5).decision_id, False, "human_decision", NOW)
    record_outcomes(log.engine, [label, later], now=NOW, skew=timedelta(1))
    log.close()
    delete(file)
    backup.rename(file)
    wait_until(lambda: len(rescued_copies(file)) == 1)
    recorder.stop()
    with closing(log_of(tmp_path)) as log:
        erase_person(log, "c-2")  # in the log, while the copy still holds it
    again = begin(durable=True)
    wait_until(lambda: again.state == "ok")
    again.stop()
    assert stored(tmp_path) == ["c-1", None, "c-3", "c-4", "c-5"]
    assert rescued_copies(file) == []
    with closing(log_of(tmp_path)) as log, log.reading() as connection:
        found = connection.execute(select(outcomes).order_by(outcomes.c.decision_id)).all()
        assert [(row.kind, row.positive) for row in found] == [("label", True), ("human_decision", False)]


def copy_of(file: Path, log: DecisionLog) -> Path:
    """What a service would have saved of a log."""
    file.unlink()
    log.rescue()
    return rescued_copies(file)[0]


def lose(file: Path, key_file: Path, count: int) -> Path:
    log = DecisionLog(sqlite_url(file), load_key("", key_file.parent, create=True))
    log.open()
    log.append(decisions(count))
    copy = copy_of(file, log)
    log.close()
    for part in ("-wal", "-shm"):
        file.with_name(f"{file.name}{part}").unlink(missing_ok=True)
    return copy


def test_the_journal_of_the_deleted_database_is_not_taken_for_the_copys(begin: Begin, tmp_path: Path) -> None:
    file = tmp_path / DATABASE_FILE
    log = DecisionLog(sqlite_url(file), load_key("", tmp_path, create=True))
    log.open()
    log.append(decisions(40))
    file.unlink()  # and the journal is left behind
    log.close()
    assert file.with_name(f"{file.name}-wal").stat().st_size > 0
    begin().stop()
    assert stored(tmp_path) == ids(decisions(40))


def test_several_copies_come_back_together(begin: Begin, tmp_path: Path, file: Path) -> None:
    lose(file, tmp_path / "log.key", 2)  # as two processes save what they see
    lose(file, tmp_path / "log.key", 3)
    begin().stop()
    assert stored(tmp_path) == ids(decisions(3))
    assert rescued_copies(file) == []


def test_what_a_process_was_killed_over_is_tidied_away(begin: Begin, tmp_path: Path, file: Path) -> None:
    draft = tmp_path / f".{file.name}.rescuing-20260101T000000Z-abcd"
    draft.write_bytes(b"half a copy")
    begin().stop()
    assert not draft.exists()


@pytest.mark.parametrize("fault", ["damaged", "of another key", "no database"])
def test_a_copy_that_cannot_be_brought_back_stays_and_is_reported_at_every_start(
    begin: Begin, tmp_path: Path, file: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    copy = lose(file, tmp_path / "log.key", 50)
    if fault == "damaged":
        content = bytearray(copy.read_bytes())
        content[3 * 4096 : 5 * 4096] = b"\xff" * 2 * 4096
        copy.write_bytes(content)
    elif fault == "no database":
        copy.write_bytes(b"something else" * 1_000)
    else:
        (tmp_path / "log.key").unlink()
    for _ in range(2):
        caplog.clear()
        begin().stop()
        assert f"{copy} cannot be" in caplog.text
    assert copy.exists()


def test_a_copy_with_an_edited_row_is_not_brought_back(
    begin: Begin, tmp_path: Path, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = lose(file, tmp_path / "log.key", 5)
    with closing(DecisionLog(sqlite_url(copy), KEY)) as log, log.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE decisions SET candidate_id = 'Zaphod' WHERE sequence = 4")
    with closing(log_of(tmp_path)) as log:
        log.open()  # a new one was begun meanwhile
    begin().stop()
    assert "row 4 of it is not what was written" in caplog.text
    assert "Zaphod" not in caplog.text
    assert copy.exists()
    assert stored(tmp_path) == []


async def test_damaged_pages_send_decisions_to_the_spool_until_the_restart(
    begin: Begin, tmp_path: Path, file: Path, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = begin(durable=True)
    await recorder.record(decisions(200))
    recorder.stop()
    content = file.read_bytes()
    with closing(DecisionLog(sqlite_url(file), KEY)) as log, log.engine.connect() as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_decisions_1'"
        page = connection.exec_driver_sql(query).scalar_one() - 1
    file.write_bytes(content[: page * 4096] + b"\xff" * 4096 + content[(page + 1) * 4096 :])
    again = begin(durable=True)
    await again.record([decision(201)])
    assert again.state == "spooling"
    await again.record([decision(202)])
    assert (code(again), again.state) == ("store_damaged", "spooling")
    assert caplog.text.count("CRITICAL") == 1
    assert "put a backup in its place" in caplog.text
    again.stop()
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()
    file.write_bytes(content)
    mended = begin(durable=True)
    wait_until(lambda: mended.state == "ok")
    assert code(mended) == ""
    mended.stop()
    assert stored(tmp_path) == ids(decisions(202))
