"""The database: SQLite in a file by default, PostgreSQL by its URL; migrated when it is opened."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from service.core.errors import ConfigurationError, DatabaseDamagedError, StoreError
from service.store.postgresql import open_postgresql
from service.store.sqlite import (
    check_in_place,
    create_file,
    damage,
    file_of,
    held_file,
    is_damage,
    open_sqlite,
)

BUSY_SECONDS = 10.0
"""How long a lock or a server is waited for."""


def open_database(url: str, *, timeout: float = BUSY_SECONDS, frozen: bool = False) -> Engine:
    """Connect lazily; nothing is read or written yet. `timeout`: seconds to wait for a lock or a server.

    `frozen`: a SQLite file that nobody writes to.

    A SQLite file is made by `migrate` only: that it is gone must be an error to whoever writes to it.
    Raises `ConfigurationError` if the URL cannot be used; a password in it is never repeated.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError("database_url is not a database URL", field="database_url") from None
    if parsed.get_backend_name() == "sqlite":
        return open_sqlite(parsed, timeout, frozen=frozen)
    if parsed.get_backend_name() == "postgresql":
        return open_postgresql(parsed, timeout)
    raise ConfigurationError(
        f"database_url names {parsed.get_backend_name()}; sqlite and postgresql are known",
        field="database_url",
    )


def migrate(engine: Engine) -> None:
    """Bring the tables to this version's state; safe if several processes do so at once.

    Raises `StoreError` if a newer version has been here.
    """
    from alembic import command  # slow to import, and needed by few commands
    from alembic.config import Config
    from alembic.util import CommandError

    if engine.dialect.name == "sqlite" and held_file(file_of(engine.url)) is None:
        create_file(file_of(engine.url))
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
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write; all of it or nothing.

    When it is left, it is committed in a database that is still there: `StoreError` if its file is not.
    """
    with engine.begin() as connection:
        yield connection
    check_in_place(engine)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads, and sees one state of the database however long it takes."""
    options: dict[str, Any] = {"read_only": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin() as transaction:
        yield connection
        # There is nothing to commit; SQLite refuses to after it has met a damaged page.
        transaction.rollback()


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what a database may raise into a `StoreError` that says what kind of failure it is.

    The driver's own message is left out: it may quote the values of a row.
    """
    try:
        yield
    except DBAPIError as error:
        raise _store_error(error.orig) from None
    except sqlite3.Error as error:
        raise _store_error(error) from None
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the database failed: {type(error).__name__}") from None


def _store_error(error: BaseException | None) -> StoreError:
    kind = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or ""
    if is_damage(kind):
        return DatabaseDamagedError(damage(kind))
    return StoreError(f"the database failed: {type(error).__name__}{f' ({kind})' if kind else ''}")
