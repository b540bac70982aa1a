"""SQLite: how its connections are made, and what they check before anything is acknowledged."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine import URL

from service.core.errors import ConfigurationError, StoreError
from service.store.sqlite_file import connect, held_file, is_damage, set_up

_ROOM_TO_WRITE_BYTES = 2**20
"""What a few thousand decisions take."""


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{file}"


def open_sqlite(url: URL, timeout: float, *, frozen: bool = False) -> Engine:
    """Connect lazily. `timeout`: seconds to wait for a lock. `frozen`: a file that nobody writes to.

    If this process holds the file (`service.store.sqlite_file`), no connection is handed out after that was
    lost or found damaged: `StoreError`.
    """
    file = file_of(url)

    def check() -> None:
        if not frozen and (held := held_file(file)) is not None:
            held.check()

    def make() -> sqlite3.Connection:
        check()  # or it would be one to another file
        connection = connect(file, timeout, frozen=frozen)
        if not frozen:
            set_up(connection)
        return connection

    engine = create_engine(url, creator=make)
    event.listen(engine, "begin", _begin_immediately)

    @event.listens_for(engine, "checkout")
    def _still_there(*_: Any) -> None:
        check()

    @event.listens_for(engine, "handle_error")
    def _note_damage(context: ExceptionContext) -> None:
        kind = getattr(context.original_exception, "sqlite_errorname", "")
        if is_damage(kind) and not frozen and (held := held_file(file)) is not None:
            held.note_damage(kind)

    return engine


def check_in_place(engine: Engine) -> None:
    """Raise `StoreError` if the file that this process holds was lost or is damaged: after every commit."""
    if engine.dialect.name == "sqlite" and (held := held_file(file_of(engine.url))) is not None:
        held.check()


def check_room(engine: Engine) -> None:
    """Raise `StoreError` if SQLite's disk takes no more than a few rows; a server knows for itself.

    A full disk lets a database be opened, and a transaction fails only when it is committed.
    """
    if engine.dialect.name != "sqlite":
        return
    file = file_of(engine.url)
    try:
        with TemporaryFile(dir=file.parent) as probe:
            probe.write(bytes(_ROOM_TO_WRITE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise StoreError(f"the disk of {file} takes nothing more: {error.strerror}") from None


def file_of(url: URL) -> Path:
    """The file that a URL names, without symbolic links: its journal lies where the file itself does.

    Raises `ConfigurationError` if it names none.
    """
    if not url.database or url.database == ":memory:":
        raise ConfigurationError("database_url names no file", field="database_url")
    return Path(os.path.realpath(url.database))


def _begin_immediately(connection: Connection) -> None:
    """Take SQLite's write lock at once: a transaction that reads first could not get it later."""
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
