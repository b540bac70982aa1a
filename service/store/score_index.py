"""PostgreSQL: the indexes that tell a median and the groups on either side of it without reading a row.

They hold the groups beside the score. On a large log they take minutes to build, which `migrate` must not
wait for while other processes write: it makes them on a small one and leaves a large one to `evenmatch log
migrate`. Without them everything works, the answers of `/v1/fairness` take longer.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Engine, text

from service.core.errors import StoreError
from service.store.transactions import store_errors

log = logging.getLogger(__name__)

SMALL_LOG_BYTES = 64 * 2**20
"""Of the table alone, about 130,000 decisions: an index of it is built within a second."""

SCORE_INDEXES = {
    "ix_decisions_scores": "ON decisions (calibrated_probability, time) INCLUDE (groups, tenant)",
    "ix_decisions_tenant_scores": "ON decisions (tenant, calibrated_probability, time) INCLUDE (groups) "
    "WHERE tenant <> 'default'",
}

EARLIER_INDEXES = {
    "ix_decisions_probability": "ON decisions (calibrated_probability, time)",
    "ix_decisions_tenant": "ON decisions (tenant, calibrated_probability, time) WHERE tenant <> 'default'",
}
"""What stood in their place before version 0008 of the tables, and stands in SQLite."""


def is_small(connection: Connection) -> bool:
    """Whether indexes can be built while everybody waits."""
    size: int = connection.execute(text("SELECT pg_relation_size('decisions')")).scalar_one()
    return size <= SMALL_LOG_BYTES


def missing_score_indexes(connection: Connection) -> list[str]:
    """Names of those that are not there, or whose building was broken off; none in SQLite."""
    if connection.dialect.name != "postgresql":
        return []
    usable = connection.execute(
        text(
            "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid "
            "WHERE indrelid = to_regclass('decisions') AND indisvalid"
        )
    )
    return sorted(set(SCORE_INDEXES) - set(usable.scalars()))


def warn_of_missing(engine: Engine) -> None:
    """Say in the log what is to be done, if something is missing. Raises `StoreError`."""
    with store_errors(), engine.connect() as connection:
        missing = missing_score_indexes(connection)
    if missing:
        log.warning(
            "%s of this large log not built yet: /v1/fairness is slow until `evenmatch log migrate` was run",
            " and ".join(missing),
        )


def build_score_indexes(engine: Engine, tell: Callable[[str], None]) -> int:
    """Build what is missing while others write, then drop the earlier ones; returns how many were built.

    May be broken off and called again. Raises `StoreError` if the server does not do it.
    """
    if engine.dialect.name != "postgresql":
        return 0
    with store_errors():
        with engine.connect() as connection:
            missing = missing_score_indexes(connection)
        for name in missing:
            tell(f"building {name}, which may take minutes; decisions are recorded meanwhile")
            # One that was broken off is there, but invalid.
            _execute_alone(engine, f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            _execute_alone(engine, f"CREATE INDEX CONCURRENTLY {name} {SCORE_INDEXES[name]}")
        with engine.connect() as connection:
            if missing_score_indexes(connection):
                raise StoreError("the server did not build the indexes: its log says why")
        for name in EARLIER_INDEXES:
            _execute_alone(engine, f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    return len(missing)


def _execute_alone(engine: Engine, statement: str) -> None:
    """Outside of a transaction and of the limits that requests have."""
    with closing(engine.raw_connection()) as connection:
        driver: Any = connection.driver_connection
        limit = driver.longest_wait
        driver.autocommit, driver.longest_wait = True, math.inf
        try:
            connection.cursor().execute(statement)
        finally:
            if not driver.closed:
                driver.autocommit, driver.longest_wait = False, limit
