"""Counts of decisions and outcomes by hour and by day, updated when these are stored.

A question about a window reads counts, and never scans the decisions. The database adds the numbers, so
several replicas on one database sum up. All write the same keys in the same order, so that no two can wait
for each other. An erasure or a purge leaves the counts as they are.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

from service.core.groups import UNKNOWN
from service.core.tenants import DEFAULT_TENANT
from service.store.arrays import add_to_counts
from service.store.decisions import Decision
from service.store.tables import (
    BIN_NAMES,
    BINS,
    decision_counts,
    outcome_counts,
    tenant_decision_counts,
    tenant_outcome_counts,
    to_microseconds,
)

HOUR = 3_600_000_000
"""In microseconds."""
DAY = 24 * HOUR

_PERIODS = ((1, HOUR), (24, DAY))

# An eighth in log-odds wide, since probabilities crowd at 0: of bins of equal width one would hold most of
# them. Rounded, so that every machine has the very same edges.
_INNER_EDGES = tuple(round(1 / (1 + math.exp(-(i - BINS / 2) / 8)), 6) for i in range(1, BINS))

EDGES = (-math.inf, *_INNER_EDGES, math.inf)
"""Bin `i` holds `EDGES[i] <= probability < EDGES[i + 1]`. Never change them: stored counts rely on them."""


@dataclass(frozen=True, slots=True, order=True)
class CountedDecision:
    """What of a decision is counted. `start`: its time, or the beginning of its hour or day, in microseconds.

    `groups` is the text of its cell.
    """

    start: int
    bundle_digest: str
    groups: str
    selected: bool
    tenant: str = DEFAULT_TENANT


@dataclass(frozen=True, slots=True, order=True)
class CountedOutcome:
    decision: CountedDecision
    kind: str
    positive: bool


def count_decisions(connection: Connection, decisions: Sequence[Decision]) -> None:
    """Count decisions in the transaction that stores them. Call it once in that: it orders the keys."""
    counts: dict[tuple[int, CountedDecision], Counter[str]] = {}
    for decision in decisions:
        counted = CountedDecision(
            to_microseconds(decision.time),
            decision.bundle_digest,
            cell_text(decision.groups),
            decision.decision == "selected",
            decision.tenant,
        )
        for period in _periods(counted):
            counter = counts.setdefault(period, Counter())
            counter["n"] += 1
            counter[BIN_NAMES[bin_of(decision.calibrated_probability)]] += 1
    names = ("n", *BIN_NAMES)
    rows = [
        {"hours": hours, **asdict(counted), **{name: counter[name] for name in names}}
        for (hours, counted), counter in sorted(counts.items(), key=lambda item: item[0])
    ]
    _add(connection, (decision_counts, tenant_decision_counts), names, rows)


def count_outcomes(connection: Connection, changes: Mapping[CountedOutcome, int]) -> None:
    """Add `changes` to the counts, negative where an outcome was replaced. Call it once in a transaction."""
    counts: Counter[tuple[int, CountedDecision, str, bool]] = Counter()
    for outcome, change in changes.items():
        for hours, counted in _periods(outcome.decision):
            counts[hours, counted, outcome.kind, outcome.positive] += change
    rows = [
        {"hours": hours, **asdict(counted), "kind": kind, "positive": positive, "n": n}
        for (hours, counted, kind, positive), n in sorted(counts.items())
        if n
    ]
    _add(connection, (outcome_counts, tenant_outcome_counts), ("n",), rows)


def cell_text(groups: Mapping[str, str]) -> str:
    """The text of a cell, the same for the same groups: JSON with sorted keys, without `unknown`."""
    known = {attribute: group for attribute, group in groups.items() if group != UNKNOWN}
    return json.dumps(known, sort_keys=True, separators=(",", ":"))


def cell_groups(text: str) -> dict[str, str]:
    """The groups of a cell, attribute to group."""
    groups: dict[str, str] = json.loads(text)
    return groups


def bin_of(probability: float) -> int:
    """The bin that holds `probability`."""
    return bisect_right(_INNER_EDGES, probability)


def _periods(counted: CountedDecision) -> list[tuple[int, CountedDecision]]:
    """The decision as it is counted in its hour and in its day."""
    return [(hours, replace(counted, start=counted.start // length * length)) for hours, length in _PERIODS]


def _add(
    connection: Connection, tables: tuple[Table, Table], names: tuple[str, ...], rows: list[dict[str, Any]]
) -> None:
    """To the default tenant's table, and then to that of all others."""
    of_default, of_tenants = tables
    own = [row for row in rows if row["tenant"] == DEFAULT_TENANT]
    others = [row for row in rows if row["tenant"] != DEFAULT_TENANT]
    for row in own:
        del row["tenant"]  # the table has no such column
    for table, of_table in ((of_default, own), (of_tenants, others)):
        if not of_table:
            continue
        if connection.dialect.name == "postgresql":
            add_to_counts(connection, table, names, of_table)
        else:
            connection.execute(_add_to(table, names), of_table)


@cache
def _add_to(table: Table, names: tuple[str, ...]) -> sqlite.Insert:
    """Insert rows, or add their `names` to those that are there. To build it takes longer than to run it."""
    statement = sqlite.insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={name: table.c[name] + statement.excluded[name] for name in names},
    )
