"""The tables, as SQLAlchemy Core, and how a decision stands in its row. The migrations make and change them.

Times are integers, microseconds since 1970 in UTC: both databases compare them alike, and no time zone can
get lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    literal_column,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.core.tenants import DEFAULT_TENANT, MAX_TENANT_CHARACTERS
from service.store.decisions import COLUMN_TYPES, CONTENT, FIELDS, Decision

BINS = 128
"""Bins of the calibrated probability in `decision_counts`; `hourly_counts` has their edges."""
BIN_NAMES = tuple(f"bin_{i:03}" for i in range(BINS))

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Row = Mapping[Any, Any]
"""A row as read: column name -> value."""

metadata = MetaData()


def tenant_column() -> Column[Any]:
    """Whose row it is: the default tenant's where an earlier version inserts it."""
    return Column("tenant", String(MAX_TENANT_CHARACTERS), nullable=False, server_default=DEFAULT_TENANT)


decisions = Table(
    "decisions",
    metadata,
    # Given in the order of the chain, without gaps.
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    # Stays after an erasure: a random number, without which a row could be replayed from a spool again.
    Column("decision_id", String(36), nullable=False, unique=True),
    Column("time", BigInteger, nullable=False, index=True),
    # The content and `salt` are null after a lawful erasure.
    *(Column(name, COLUMN_TYPES[name], index=name == "candidate_id") for name in CONTENT),
    Column("salt", String(32)),
    Column("content", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    # Null unless erased.
    Column("erased", BigInteger),
    Column("tombstone", String(64)),
    tenant_column(),
)

NOT_DEFAULT: ColumnElement[bool] = decisions.c.tenant != literal_column(f"'{DEFAULT_TENANT}'")
"""Has to stand in a query that is to use an index of other tenants: without tenants it costs nothing."""

# `service.store.score_medians` reads the scores of one bin of the histogram through these; in PostgreSQL the
# groups beside them, too, so that no row is read (`score_index`).
_SCORES = (decisions.c.calibrated_probability, decisions.c.time)
Index("ix_decisions_probability", *_SCORES).ddl_if(dialect="sqlite")
Index("ix_decisions_tenant", decisions.c.tenant, *_SCORES, sqlite_where=NOT_DEFAULT).ddl_if(dialect="sqlite")
Index("ix_decisions_scores", *_SCORES, postgresql_include=["groups", "tenant"]).ddl_if(dialect="postgresql")
Index(
    "ix_decisions_tenant_scores",
    decisions.c.tenant,
    *_SCORES,
    postgresql_include=["groups"],
    postgresql_where=NOT_DEFAULT,
).ddl_if(dialect="postgresql")

head = Table(
    "log_head",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # always 1: there is one chain
    Column("sequence", BigInteger, nullable=False),  # of the last row; 0 before the first
    Column("hash", String(64), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("signature", String(64), nullable=False),
)

purges = Table(
    "log_purges",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),  # of the last row that was purged
    Column("hash", String(64), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("signature", String(64), nullable=False),
)


def _decision_key() -> ForeignKey:
    return ForeignKey("decisions.decision_id", ondelete="CASCADE")


# The outcomes that count now.
outcomes = Table(
    "outcomes",
    metadata,
    Column("decision_id", String(36), _decision_key(), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("positive", Boolean, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
)

# All outcomes that were ever sent.
outcome_history = Table(
    "outcome_history",
    metadata,
    # SQLite counts up by itself in INTEGER only.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("decision_id", String(36), _decision_key(), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("positive", Boolean, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("event", String(16), nullable=False),  # recorded, replaced or refused
)

# Answers to requests with an `Idempotency-Key`.
answers = Table(
    "answers",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("body", String(64)),  # null after an erasure
    Column("submission", String(16), nullable=False),
    # That of the answer's decisions, to the microsecond: an erasure finds the answer by it.
    Column("time", BigInteger, nullable=False, index=True),
    Column("content", Text),  # JSON; null after an erasure
)


def _count_key() -> list[Column[Any]]:
    return [
        Column("hours", SmallInteger, primary_key=True, autoincrement=False),  # 1 or 24
        # The hour or day of the decision, also where outcomes are counted: both count the same people.
        Column("start", BigInteger, primary_key=True, autoincrement=False),
        Column("bundle_digest", String(64), primary_key=True),
        Column("groups", Text, primary_key=True),  # `hourly_counts.cell_text`
        Column("selected", Boolean, primary_key=True),
    ]


def _tenant_count_key() -> list[Column[Any]]:
    return [Column("tenant", String(MAX_TENANT_CHARACTERS), primary_key=True), *_count_key()]


def _decision_counts(name: str, key: Sequence[Column[Any]]) -> Table:
    return Table(
        name,
        metadata,
        *key,
        Column("n", Integer, nullable=False),
        *(Column(bin_name, Integer, nullable=False) for bin_name in BIN_NAMES),
        sqlite_with_rowid=False,
    )


def _outcome_counts(name: str, key: Sequence[Column[Any]]) -> Table:
    return Table(
        name,
        metadata,
        *key,
        Column("kind", String(16), primary_key=True),
        Column("positive", Boolean, primary_key=True),
        Column("n", Integer, nullable=False),
        sqlite_with_rowid=False,
    )


# Counts hold numbers of people by group and hour, and no id. Every decision is counted twice, in its hour and
# in its day, so that a long window is read by the day. These are the default tenant's; those of all others
# stand in tables of their own, since an earlier version adds to these under the key that they always had.
decision_counts = _decision_counts("decision_counts", _count_key())
outcome_counts = _outcome_counts("outcome_counts", _count_key())
tenant_decision_counts = _decision_counts("tenant_decision_counts", _tenant_count_key())
tenant_outcome_counts = _outcome_counts("tenant_outcome_counts", _tenant_count_key())


def to_microseconds(time: datetime) -> int:
    """Microseconds since 1970 in UTC; `time` must be aware."""
    return (time - _EPOCH) // _MICROSECOND


def from_microseconds(time: int) -> datetime:
    """The aware time in UTC."""
    return _EPOCH + timedelta(microseconds=time)


def decision_row(decision: Decision) -> dict[str, Any]:
    """The columns of a decision's row that say what was decided; the chain adds its own."""
    row = {name: getattr(decision, name) for name in FIELDS}
    row["time"] = to_microseconds(decision.time)
    row["groups"] = json.dumps(dict(decision.groups), sort_keys=True, separators=(",", ":"))
    for name, column_type in COLUMN_TYPES.items():
        if isinstance(column_type, Float):
            row[name] += 0.0  # SQLite does not keep the sign of a zero: -0.0 would be read as another score
    return row


def decision_from(row: Row) -> Decision:
    """The decision of a row that is not erased."""
    values = {name: row[name] for name in FIELDS}
    values |= {"time": from_microseconds(row["time"]), "groups": json.loads(row["groups"])}
    return Decision(**values)


def insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT with `on_conflict_do_update`, which each database has in a class of its own."""
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)
