"""A backup: a folder, or a tar file of it, with a signed list of its files. The service may run meanwhile.

    manifest.json       what it is of, SHA-256 and size of every other file, signed with the log's key
    database.sqlite     all tables: decisions, outcomes, answers, jobs with their sealed texts and results; or
    database.dump       the same of PostgreSQL, as pg_dump writes it
    spool/ rescued/     what the database did not have yet
    cohort/             the cohort that scores are normalised by, if there is one
    log.key             only if asked for: whoever has it and the database can write a chain of their own

The spool is copied before the database, since decisions move from there to here: what was acknowledged before
the backup began is in one of both, or in both, and is stored once when it is put back.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import text

from service.core.errors import BackupError, DatabaseDamagedError, StoreError
from service.core.files import draft_of, private_bytes, sha256_file
from service.store.chain import KEY_FILE, LogKey
from service.store.log import DecisionLog
from service.store.recorder import SPOOL_FOLDER, StoreOptions
from service.store.spool import DAMAGED_SUFFIX, SUFFIX
from service.store.sqlite import connect, damage, is_damage, rescued_copies
from service.store.transactions import snapshot, store_errors

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE_FILE = "database.sqlite"
DUMP_FILE = "database.dump"
RESCUED_FOLDER = "rescued"
COHORT_FOLDER = "cohort"
TAR_SUFFIX = ".tar"

Database = Literal["sqlite", "postgresql"]

_SIGNED_FOR = "backup"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `files`: by name, SHA-256 in hexadecimal and size in bytes.

    `schema`: the migration that the database is at, as "0005". `sequence`, `hash`: the head of its chain.
    `begun`: what was acknowledged before it is in the backup; ISO 8601 in UTC.
    """

    begun: str
    version: str
    database: Database
    schema: str
    key_id: str
    sequence: int
    hash: str
    files: Mapping[str, tuple[str, int]]
    format: int = FORMAT
    signature: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    def signed(self, key: LogKey) -> str:
        """The signature that it has to have."""
        content = {name: value for name, value in asdict(self).items() if name != "signature"}
        return key.sign_bytes(_SIGNED_FOR, json.dumps(content, sort_keys=True).encode())


def write_backup(
    options: StoreOptions, output: Path, *, cohort: Path | None = None, with_key: bool = False
) -> Manifest:
    """Make a backup at `output`: a tar file if its name ends so, else a folder; for its owner only.

    It appears whole or not at all. `cohort`: the folder of the cohort, if there is one.

    Raises `BackupError` if something stands at `output`, the disk does not take it, or pg_dump is missing or
    fails; `StoreError` if the database cannot be read; `ConfigurationError` without a key.
    """
    if output.exists() or output.is_symlink():
        raise BackupError(f"{output} is there already: a backup replaces nothing")
    with closing(options.open_log()) as decision_log, _disk_errors(output):
        if output.suffix == TAR_SUFFIX:
            output.parent.mkdir(parents=True, exist_ok=True)
            folder = output.with_name(f".{output.name}.{os.getpid()}")
            folder.mkdir(mode=0o700)
            try:
                manifest = _fill(folder, options, decision_log, cohort, with_key=with_key)
                with private_bytes(output) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
                    for name in (MANIFEST, *manifest.files):
                        archive.add(folder / name, name, recursive=False)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return manifest
        with draft_of(output) as folder:
            folder.chmod(0o700)
            return _fill(folder, options, decision_log, cohort, with_key=with_key)


def _fill(
    folder: Path,
    options: StoreOptions,
    decision_log: DecisionLog,
    cohort: Path | None,
    *,
    with_key: bool,
) -> Manifest:
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    _copy_spool(options.data_dir / SPOOL_FOLDER, folder / SPOOL_FOLDER)
    if decision_log.file is not None:
        for copy in rescued_copies(decision_log.file):
            _copy(copy, folder / RESCUED_FOLDER / copy.name)
    if decision_log.file is None:
        database: Database = "postgresql"
        schema, sequence, digest = _dump(decision_log, folder / DUMP_FILE)
    else:
        database = "sqlite"
        schema, sequence, digest = _copy_sqlite(decision_log, folder / SQLITE_FILE)
    if cohort is not None:
        for file in sorted(cohort.expanduser().rglob("*")):
            if file.is_file():
                _copy(file, folder / COHORT_FOLDER / file.relative_to(cohort.expanduser()))
    if with_key and not options.log_key.get_secret_value():
        _copy(options.data_dir / KEY_FILE, folder / KEY_FILE)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    manifest = Manifest(
        begun=begun,
        version=metadata.version("evenmatch"),
        database=database,
        schema=schema,
        key_id=decision_log.key.id,
        sequence=sequence,
        hash=digest,
        files={str(file.relative_to(folder)): (sha256_file(file), file.stat().st_size) for file in files},
    )
    signed = replace(manifest, signature=manifest.signed(decision_log.key))
    _write(folder / MANIFEST, signed.to_json().encode())
    return signed


def _copy_spool(spool: Path, target: Path) -> None:
    """Files that vanish meanwhile are in the database, which is copied later."""
    if spool.is_dir():
        for file in sorted(spool.iterdir()):
            if file.suffix in (SUFFIX, DAMAGED_SUFFIX):
                _copy(file, target / file.name)


def _copy(file: Path, target: Path) -> None:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(target, content)


def _write(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _copy_sqlite(decision_log: DecisionLog, target: Path) -> tuple[str, int, str]:
    """One state of the database, by SQLite's own online backup; returns its schema and head."""
    assert decision_log.file is not None
    if not decision_log.file.exists():
        raise StoreError(f"there is no database at {decision_log.file}")
    _write(target, b"")
    with (
        store_errors(),
        closing(connect(decision_log.file, 10.0)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)  # in one step: writers go on meanwhile, in the journal
        copy.execute("PRAGMA journal_mode=DELETE").close()  # one file, whole by itself
        found = copy.execute("PRAGMA quick_check").fetchone()[0]
        if found != "ok":
            raise DatabaseDamagedError(damage(str(found)))
        schema = copy.execute("SELECT version_num FROM alembic_version").fetchone()
        head = copy.execute("SELECT sequence, hash FROM log_head").fetchone()
    return _known(schema, head)


def _dump(decision_log: DecisionLog, target: Path) -> tuple[str, int, str]:
    """What PostgreSQL holds, as of one snapshot; returns its schema and head."""
    program = shutil.which("pg_dump")
    url = decision_log.engine.url
    if program is None:
        raise BackupError(
            "pg_dump is not installed here: install PostgreSQL's client programs, of the server's version or "
            "a newer one; or run `pg_dump --format=custom --no-owner --no-privileges --file=database.dump "
            f"{url.database}` where they are, which is the database's part of a backup"
        )
    with store_errors(), snapshot(decision_log.engine) as connection:
        schema = connection.execute(text("SELECT version_num FROM alembic_version")).first()
        head = connection.execute(text("SELECT sequence, hash FROM log_head")).first()
        exported = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
        run_client(
            [program, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={exported}"],
            decision_log,
            ["--file", str(target)],
        )
    target.chmod(0o600)
    return _known(schema, head)


def run_client(program: list[str], decision_log: DecisionLog, arguments: list[str]) -> None:
    """Run one of PostgreSQL's programs on the log's database. Raises `BackupError` if it fails."""
    from psycopg.conninfo import make_conninfo  # with the extra `postgres`, which this database needs

    url = decision_log.engine.url
    named = url.translate_connect_args(username="user", database="dbname")
    options = {**named, **{name: value for name, value in url.query.items() if isinstance(value, str)}}
    password = options.pop("password", "")
    # Not among the arguments, which every user of the machine may read.
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    command = [*program, "--no-password", f"--dbname={make_conninfo(**options)}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        why = "; it is older than the server" if "server version" in said else ""
        raise BackupError(
            f"{Path(program[0]).name} failed with status {done.returncode}{why}: run it by hand to see why"
        )


def _known(schema: Sequence[Any] | None, head: Sequence[Any] | None) -> tuple[str, int, str]:
    """Rows of either library, as they were read."""
    if schema is None or head is None:
        raise StoreError("the database holds no decision log")
    return str(schema[0]), int(head[0]), str(head[1])


@contextmanager
def _disk_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        kind = error.sqlite_errorname
        raise (DatabaseDamagedError(damage(kind)) if is_damage(kind) else StoreError(kind)) from None
    except OSError as error:
        raise BackupError(f"{place} cannot be written: {error.strerror}") from None
