"""The database: SQLite in a file by default, PostgreSQL by its URL; migrated when it is opened."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError

from service.core.errors import ConfigurationError, StoreError

_BUSY_SECONDS = 10
_ROOM_BYTES = 2**20
"""What a few thousand decisions take."""


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{file}"


def open_database(url: str, *, timeout: float = _BUSY_SECONDS) -> Engine:
    """Connect lazily; nothing is read or written yet. `timeout`: seconds to wait for a lock or a server.

    A SQLite file is made by `migrate` only: that it is gone must be an error to whoever writes to it.
    Raises `ConfigurationError` if the URL cannot be used; a password in it is never repeated.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError("database_url is not a database URL", field="database_url") from None
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed, timeout)
    if parsed.get_backend_name() == "postgresql":
        return _open_postgresql(parsed, timeout)
    raise ConfigurationError(
        f"database_url names {parsed.get_backend_name()}; sqlite and postgresql are known",
        field="database_url",
    )


def check_room(engine: Engine) -> None:
    """Raise `StoreError` if SQLite's disk takes no more than a few rows; a server knows for itself.

    A full disk lets a database be opened, and a transaction fails only when it is committed.
    """
    if engine.dialect.name != "sqlite":
        return
    file = _file_of(engine.url)
    try:
        with TemporaryFile(dir=file.parent) as probe:
            probe.write(bytes(_ROOM_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise StoreError(f"the disk of {file} takes nothing more: {error.strerror}") from None


def migrate(engine: Engine) -> None:
    """Bring the tables to this version's state; safe if several processes do so at once.

    Raises `StoreError` if a newer version has been here.
    """
    from alembic import command  # slow to import, and needed by few commands
    from alembic.config import Config
    from alembic.util import CommandError

    if engine.dialect.name == "sqlite":
        _create_file(_file_of(engine.url))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7013442)")
        config = Config()
        config.set_main_option("script_location", str(files("service.store") / "migrations"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise StoreError("the database was migrated by a newer version of evenmatch") from None


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads, and sees one state of the database however long it takes."""
    options: dict[str, Any] = {"read_only": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what a database may raise into a `StoreError` that says what kind of failure it is.

    The driver's own message is left out: it may quote the values of a row.
    """
    try:
        yield
    except DBAPIError as error:
        kind = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
        name = type(error.orig).__name__
        raise StoreError(f"the database failed: {name}{f' ({kind})' if kind else ''}") from None
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the database failed: {type(error).__name__}") from None


def _open_sqlite(url: URL, timeout: float) -> Engine:
    file = _file_of(url)

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


def _open_postgresql(url: URL, timeout: float) -> Engine:
    milliseconds = round(1000 * timeout)
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={
                "connect_timeout": max(2, round(timeout)),
                "tcp_user_timeout": milliseconds,
            },
            pool_pre_ping=True,
            pool_timeout=timeout,
        )
    except ModuleNotFoundError:
        raise ConfigurationError(
            "database_url names postgresql, which needs the extra `postgres`", field="database_url"
        ) from None

    @event.listens_for(engine, "connect")
    def _limit_waiting(connection: Any, _: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {milliseconds}")
            cursor.execute(f"SET statement_timeout = {6 * milliseconds}")
            # Who froze in a transaction, or whose machine is gone, must not hold the head for hours.
            cursor.execute(f"SET idle_in_transaction_session_timeout = {6 * milliseconds}")
        connection.commit()

    return engine


def _file_of(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise ConfigurationError("database_url names no file", field="database_url")
    return Path(url.database)


def _create_file(file: Path) -> None:
    """An empty file, which is a database without tables; for its owner only."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"{file} cannot be made: {error.strerror}") from None


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
