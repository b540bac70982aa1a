"""The month of decisions that `benchmarks.postgresql` measures is what the service would have stored."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select

from benchmarks.stored_month import DAYS, TENANTS, fill
from service.store.database import migrate, open_database
from service.store.hourly_counts import count_decisions
from service.store.log import DecisionLog
from service.store.score_index import missing_score_indexes
from service.store.tables import (
    decision_counts,
    decision_from,
    decisions,
    from_microseconds,
    outcome_counts,
    outcomes,
    tenant_decision_counts,
    tenant_outcome_counts,
)
from tests.support.decision_logs import KEY
from tests.support.decision_logs import decision as one_more
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres

ROWS = 900
END = datetime(2026, 3, 31, tzinfo=UTC)


def contents(engine: Engine, table: object) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(select(table)))  # type: ignore[call-overload]


def test_its_counts_are_those_that_the_service_adds_up_and_it_goes_on_from_there(
    postgres_server: PostgresServer,
) -> None:
    log = DecisionLog(postgres_server.new_database(), KEY, timeout=60)
    other = open_database(postgres_server.new_database(), timeout=60)
    migrate(other)
    with closing(log):
        log.open()
        fill(log, ROWS, END)
        with log.engine.connect() as connection:
            rows = connection.execute(select(decisions).order_by(decisions.c.sequence)).mappings().all()
            labelled = set(connection.execute(select(outcomes.c.decision_id)).scalars())
            assert missing_score_indexes(connection) == []
        assert [row["sequence"] for row in rows] == list(range(1, ROWS + 1))
        times = [from_microseconds(row["time"]) for row in rows]
        assert times == sorted(times)
        assert 0 <= (END - times[0]).days <= DAYS
        assert times[-1] < END
        assert {row["tenant"] for row in rows} == set(TENANTS)
        with other.begin() as connection:
            count_decisions(connection, [decision_from(row) for row in rows])
        for table in (decision_counts, tenant_decision_counts):
            assert contents(log.engine, table) == contents(other, table)
        counted: list[Any] = [
            row[-1]
            for table in (outcome_counts, tenant_outcome_counts)
            for row in contents(log.engine, table)
        ]
        assert sum(counted) == 2 * len(labelled) > 0  # by the hour and by the day
        assert log.append([one_more(1)]).stored == 1
    other.dispose()
