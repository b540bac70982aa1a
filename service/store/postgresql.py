"""PostgreSQL: how its connections are made and what limits them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

from service.core.errors import ConfigurationError


def open_postgresql(url: URL, timeout: float) -> Engine:
    """Connect lazily. `timeout`: seconds to wait for a lock or the server."""
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
