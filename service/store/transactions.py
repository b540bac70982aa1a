"""Transactions, how long they may wait, and the errors of this service that their failures become."""

from __future__ import annotations

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
    TimeoutError,
)

from service.core.errors import (
    DatabaseDamagedError,
    StoreConflictError,
    StoreError,
    StoreUnavailableError,
)
from service.logs import OncePerMinute
from service.store.sqlite import check_in_place, damage, is_damage
from service.tracing import span

log = logging.getLogger(__name__)

LIMIT_OPTION = "evenmatch_time_limit"
"""Execution option of an engine: seconds for a brief transaction, and for getting a connection."""

_RETRY_AFTER_SECONDS = 5
_NO_SUCH_TABLE = "42P01"
"""PostgreSQL's code. The service started while the database was away, so that nobody has migrated it yet."""
_REFUSED = (DataError, NotSupportedError, ProgrammingError)
"""The database works, but not for this: a role without a privilege, a table that somebody changed."""

_refusals = OncePerMinute(log)

_thread = threading.local()


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write; all of it or nothing.

    It is committed at the end, in a database that is still there: `StoreError` if its file is not.
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
        # There is nothing to commit, and SQLite refuses a commit after it has met a damaged page.
        transaction.rollback()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A snapshot for a request, so that counts read one after the other belong together.

    Raises `StoreUnavailableError` if the database does not answer, or refuses.
    """
    with span("evenmatch.store"), _reachable(), snapshot(engine) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction for a request.

    Raises `StoreUnavailableError` if the database does not answer in time, or refuses, and
    `StoreConflictError` if another transaction wrote the same row first.
    """
    with span("evenmatch.store"), _reachable(), brief(engine), transaction(engine) as connection:
        yield connection


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


@contextmanager
def brief(engine: Engine) -> Iterator[None]:
    """For a transaction of a few statements: all of them together have the engine's time limit."""
    with at_most(engine.get_execution_options().get(LIMIT_OPTION, math.inf)):
        yield


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Whatever this thread asks of a database server inside must be answered within `seconds` in total.

    Connections to PostgreSQL keep to it (`postgresql.LimitedConnection`). SQLite asks no server, and limits
    each wait for a lock by itself. Of nested limits the one that ends first holds.
    """
    before = _end()
    _thread.end = min(before, time.monotonic() + seconds)
    try:
        yield
    finally:
        _thread.end = before


def seconds_left() -> float:
    """How long this thread may still wait: infinite outside of `at_most`, 0 if the time is up."""
    return max(0.0, _end() - time.monotonic())


def _end() -> float:
    end: float = getattr(_thread, "end", math.inf)
    return end


@contextmanager
def _reachable() -> Iterator[None]:
    """Raise `StoreUnavailableError` if the database cannot do what is asked inside.

    It does not answer, only reads after a failover, is full or damaged, or the role may not do it: nothing
    that another request would fix. The driver's message is left out: it may hold the database's address, a
    password, or the values of a row.
    """
    try:
        yield
    except IntegrityError:
        raise StoreConflictError(
            "another request wrote the same at this moment; send it again", retry_after=1
        ) from None
    except (DBAPIError, TimeoutError) as error:
        kind = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
        message = damage(kind) if is_damage(kind) else "the database of decisions does not answer"
        state = getattr(getattr(error, "orig", None), "sqlstate", "")
        if isinstance(error, _REFUSED) and state != _NO_SUCH_TABLE:
            message = "the database of decisions refuses what is asked; the service's log says why"
            _refusals.warning(_store_error(error.orig).message)
        raise StoreUnavailableError(message, retry_after=_RETRY_AFTER_SECONDS) from None


def _store_error(error: BaseException | None) -> StoreError:
    kind = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or ""
    if is_damage(kind):
        return DatabaseDamagedError(damage(kind))
    reason = kind or getattr(error, "told", "")
    return StoreError(f"the database failed: {type(error).__name__}{f' ({reason})' if reason else ''}")
