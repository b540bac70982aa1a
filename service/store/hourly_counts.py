"""Counts of decisions and outcomes, kept up to date as they come: no question has to scan the decisions.

Numbers are added by the database, so several replicas on one database sum up. All write the same keys in the
same order, so that no two can wait for each other. An erase or a purge leaves the counts as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from service.store.cells import cell_text
from service.store.decisions import Decision
from service.store.score_bins import bin_of
from service.store.tables import BIN_NAMES, decision_counts, outcome_counts, to_microseconds
from service.store.windows import DAY, HOUR

_PIECES = ((1, HOUR), (24, DAY))


@dataclass(frozen=True, slots=True, order=True)
class CountedDecision:
    """What of a decision is counted. `start`: its time, or the beginning of its hour or day."""

    start: int
    bundle_digest: str
    groups: str
    selected: bool


@dataclass(frozen=True, slots=True, order=True)
class CountedOutcome:
    decision: CountedDecision
    kind: str
    positive: bool


def count_decisions(connection: Connection, decisions: Sequence[Decision]) -> None:
    """Count decisions, in the transaction that stores them; once in it, since the order is kept here."""
    counts: dict[tuple[int, CountedDecision], Counter[str]] = {}
    for decision in decisions:
        counted = CountedDecision(
            to_microseconds(decision.time),
            decision.bundle_digest,
            cell_text(decision.groups),
            decision.decision == "selected",
        )
        for piece in _pieces(counted):
            counter = counts.setdefault(piece, Counter())
            counter["n"] += 1
            counter[BIN_NAMES[bin_of(decision.calibrated_probability)]] += 1
    rows = [
        {
            **_key(hours, counted),
            "n": counter["n"],
            **{name: counter[name] for name in BIN_NAMES},
        }
        for (hours, counted), counter in sorted(counts.items(), key=lambda item: item[0])
    ]
    if rows:
        connection.execute(_adding(connection, decision_counts, ("n", *BIN_NAMES)), rows)


def count_outcomes(connection: Connection, changes: Mapping[CountedOutcome, int]) -> None:
    """Add `changes` to the counts; negative where an outcome was replaced. Once in a transaction."""
    counts: Counter[tuple[int, CountedDecision, str, bool]] = Counter()
    for outcome, change in changes.items():
        for hours, counted in _pieces(outcome.decision):
            counts[hours, counted, outcome.kind, outcome.positive] += change
    rows = [
        {**_key(hours, counted), "kind": kind, "positive": positive, "n": n}
        for (hours, counted, kind, positive), n in sorted(counts.items())
        if n
    ]
    if rows:
        connection.execute(_adding(connection, outcome_counts, ("n",)), rows)


def _pieces(counted: CountedDecision) -> list[tuple[int, CountedDecision]]:
    """The decision as it is counted in its hour and in its day."""
    time, *rest = astuple(counted)
    return [(hours, CountedDecision(time // length * length, *rest)) for hours, length in _PIECES]


def _key(hours: int, counted: CountedDecision) -> dict[str, object]:
    return {
        "hours": hours,
        "start": counted.start,
        "bundle_digest": counted.bundle_digest,
        "groups": counted.groups,
        "selected": counted.selected,
    }


def _adding(connection: Connection, table: Table, names: Sequence[str]) -> Insert:
    """Insert rows, or add to those that are there."""
    postgres = connection.dialect.name == "postgresql"
    statement = (postgresql.insert if postgres else sqlite.insert)(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={name: table.c[name] + statement.excluded[name] for name in names},
    )
