"""A month of decisions in PostgreSQL, as many as asked for, made by the database itself.

Tenants, postings, groups, two bundles and outcomes are spread as in a service that is used by day: what a
query reads is then as scattered as it would be. Columns have their real lengths. Rows are not signed: signing
ten million takes Python an hour of one core; the head is, so that the service goes on from there.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, text, update

from service.core.groups import RACE_ETHNICITY, SEX
from service.core.tenants import DEFAULT_TENANT
from service.store import tables
from service.store.hourly_counts import DAY, EDGES, HOUR
from service.store.log import DecisionLog, Head
from service.store.tables import BIN_NAMES, BINS, to_microseconds

DAYS = 30
BUNDLES = ("a" * 64, "b" * 64)
"""The second takes over after two thirds of the month."""

TENANTS = {DEFAULT_TENANT: 60, "northwind": 25, "contoso": 10, "fabrikam": 5}
"""Percent of the requests."""

OUTCOMES_PERCENT = 10
_CANDIDATES_A_REQUEST = 20
_HOUR_WEIGHTS = (1, 1, 1, 1, 1, 2, 4, 8, 12, 14, 14, 13, 12, 13, 14, 13, 11, 8, 5, 4, 3, 3, 2, 1)
_LOADERS = 3

# One day: rows :first to :last of the log. Rows of one request share its time, posting and tenant.
_ONE_DAY = """
INSERT INTO decisions (sequence, decision_id, time, request_id, job_id, candidate_id, groups, raw_score,
  calibrated_probability, threshold, decision, redact, bundle_digest, engine, salt, content, hash, tenant)
SELECT sequence, gen_random_uuid()::text,
  :day + (3600000000 * (hour - 1 + least(1, greatest(0, (u - before[hour]) / weights[hour]))))::bigint,
  md5(request::text)::uuid::text, 'req-' || abs(hashint8extended(request, 1) % :postings),
  'cand-' || lpad((random() * :people)::bigint::text, 8, '0'), cells[1 + floor(random() * cell_count)::int],
  raw, probability, 0.5, CASE WHEN probability >= 0.5 THEN 'selected' ELSE 'not_selected' END, true,
  :bundle, 'openvino', md5(random()::text), repeat(md5(random()::text), 2), repeat(md5(random()::text), 2),
  CASE WHEN share < 60 THEN 'default' WHEN share < 85 THEN 'northwind' WHEN share < 95 THEN 'contoso'
    ELSE 'fabrikam' END
FROM (
  SELECT *, 1 / (1 + exp(6.1 - 9.7 * raw)) AS probability, width_bucket(u, before) AS hour
  FROM (
    SELECT sequence, sequence / :together AS request, abs(hashint8(sequence / :together) % 100) AS share,
      ((sequence - :first) / :together * :together)::float8 / (:last - :first + 1) AS u,
      0.45 + 0.2 * sqrt(-2 * ln(1 - random())) * cos(6.283185307179586 * random()) AS raw,
      CAST(:before AS float8[]) AS before, CAST(:weights AS float8[]) AS weights,
      CAST(:cells AS text[]) AS cells, CAST(:cell_count AS int) AS cell_count
    FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS sequence
    OFFSET 0
  ) AS drawn
  OFFSET 0
) AS made
"""

_LABELS = """
INSERT INTO outcomes (decision_id, kind, positive, time, received)
SELECT decision_id, 'label', calibrated_probability > random(), time + 3600000000, time + 7200000000
FROM decisions WHERE abs(hashint8(sequence)::bigint) % 100 < :percent
"""

_LABEL_HISTORY = """
INSERT INTO outcome_history (decision_id, kind, positive, time, received, event)
SELECT decision_id, kind, positive, time, received, 'recorded' FROM outcomes
"""


@dataclass(frozen=True)
class Month:
    """`end`: where it ends, at a full day; decisions are of the `DAYS` before it."""

    rows: int
    end: datetime


def fill(decision_log: DecisionLog, rows: int, end: datetime) -> Month:
    """Store `rows` decisions in an empty, open log; a tenth of them with a label."""
    engine = decision_log.engine
    dropped = _drop_indexes(engine)
    bounds = [round(rows * day / DAYS) for day in range(DAYS + 1)]
    start = end - timedelta(days=DAYS)

    def store_day(day: int) -> None:
        values = {
            **_spread(),
            "first": bounds[day] + 1,
            "last": bounds[day + 1],
            "day": to_microseconds(start + timedelta(days=day)),
            "bundle": BUNDLES[day >= DAYS * 2 // 3],
            "postings": max(1, rows // 500),
            "people": max(1, rows * 2 // 5),
        }
        _execute(engine, _ONE_DAY, values)

    with ThreadPoolExecutor(_LOADERS) as loaders:
        list(loaders.map(store_day, range(DAYS)))
    for index in dropped:
        _execute(engine, index, {})
    _execute(engine, _LABELS, {"percent": OUTCOMES_PERCENT})
    _execute(engine, _LABEL_HISTORY, {})
    with engine.begin() as connection:
        _without_limit(connection)
        _count(connection)
        _count_outcomes(connection)
        _sign_head(connection, decision_log)
    # As autovacuum leaves it: what index-only scans rely on.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.connection.driver_connection.longest_wait = float("inf")  # type: ignore[union-attr]
        connection.exec_driver_sql("VACUUM ANALYZE")
    return Month(rows, end)


def _spread() -> dict[str, Any]:
    weights = np.array(_HOUR_WEIGHTS) / sum(_HOUR_WEIGHTS)
    cells = [
        json.dumps(
            {k: v for k, v in (("race_ethnicity", race), ("sex", sex)) if v is not None},
            separators=(",", ":"),
        )
        # As often as people say so: the third sex seldom, nothing one time in six.
        for sex in (*(s for s in SEX for _ in range(1 if s == SEX[-1] else 8)), *(None,) * 3)
        for race in (*RACE_ETHNICITY, None)
    ]
    return {
        "together": _CANDIDATES_A_REQUEST,
        "before": np.concatenate([[0], np.cumsum(weights)[:-1]]).tolist(),
        "weights": weights.tolist(),
        "cells": cells,
        "cell_count": len(cells),
    }


def _drop_indexes(engine: Engine) -> list[str]:
    """Drop what only queries need, which is built faster at the end; returns how each is made."""
    with engine.begin() as connection:
        found = connection.exec_driver_sql(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'decisions' "
            "AND indexname LIKE 'ix_%%'"
        ).all()
        for name, _ in found:
            connection.exec_driver_sql(f'DROP INDEX "{name}"')
    return [made for _, made in found]


def _execute(engine: Engine, statement: str, values: dict[str, Any]) -> None:
    with engine.begin() as connection:
        _without_limit(connection)
        connection.execute(text(statement), values)


def _without_limit(connection: Connection) -> None:
    """As long as it takes: the limits are those of requests."""
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    connection.connection.driver_connection.longest_wait = float("inf")  # type: ignore[union-attr]


def _sign_head(connection: Connection, decision_log: DecisionLog) -> None:
    rows = tables.decisions.c
    last = (
        connection.execute(tables.decisions.select().order_by(rows.sequence.desc()).limit(1)).mappings().one()
    )
    head, key = Head(last["sequence"], last["hash"]), decision_log.key
    signature = key.sign("head", [head.sequence, head.hash, key.id])
    values = {"sequence": head.sequence, "hash": head.hash, "signature": signature}
    connection.execute(update(tables.head).values(values))


def _count(connection: Connection) -> None:
    """The counts that `count_decisions` would have added up, decision by decision."""
    # EDGES[i] <= p < EDGES[i + 1], as width_bucket counts them.
    edges = ", ".join(f"{edge!r}" for edge in EDGES[1:-1])
    found = connection.exec_driver_sql(
        f"SELECT tenant, time / {HOUR} * {HOUR}, bundle_digest, groups, decision = 'selected', "
        f"width_bucket(calibrated_probability, ARRAY[{edges}]::float8[]), count(*) "
        "FROM decisions GROUP BY 1, 2, 3, 4, 5, 6"
    )
    counts: dict[tuple[Any, ...], NDArray[np.int64]] = {}
    for tenant, hour, bundle, groups, selected, number, n in found:
        for hours, start in ((1, hour), (24, hour // DAY * DAY)):
            key = (tenant, hours, start, bundle, groups, selected)
            bins = counts.get(key)
            if bins is None:
                bins = counts[key] = np.zeros(BINS, np.int64)
            bins[number] += n
    names = ["tenant", "hours", "start", "bundle_digest", "groups", "selected", "n", *BIN_NAMES]
    driver: Any = connection.connection.driver_connection
    # The default tenant's table has no column for the tenant.
    for table, first, own in (("decision_counts", 1, True), ("tenant_decision_counts", 0, False)):
        copied = f"COPY {table} ({', '.join(names[first:])}) FROM STDIN"
        with driver.cursor() as cursor, cursor.copy(copied) as copy:
            for key, bins in counts.items():
                if (key[0] == DEFAULT_TENANT) == own:
                    copy.write_row([*key[first:], int(bins.sum()), *bins.tolist()])


def _count_outcomes(connection: Connection) -> None:
    """As `_count`, for `count_outcomes`."""
    of_decision = "bundle_digest, groups, selected, kind, positive"
    for table, whose, which in (
        ("outcome_counts", "", "="),
        ("tenant_outcome_counts", "tenant, ", "<>"),
    ):
        for hours, length in ((1, HOUR), (24, DAY)):
            connection.execute(
                text(
                    f"INSERT INTO {table} ({whose}hours, start, {of_decision}, n) "
                    f"SELECT {whose}{hours}, start, {of_decision}, count(*) FROM ("
                    f"SELECT tenant, d.time / {length} * {length} AS start, bundle_digest, groups, "
                    "decision = 'selected' AS selected, kind, positive "
                    "FROM outcomes JOIN decisions d USING (decision_id)) AS told "
                    f"WHERE tenant {which} :default GROUP BY {whose}start, {of_decision}"
                ),
                {"default": DEFAULT_TENANT},
            )
