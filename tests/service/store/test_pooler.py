"""PgBouncer in transaction mode: each transaction may be on another connection to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select

from service.core.errors import StoreError
from service.store import tables
from service.store.database import open_database
from service.store.log import DecisionLog
from service.store.transactions import reading, writing
from service.store.verification import verify
from tests.support import pgbouncer
from tests.support.decision_logs import OpenLog, decision, decisions
from tests.support.patience import wait_until
from tests.support.postgres import PostgresServer

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(pgbouncer.program() is None, reason="needs pgbouncer"),
]

WRITERS = 6
BATCHES = 12
"""More than the five times after which psycopg would prepare a statement."""


@pytest.fixture
def pooled(postgres_url: str) -> Iterator[str]:
    """A database behind a pooler that has two connections for everybody."""
    with pgbouncer.pgbouncer(postgres_url, pool=2) as url:
        yield url


def test_statements_are_understood_on_whichever_connection_they_come(pooled: str, open_log: OpenLog) -> None:
    open_log(pooled)
    database = open_database(pooled, timeout=60.0)

    def write_and_read(writer: int) -> None:
        log = open_log(pooled)
        for batch in range(BATCHES):
            assert log.append([decision(1 + writer * BATCHES + batch)]).stored == 1
            with reading(database) as connection:
                connection.execute(select(func.count()).select_from(tables.decisions)).scalar_one()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write_and_read, range(WRITERS)))
    log = open_log(pooled)
    assert verify(log).broken == 0
    with reading(database) as connection:
        assert log.head(connection).sequence == WRITERS * BATCHES  # type: ignore[union-attr]
    database.dispose()


def test_limits_hold_in_our_transactions_and_in_nobody_elses(pooled: str) -> None:
    database = open_database(pooled, timeout=10.0)
    for transaction in (reading, writing):
        with transaction(database) as connection:
            for name, limit in (("statement_timeout", "1min"), ("lock_timeout", "8s")):
                assert connection.exec_driver_sql(f"SHOW {name}").scalar_one() == limit
    database.dispose()
    others = [psycopg.connect(pooled) for _ in range(2)]  # both connections of the pooler
    for other in others:
        assert shown(other, "statement_timeout") == "0"
        assert shown(other, "lock_timeout") == "0"
    for other in others:
        other.close()


def shown(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> str:
    row = connection.execute(f"SHOW {name}").fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.slow
def test_waiting_ends_when_the_server_behind_the_pooler_stands_still(
    pooled: str, postgres_server: PostgresServer, open_log: OpenLog
) -> None:
    log = open_log(pooled)
    assert log.append(decisions(3)).stored == 3
    hasty = DecisionLog(pooled, log.key, timeout=0.6)
    with postgres_server.frozen(), pytest.raises(StoreError):
        hasty.append(decisions(3, 4))
    hasty.close()
    wait_until(lambda: log.append(decisions(3, 4)).stored in (0, 3))
    assert verify(log).broken == 0
