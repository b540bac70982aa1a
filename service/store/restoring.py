"""Putting a backup back. Everything is verified beside its place before anything is put there.

The spool and rescued copies that stand at the place stay: what is in them was acknowledged, and the next
start appends it to the database, each decision once.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import MetaData, inspect, select

from service.core.errors import (
    BackupError,
    DamagedBackupError,
    EvenmatchError,
    StoreError,
)
from service.core.files import draft_of, sync_folder
from service.store import tables
from service.store.backup import (
    COHORT_FOLDER,
    DUMP_FILE,
    MANIFEST,
    RESCUED_FOLDER,
    SQLITE_FILE,
    Manifest,
    run_client,
)
from service.store.backup_reading import read_backup
from service.store.chain import KEY_FILE, LogKey
from service.store.log import DecisionLog
from service.store.recorder import SPOOL_FOLDER, StoreOptions
from service.store.right_to_erasure import erase_person
from service.store.spool import SUFFIX
from service.store.sqlite import connect, sqlite_url
from service.store.verification import Verification, verify

_IDS_A_QUERY = 500
_IN_USE = "the service, or another program, has {} open: stop it first"
# Where SQLite's locks on a database are (sqlite.org/fileformat.html, "the lock-byte page").
_FIRST_LOCK, _LOCKS = 0x40000000, 512


Erase = Callable[[DecisionLog, str], int]
"""Erases a candidate; returns how many rows."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, or would be. `kept`: the database that stood there before.

    `erased`: rows emptied since they were erased after the backup; None: nobody can know of any.
    """

    manifest: Manifest
    verification: Verification
    kept: Path | None = None
    erased: int | None = None
    cohort: Path | None = None
    cohort_left: bool = False


def check_backup(options: StoreOptions, backup: Path) -> Restored:
    """Verify a backup and put it nowhere; of PostgreSQL, the files alone.

    Raises what `restore` raises of the backup itself.
    """
    with tempfile.TemporaryDirectory(prefix="evenmatch-") as place:
        folder, manifest, key = read_backup(options, backup, Path(place))
        if manifest.database == "postgresql":
            return Restored(manifest, Verification(None))
        with _verified(folder / SQLITE_FILE, manifest, key, Path(place) / "copy.sqlite") as (_, result):
            return Restored(manifest, result)


def restore(
    options: StoreOptions,
    backup: Path,
    *,
    replace: bool = False,
    cohort: Path | None = None,
    erase: Erase = erase_person,
) -> Restored:
    """Put a backup where the settings say; `replace`: also where a SQLite database stands.

    `cohort`: where the cohort is to stand, if the settings name a place. A cohort that stands there stays.
    `erase` is used on who was erased, since the backup, in the database that is replaced.

    Raises `DamagedBackupError`, naming the file, if the backup is not as it was written or its chain does not
    hold; `BackupError` if it does not fit (a newer schema, another kind of database), something stands in its
    place, or that is in use; `ConfigurationError` if the key is another one. Then nothing was changed.
    """
    place = options.data_dir
    with _disk_errors(place):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restoring-", dir=place) as draft:
            folder, manifest, key = read_backup(options, backup, Path(draft))
            kind = "sqlite" if options.url.startswith("sqlite") else "postgresql"
            if kind != manifest.database:
                raise BackupError(f"it is a backup of {manifest.database}; the settings name {kind}")
            if kind == "postgresql":
                result = _restore_postgresql(options, folder, manifest, key)
                kept, erased = None, None
            else:
                result, kept, erased = _restore_sqlite(options, folder, manifest, key, erase, replace=replace)
            if cohort is None and (folder / COHORT_FOLDER).is_dir():
                cohort = place / COHORT_FOLDER
            left = _put_cohort(folder / COHORT_FOLDER, cohort)
    return Restored(manifest, result, kept, erased, cohort, left)


def _restore_sqlite(
    options: StoreOptions, folder: Path, manifest: Manifest, key: LogKey, erase: Erase, *, replace: bool
) -> tuple[Verification, Path | None, int | None]:
    ready = folder / "ready.sqlite"
    gone: frozenset[str] | None = None
    emptied = 0
    with closing(DecisionLog(options.url, key)) as target:
        file = target.file
        assert file is not None
    there = file.exists()
    if there and not replace:
        raise BackupError(f"{file} is there already: add --replace to put the backup in its place")
    with _verified(folder / SQLITE_FILE, manifest, key, ready) as (decision_log, result):
        if there:
            _check_unused(file)
            gone = _erased_in(file, key)
            emptied = _erase_again(gone or frozenset(), decision_log, erase)
    _one_file(ready)
    # Before the database: killed in between, the old one gets decisions that it has, or that were made.
    _put_key(options, folder, key)
    _put_spool(options, folder, gone or frozenset())
    _put_files(folder / RESCUED_FOLDER, file.parent)
    kept = _set_aside(file) if there else None
    os.replace(ready, file)
    sync_folder(file.parent)
    return result, kept, None if gone is None else emptied


def _restore_postgresql(options: StoreOptions, folder: Path, manifest: Manifest, key: LogKey) -> Verification:
    program = shutil.which("pg_restore")
    if program is None:
        raise BackupError(
            "pg_restore is not installed here: install PostgreSQL's client programs, of the server's version "
            "or a newer one"
        )
    with closing(DecisionLog(options.url, key, timeout=options.database_seconds)) as decision_log:
        try:
            standing = set(inspect(decision_log.engine).get_table_names())
        except Exception as error:  # whatever the driver raises; its message names hosts
            raise StoreError(f"the database failed: {type(error).__name__}") from None
        if standing & {*tables.metadata.tables, "alembic_version"}:
            raise BackupError(
                "the database holds tables of evenmatch already: make an empty one, and name it in "
                "EVENMATCH_DATABASE_URL; this one stays as it is"
            )
        run_client(
            [program, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"],
            decision_log,
            [str(folder / DUMP_FILE)],
        )
        try:
            decision_log.open()
            result = _held(verify(decision_log), manifest)
        except EvenmatchError:
            _drop_others(decision_log, standing)
            raise
        _put_key(options, folder, key)
        _put_spool(options, folder, frozenset())
    return result


def _drop_others(decision_log: DecisionLog, before: set[str]) -> None:
    """Drop what came with the backup: whatever stood there before was none of evenmatch."""
    restored = MetaData()
    with decision_log.writing() as connection:
        restored.reflect(connection, only=lambda name, _: name not in before)
        restored.drop_all(connection)


@contextmanager
def _verified(
    copy: Path, manifest: Manifest, key: LogKey, place: Path
) -> Iterator[tuple[DecisionLog, Verification]]:
    """A copy of the database at `place`, brought to this version's tables, whose chain holds; it is open."""
    shutil.copyfile(copy, place)
    place.chmod(0o600)
    with closing(DecisionLog(sqlite_url(place), key)) as decision_log:
        try:
            decision_log.open()
            result = verify(decision_log)
        except StoreError as error:
            raise DamagedBackupError(f"{copy.name} of the backup: {error.message}") from None
        yield decision_log, _held(result, manifest)


def _held(result: Verification, manifest: Manifest) -> Verification:
    if result.damage:
        raise DamagedBackupError(f"the backup's database has damaged pages: {result.damage[0]}")
    if result.broken:
        raise DamagedBackupError(f"the backup's chain does not hold: {result.defects[0]}")
    if result.head is None or (result.head.sequence, result.head.hash) != (manifest.sequence, manifest.hash):
        raise DamagedBackupError(f"the backup's chain does not end where its {MANIFEST} says")
    return result


def _check_unused(file: Path) -> None:
    """Raise `BackupError` if a process has a SQLite database open: each holds a lock on it."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCKS, _FIRST_LOCK)
    except BlockingIOError:
        raise BackupError(_IN_USE.format(file)) from None
    finally:
        os.close(descriptor)


def _erased_in(file: Path, key: LogKey) -> frozenset[str] | None:
    """Ids of decisions that were erased in a database; None if that cannot be read."""
    rows = tables.decisions
    with closing(DecisionLog(sqlite_url(file), key)) as before:
        try:
            with before.reading() as connection:
                query = select(rows.c.decision_id).where(rows.c.erased.is_not(None))
                return frozenset(connection.execute(query).scalars())
        except EvenmatchError:
            return None


def _erase_again(gone: frozenset[str], restored: DecisionLog, erase: Erase) -> int:
    """Erase the people of these decisions; returns how many rows that are."""
    rows = tables.decisions
    ids, people = sorted(gone), set[str]()
    with restored.reading() as connection:
        for start in range(0, len(ids), _IDS_A_QUERY):
            query = select(rows.c.candidate_id).where(
                rows.c.decision_id.in_(ids[start : start + _IDS_A_QUERY]), rows.c.candidate_id.is_not(None)
            )
            people.update(connection.execute(query).scalars())
    return sum(erase(restored, person) for person in sorted(people))


def _one_file(database: Path) -> None:
    """Write SQLite's journal back, so that the file is whole by itself."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").close()
    with database.open("rb+") as stream:
        os.fsync(stream.fileno())


def _set_aside(file: Path) -> Path:
    """Keep the database under another name as well; its journal is written back, or goes with it."""
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    kept = file.with_name(f"{file.name}.before-restore-{stamp}")
    with suppress(sqlite3.Error), closing(connect(file, 0.0)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").close()
    # What is left of a journal that could not be written back must not be taken for the backup's.
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            file.with_name(f"{file.name}{suffix}").rename(kept.with_name(f"{kept.name}{suffix}"))
    os.link(file, kept)
    return kept


def _put_key(options: StoreOptions, folder: Path, key: LogKey) -> None:
    target = options.data_dir / KEY_FILE
    if (folder / KEY_FILE).exists() and not target.exists() and not options.log_key.get_secret_value():
        _put(folder / KEY_FILE, target)


def _put_spool(options: StoreOptions, folder: Path, gone: frozenset[str]) -> None:
    """Decisions that waited when the backup was made, but those of people who were erased since."""
    waiting = folder / SPOOL_FOLDER
    if gone and waiting.is_dir():
        for file in waiting.glob(f"*{SUFFIX}"):
            lines = file.read_bytes().splitlines(keepends=True)
            file.write_bytes(b"".join(line for line in lines if _decision_id(line) not in gone))
    _put_files(waiting, options.data_dir / SPOOL_FOLDER)


def _decision_id(line: bytes) -> str:
    try:
        return str(json.loads(line.partition(b" ")[2])["decision_id"])
    except (ValueError, TypeError, KeyError):
        return ""  # a line that broke off, or is damaged


def _put_files(folder: Path, target: Path) -> None:
    """Those that are not there by that name: a file that is there is the same one, and younger."""
    if folder.is_dir():
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in sorted(folder.iterdir()):
            if not (target / file.name).exists():
                _put(file, target / file.name)


def _put(file: Path, target: Path) -> None:
    file.chmod(0o600)
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())
    shutil.move(file, target)
    sync_folder(target.parent)


def _put_cohort(folder: Path, target: Path | None) -> bool:
    """Returns whether one stands there, which stays."""
    if target is None or not folder.is_dir():
        return False
    target = target.expanduser()
    if target.exists():
        return True
    with draft_of(target) as draft:
        shutil.copytree(folder, draft, dirs_exist_ok=True)
    return False


@contextmanager
def _disk_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the database failed: {error.sqlite_errorname}") from None
    except OSError as error:
        raise BackupError(f"{place} cannot be written: {error.strerror}") from None
