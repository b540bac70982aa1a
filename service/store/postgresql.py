"""PostgreSQL: how its connections are made and what limits them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

from service.core.errors import ConfigurationError
from service.store.time_limits import LIMIT_OPTION

_STATEMENT_LIMITS = 6
"""Time limits that one statement may take: a report reads more than a decision writes."""


def open_postgresql(url: URL, timeout: float) -> Engine:
    """Connect lazily.

    `timeout`: seconds for getting a connection, and for a brief transaction (`time_limits`). One statement
    may take six times as long. A server that says nothing for seven times as long counts as gone.
    """
    try:
        from service.store.limited_connection import LimitedPool, connect

        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={"tcp_user_timeout": _milliseconds(timeout)},
            poolclass=LimitedPool,
            pool_pre_ping=True,
            pool_timeout=timeout,
            execution_options={LIMIT_OPTION: timeout},
        )
    except ModuleNotFoundError:
        raise ConfigurationError(
            "database_url names postgresql, which needs the extra `postgres`", field="database_url"
        ) from None

    @event.listens_for(engine, "do_connect")
    def _connect(_: Any, __: Any, ___: Any, arguments: dict[str, Any]) -> Any:
        return connect(arguments, timeout, (_STATEMENT_LIMITS + 1) * timeout)

    @event.listens_for(engine, "connect")
    def _limit_waiting(connection: Any, _: Any) -> None:
        limits = {
            # Before the client's own limit: the server says what it waited for.
            "lock_timeout": 0.8 * timeout,
            "statement_timeout": _STATEMENT_LIMITS * timeout,
            # Who froze in a transaction, or whose machine is gone, must not hold the head for hours.
            "idle_in_transaction_session_timeout": _STATEMENT_LIMITS * timeout,
        }
        for name, seconds in limits.items():
            connection.execute(f"SET {name} = {_milliseconds(seconds)}")
        connection.commit()
        _watch_for_the_client(connection, timeout)

    return engine


def _watch_for_the_client(connection: Any, timeout: float) -> None:
    """Have the server give up a statement whose client is gone, as ours is when its time is up."""
    from psycopg import DataError, ProgrammingError

    try:
        connection.execute(f"SET client_connection_check_interval = {_milliseconds(timeout / 10)}")
    except (DataError, ProgrammingError):  # older than PostgreSQL 14, or on a system where it cannot know
        connection.rollback()
    else:
        connection.commit()


def _milliseconds(seconds: float) -> int:
    return max(1, round(1000 * seconds))
