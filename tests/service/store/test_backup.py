"""A backup of a running service, and what is put back of it: whole, once each, or not at all."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.core.errors import BackupError, ConfigurationError, DamagedBackupError
from service.store import backup as backups
from service.store.backup import MANIFEST, SQLITE_FILE, write_backup
from service.store.chain import KEY_FILE, load_key
from service.store.log import DecisionLog
from service.store.outcomes import Outcome, record_outcomes
from service.store.recorder import DATABASE_FILE, SPOOL_FOLDER, StoreOptions
from service.store.recovery import open_and_recover
from service.store.restoring import check_backup, restore
from service.store.right_to_erasure import erase_person
from service.store.spool import Spool
from service.store.verification import verify
from tests.service.store.recorders import Begin
from tests.support.decision_logs import candidates, decision, decisions, tamper
from tests.support.postgres import PostgresServer


@pytest.fixture
def here(tmp_path: Path) -> StoreOptions:
    """Settings of a service with five decisions and an outcome; nobody has its database open."""
    options = StoreOptions(data_dir=tmp_path / "here")
    with opened(options) as log:
        log.append(decisions(5))
        outcome = Outcome(decision(2).decision_id, True, "label", decision(3).time)
        record_outcomes(log.engine, [outcome], now=decision(5).time, skew=timedelta(0))
    return options


@pytest.fixture
def elsewhere(tmp_path: Path, here: StoreOptions) -> StoreOptions:
    """Settings of an empty machine, where the log's key is."""
    options = StoreOptions(data_dir=tmp_path / "elsewhere")
    options.data_dir.mkdir()
    shutil.copy(here.data_dir / KEY_FILE, options.data_dir)
    return options


def opened(options: StoreOptions) -> closing[DecisionLog]:
    log = options.open_log(create_key=True)
    log.open()
    return closing(log)


def in_log(options: StoreOptions) -> list[str | None]:
    with opened(options) as log:
        assert verify(log).broken == 0
        return candidates(log)


PEOPLE = [f"c-{number}" for number in range(1, 6)]


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_what_was_backed_up_is_put_back_with_its_outcomes(
    here: StoreOptions, elsewhere: StoreOptions, tmp_path: Path, name: str
) -> None:
    made = write_backup(here, tmp_path / name)
    assert (made.sequence, set(made.files)) == (5, {SQLITE_FILE})
    assert (tmp_path / name).stat().st_mode & 0o077 == 0
    assert check_backup(elsewhere, tmp_path / name).verification.rows == 5
    assert not (elsewhere.data_dir / DATABASE_FILE).exists()
    restore(elsewhere, tmp_path / name)
    assert in_log(elsewhere) == PEOPLE
    with opened(elsewhere) as log, log.reading() as connection:
        assert connection.exec_driver_sql("SELECT positive FROM outcomes").scalars().all() == [1]
    assert sorted(os.listdir(elsewhere.data_dir)) == [DATABASE_FILE, KEY_FILE]
    assert (elsewhere.data_dir / DATABASE_FILE).stat().st_mode & 0o077 == 0


async def test_a_running_service_is_backed_up_with_what_waits_in_its_spool(
    begin: Begin, tmp_path: Path
) -> None:
    recorder = begin(durable=True)
    await recorder.record(decisions(3))
    with closing(sqlite3.connect(tmp_path / DATABASE_FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await recorder.record(decisions(2, 4))
        options = StoreOptions(data_dir=tmp_path)
        made = await asyncio.to_thread(write_backup, options, tmp_path / "backup", with_key=True)
        other.execute("ROLLBACK")
    assert made.sequence == 3
    assert any(name.startswith(SPOOL_FOLDER) for name in made.files)
    target = StoreOptions(data_dir=tmp_path / "new")
    await asyncio.to_thread(restore, target, tmp_path / "backup")
    # The next start brings it to the database.
    again = begin(data_dir=target.data_dir)
    while again.state != "ok":
        await asyncio.sleep(0.01)
    again.stop()
    assert in_log(target) == PEOPLE


def test_a_decision_that_moves_to_the_database_meanwhile_is_in_the_backup(
    here: StoreOptions, elsewhere: StoreOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(here.data_dir / SPOOL_FOLDER, load_key("", here.data_dir, create=False))
    spool.open()
    spool.append(decisions(1, 6))
    copy = backups._copy_sqlite

    def move_and_copy(log: DecisionLog, target: Path) -> tuple[str, int, str]:
        with opened(here) as database:
            database.append(spool.oldest(10))
        spool.drop_oldest()
        return copy(log, target)

    monkeypatch.setattr(backups, "_copy_sqlite", move_and_copy)
    write_backup(here, tmp_path / "backup")
    restore(elsewhere, tmp_path / "backup")
    assert in_log(elsewhere) == [*PEOPLE, "c-6"]
    with opened(elsewhere) as log:
        waiting = Spool(elsewhere.data_dir / SPOOL_FOLDER, log.key)
        waiting.open()
        assert log.append(waiting.oldest(10)).stored == 0  # it is there once
        waiting.close()


def test_a_database_that_stands_there_is_replaced_only_if_asked_and_is_kept(
    here: StoreOptions, tmp_path: Path
) -> None:
    write_backup(here, tmp_path / "backup")
    with opened(here) as log:
        log.append(decisions(1, 6))
    with pytest.raises(BackupError, match=r"is there already: add --replace"):
        restore(here, tmp_path / "backup")
    assert in_log(here) == [*PEOPLE, "c-6"]
    done = restore(here, tmp_path / "backup", replace=True)
    assert in_log(here) == PEOPLE
    assert done.kept is not None
    assert done.kept.stat().st_mode & 0o077 == 0
    # Under this name the next start appends what the backup lacks (docs/operations.md).
    done.kept.rename(done.kept.with_name(f"{DATABASE_FILE}.rescued-by-hand"))
    with closing(here.open_log()) as log:
        open_and_recover(log)
    assert in_log(here) == [*PEOPLE, "c-6"]


def test_a_database_in_use_is_not_replaced(here: StoreOptions, tmp_path: Path) -> None:
    write_backup(here, tmp_path / "backup")
    with closing(sqlite3.connect(here.data_dir / DATABASE_FILE)) as other:
        other.execute("SELECT 1 FROM log_head").fetchall()
        child = os.fork()  # a lock of this process would not keep this process out
        if child == 0:
            try:
                restore(here, tmp_path / "backup", replace=True)
            except BackupError as error:
                os._exit(7 if "open: stop it first" in error.message else 8)
            os._exit(9)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_who_was_erased_since_the_backup_stays_erased(here: StoreOptions, tmp_path: Path) -> None:
    key = load_key("", here.data_dir, create=False)
    spool = Spool(here.data_dir / SPOOL_FOLDER, key)
    spool.open()
    spool.append([decision(6, candidate_id="c-2"), decision(7)])
    write_backup(here, tmp_path / "backup")
    with opened(here) as log:
        log.append(spool.oldest(10))
        spool.drop_oldest()
        assert erase_person(log, "c-2") == 2
    done = restore(here, tmp_path / "backup", replace=True)
    assert done.erased == 1
    assert in_log(here) == ["c-1", None, "c-3", "c-4", "c-5"]
    (file,) = (here.data_dir / SPOOL_FOLDER).glob("*.spool")
    assert b"c-2" not in file.read_bytes()
    assert b"c-7" in file.read_bytes()


def damage_a_byte(backup: Path) -> None:
    with (backup / SQLITE_FILE).open("r+b") as stream:
        stream.seek(5_000)
        stream.write(b"x")


def remove_a_file(backup: Path) -> None:
    (backup / SQLITE_FILE).unlink()


def add_a_file(backup: Path) -> None:
    (backup / SPOOL_FOLDER).mkdir()
    (backup / SPOOL_FOLDER / "more.spool").write_bytes(b"")


def edit_the_manifest(backup: Path) -> None:
    manifest = json.loads((backup / MANIFEST).read_text())
    (backup / MANIFEST).write_text(json.dumps({**manifest, "sequence": 4}))


def lead_out(backup: Path) -> None:
    manifest = json.loads((backup / MANIFEST).read_text())
    manifest["files"]["../evil"] = ["0" * 64, 1]
    (backup / MANIFEST).write_text(json.dumps(manifest))


def cut_off(backup: Path) -> None:
    (backup / MANIFEST).write_text((backup / MANIFEST).read_text()[:-40])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (damage_a_byte, f"{SQLITE_FILE} of the backup is not what was written"),
        (remove_a_file, f"{SQLITE_FILE} of the backup is missing"),
        (add_a_file, "spool/more.spool is no file of the backup"),
        (edit_the_manifest, f"{MANIFEST} of the backup is not signed"),
        (lead_out, "names a file outside of it"),
        (cut_off, f"{MANIFEST} of the backup is damaged"),
        (shutil.rmtree, "there is no backup at"),
    ],
)
def test_a_damaged_backup_is_refused_by_name_and_nothing_changes(
    here: StoreOptions, tmp_path: Path, harm: Callable[[Path], None], said: str
) -> None:
    write_backup(here, tmp_path / "backup")
    harm(tmp_path / "backup")
    before = {file.name: file.read_bytes() for file in here.data_dir.iterdir()}
    with pytest.raises(DamagedBackupError, match=said):
        restore(here, tmp_path / "backup", replace=True)
    assert {file.name: file.read_bytes() for file in here.data_dir.iterdir()} == before


def test_a_tar_file_that_broke_off_is_refused(here: StoreOptions, tmp_path: Path) -> None:
    write_backup(here, tmp_path / "backup.tar")
    content = (tmp_path / "backup.tar").read_bytes()
    (tmp_path / "half.tar").write_bytes(content[: len(content) // 2])
    (tmp_path / "none.tar").write_bytes(b"no archive")
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(here.data_dir / KEY_FILE, "x")
    for name in ("half.tar", "none.tar", "other.tar"):
        with pytest.raises(DamagedBackupError):
            check_backup(here, tmp_path / name)


def test_a_chain_that_does_not_hold_is_backed_up_as_it_is_and_not_put_back(
    here: StoreOptions, elsewhere: StoreOptions, tmp_path: Path
) -> None:
    with opened(here) as log:
        tamper(log, "UPDATE decisions SET candidate_id = 'other' WHERE sequence = 2")
    write_backup(here, tmp_path / "backup")
    with pytest.raises(DamagedBackupError, match="chain does not hold: row 2"):
        restore(elsewhere, tmp_path / "backup")
    assert os.listdir(elsewhere.data_dir) == [KEY_FILE]


def test_tables_of_a_newer_version_are_refused(
    here: StoreOptions, elsewhere: StoreOptions, tmp_path: Path
) -> None:
    with opened(here) as log:
        tamper(log, "UPDATE alembic_version SET version_num = '9999'")
    write_backup(here, tmp_path / "backup")
    with pytest.raises(BackupError, match=r"schema 9999.*a newer one"):
        restore(elsewhere, tmp_path / "backup")


def test_another_key_or_none_is_refused(here: StoreOptions, tmp_path: Path) -> None:
    write_backup(here, tmp_path / "backup")
    other = StoreOptions(data_dir=tmp_path / "other", log_key=SecretStr("not the key of this log"))
    with pytest.raises(ConfigurationError, match="under another key"):
        restore(other, tmp_path / "backup")
    with pytest.raises(ConfigurationError, match="no key for the decision log"):
        restore(StoreOptions(data_dir=tmp_path / "none"), tmp_path / "backup")


def test_a_backup_replaces_nothing_and_a_full_disk_leaves_nothing(
    here: StoreOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").write_text("mine")
    with pytest.raises(BackupError, match="replaces nothing"):
        write_backup(here, tmp_path / "there")
    before = sorted(os.listdir(tmp_path))
    monkeypatch.setattr(backups, "_write", full)
    for name in ("backup", "backup.tar"):
        with pytest.raises(BackupError, match="No space left"):
            write_backup(here, tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == before


def full(*_: object) -> None:
    raise OSError(28, os.strerror(28))


def test_the_cohort_comes_along_and_one_that_stands_there_stays(
    here: StoreOptions, elsewhere: StoreOptions, tmp_path: Path
) -> None:
    (tmp_path / "cohort").mkdir()
    (tmp_path / "cohort" / "cohort.json").write_text("{}")
    write_backup(here, tmp_path / "backup", cohort=tmp_path / "cohort")
    done = restore(elsewhere, tmp_path / "backup")
    assert done.cohort == elsewhere.data_dir / "cohort"
    assert (done.cohort / "cohort.json").read_text() == "{}"
    assert restore(elsewhere, tmp_path / "backup", replace=True, cohort=tmp_path / "cohort").cohort_left


@pytest.mark.postgres
def test_postgresql_is_dumped_by_one_snapshot_and_put_into_an_empty_database_only(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    key = SecretStr("one key for all replicas")
    here = StoreOptions(data_dir=tmp_path / "here", database_url=postgres_url, log_key=key)
    with opened(here) as log:
        log.append(decisions(5))
    made = write_backup(here, tmp_path / "backup.tar")
    assert (made.database, made.sequence) == ("postgresql", 5)
    with pytest.raises(BackupError, match="holds tables of evenmatch already"):
        restore(here, tmp_path / "backup.tar", replace=True)
    url = postgres_server.new_database()
    target = StoreOptions(data_dir=tmp_path / "new", database_url=url, log_key=key)
    restore(target, tmp_path / "backup.tar")
    assert in_log(target) == PEOPLE
    with pytest.raises(BackupError, match="the settings name sqlite"):
        restore(StoreOptions(data_dir=tmp_path / "third", log_key=key), tmp_path / "backup.tar")


@pytest.mark.postgres
def test_a_postgresql_chain_that_does_not_hold_leaves_an_empty_database(
    postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    key = SecretStr("one key for all replicas")
    here = StoreOptions(data_dir=tmp_path / "here", database_url=postgres_url, log_key=key)
    with opened(here) as log:
        log.append(decisions(3))
        tamper(log, "UPDATE decisions SET candidate_id = 'other' WHERE sequence = 2")
    write_backup(here, tmp_path / "backup")
    url = postgres_server.new_database()
    target = StoreOptions(data_dir=tmp_path / "new", database_url=url, log_key=key)
    with pytest.raises(DamagedBackupError, match="row 2"):
        restore(target, tmp_path / "backup")
    with closing(target.open_log()) as log, log.reading() as connection:
        tables = connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert tables.scalars().all() == []


@pytest.mark.postgres
def test_without_pg_dump_it_says_what_to_run(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = StoreOptions(data_dir=tmp_path / "here", database_url=postgres_url)
    with opened(options) as log:
        log.append(decisions(1))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match=r"pg_dump is not installed here: .*run `pg_dump --format=custom"):
        write_backup(options, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
