"""Reading and writing transactions whose failures are errors of this service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

from service.core.errors import StoreUnavailableError

_RETRY_AFTER_SECONDS = 5


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One snapshot for all that is read, so that counts read one after the other belong together.

    Raises `StoreUnavailableError` if the database does not answer.
    """
    options: dict[str, object] = {"read_only": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _reachable(), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """All of it or nothing. Raises `StoreUnavailableError` if the database does not answer."""
    with _reachable(), engine.begin() as connection:
        yield connection


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, TimeoutError):
        # The database's own words may hold its address and a password.
        raise StoreUnavailableError(
            "the database of decisions does not answer", retry_after=_RETRY_AFTER_SECONDS
        ) from None
