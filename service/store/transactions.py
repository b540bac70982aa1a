"""Reading and writing transactions whose failures are errors of this service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
    TimeoutError,
)

from service.core.errors import StoreUnavailableError
from service.store.database import snapshot, transaction
from service.store.sqlite import damage, is_damage
from service.store.time_limits import brief

_RETRY_AFTER_SECONDS = 5
_NOT_MIGRATED = "42P01"
"""PostgreSQL's word for a table that is not there: the database was away when the service started."""
_OUR_FAULT = (DataError, IntegrityError, NotSupportedError, ProgrammingError)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One snapshot for all that is read, so that counts read one after the other belong together.

    Raises `StoreUnavailableError` if the database does not answer.
    """
    with reachable(), snapshot(engine) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """All of it or nothing. Raises `StoreUnavailableError` if the database does not answer in time."""
    with reachable(), brief(engine), transaction(engine) as connection:
        yield connection


@contextmanager
def reachable() -> Iterator[None]:
    """Raise `StoreUnavailableError` if the database cannot do what is asked inside.

    It does not answer, only reads after a failover, is full or damaged: nothing that the request could mend.
    """
    try:
        yield
    except (DatabaseError, InterfaceError, TimeoutError) as error:
        not_migrated = getattr(getattr(error, "orig", None), "sqlstate", "") == _NOT_MIGRATED
        if isinstance(error, _OUR_FAULT) and not not_migrated:
            raise
        kind = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
        # The database's own words may hold its address and a password.
        message = damage(kind) if is_damage(kind) else "the database of decisions does not answer"
        raise StoreUnavailableError(message, retry_after=_RETRY_AFTER_SECONDS) from None
