"""The time by which leases and lifetimes go: the database's, which all replicas share."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from service.store.tables import to_microseconds

SECOND = 1_000_000
"""Microseconds, the unit of times in the database."""


def now_in(connection: Connection) -> int:
    """Microseconds since 1970. Of PostgreSQL the server's time; SQLite's is that of this machine."""
    if connection.dialect.name == "postgresql":
        query = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
        return int(connection.exec_driver_sql(query).scalar_one())
    return to_microseconds(datetime.now(UTC))
