"""SQLite: the only module that touches the database's file, and how its connections are set up."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError

from service.core.errors import ConfigurationError, StoreError

_ROOM_BYTES = 2**20
"""What a few thousand decisions take."""


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{file}"


def open_sqlite(url: URL, timeout: float) -> Engine:
    """Connect lazily. `timeout`: seconds to wait for a lock."""
    file = file_of(url)

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(file))}?mode=rw", timeout=timeout, check_same_thread=False, uri=True
        )

    engine = create_engine(url, creator=connect)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_immediately)

    @event.listens_for(engine, "connect")
    def _remember_file(_: Any, record: Any) -> None:
        record.info["file"] = _identity(file)

    @event.listens_for(engine, "checkout")
    def _same_file(_: Any, record: Any, __: Any) -> None:
        # A connection goes on writing into a file that was deleted, and nobody would find it there.
        if record.info["file"] != _identity(file):
            raise DisconnectionError

    return engine


def check_room(engine: Engine) -> None:
    """Raise `StoreError` if SQLite's disk takes no more than a few rows; a server knows for itself.

    A full disk lets a database be opened, and a transaction fails only when it is committed.
    """
    if engine.dialect.name != "sqlite":
        return
    file = file_of(engine.url)
    try:
        with TemporaryFile(dir=file.parent) as probe:
            probe.write(bytes(_ROOM_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise StoreError(f"the disk of {file} takes nothing more: {error.strerror}") from None


def create_file(file: Path) -> None:
    """An empty file, which is a database without tables; for its owner only."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"{file} cannot be made: {error.strerror}") from None


def file_of(url: URL) -> Path:
    """The file that a URL names. Raises `ConfigurationError` if it names none."""
    if not url.database or url.database == ":memory:":
        raise ConfigurationError("database_url names no file", field="database_url")
    return Path(url.database)


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _set_up_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    # Transactions are begun by `_begin_immediately`, not by the driver in its own time.
    connection.isolation_level = None
    # What was deleted or erased is overwritten, not only forgotten.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_immediately(connection: Connection) -> None:
    """Take SQLite's write lock at once: a transaction that reads first could not get it later."""
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
