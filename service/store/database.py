"""Opening the database, a SQLite file by default or PostgreSQL by its URL, and migrating its tables."""

from __future__ import annotations

import logging
import re
import threading
from importlib.resources import files

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from service.core.errors import ConfigurationError, StoreError
from service.store.sqlite import create_file, file_of, held_file, open_sqlite

BUSY_SECONDS = 10.0
"""How long a lock or a server is waited for."""


def open_database(url: str, *, timeout: float = BUSY_SECONDS, frozen: bool = False) -> Engine:
    """Connect lazily; nothing is read or written yet. `timeout`: seconds to wait for a lock or a server.

    `frozen`: a SQLite file that nobody writes to. A SQLite file that does not exist is made by `migrate`
    only: if it is gone later, whoever writes to it must get an error.

    Raises `ConfigurationError` if the URL cannot be used, without repeating a password in it.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return open_sqlite(parsed, timeout, frozen=frozen)
    if parsed.get_backend_name() == "postgresql":
        try:
            # Here, since the module needs psycopg, which comes with the extra `postgres` only.
            from service.store.postgresql import open_postgresql

            return open_postgresql(parsed, timeout)
        except ModuleNotFoundError:
            raise ConfigurationError(
                "database_url names postgresql, which needs the extra `postgres`", field="database_url"
            ) from None
    raise ConfigurationError(
        f"database_url names {parsed.get_backend_name()}; sqlite and postgresql are known",
        field="database_url",
    )


def _parsed(url: str) -> URL:
    """Raises `ConfigurationError` without a word of the URL: the password may be anywhere in it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    # An `@` or `/` in a password that is not encoded ends it early.
    if parsed is None or re.search("[@#?]", parsed.host or ""):
        raise ConfigurationError(
            "database_url is not a database URL; characters of a password other than letters and digits have "
            "to be percent-encoded",
            field="database_url",
        )
    # libpq's own name for it, which Heroku and others give.
    return parsed.set(drivername="postgresql") if parsed.drivername == "postgres" else parsed


def known_revisions() -> set[str]:
    """Every state of the tables that this version knows."""
    from alembic.script import ScriptDirectory  # slow to import, and needed by few commands

    scripts = ScriptDirectory(str(files("service.store") / "migrations"))
    return {script.revision for script in scripts.walk_revisions()}


_ALEMBIC = threading.Lock()
"""Alembic keeps the migration at work in its modules' globals: a process runs one at a time."""


def lock_migrations(connection: Connection) -> None:
    """Until the transaction ends, no other process makes tables or begins a chain in them.

    SQLite's transactions lock the whole file from their beginning.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7013442)")


def migrate(engine: Engine) -> None:
    """Bring the tables to this version's state; safe if several processes or threads do so at once.

    Raises `StoreError` if a newer version has migrated the database.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)  # before it says what it loads
    from alembic import command  # slow to import, and needed by few commands
    from alembic.config import Config
    from alembic.util import CommandError

    if engine.dialect.name == "sqlite" and held_file(file_of(engine.url)) is None:
        create_file(file_of(engine.url))
    with engine.begin() as connection:
        lock_migrations(connection)
        config = Config()
        folder = str(files("service.store") / "migrations")
        config.set_main_option("script_location", folder.replace("%", "%%"))  # else a variable's beginning
        config.attributes["connection"] = connection
        try:
            with _ALEMBIC:
                command.upgrade(config, "head")
        except CommandError:
            raise StoreError("the database was migrated by a newer version of evenmatch") from None
