"""The tables, as SQLAlchemy Core; made and changed by the migrations only.

Times are microseconds since 1970 in UTC, as integers: both databases compare them alike, and no time zone can
get lost.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata = MetaData()

decisions = Table(
    "decisions",
    metadata,
    # Given in the order of the chain, without holes.
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    # Stays after an erasure: a random number, without which a row could be replayed from a spool again.
    Column("decision_id", String(36), nullable=False, unique=True),
    Column("time", BigInteger, nullable=False, index=True),
    # From here on to `salt`: null after a lawful erasure.
    Column("request_id", String(200)),
    Column("job_id", String(200)),
    Column("candidate_id", String(200), index=True),
    Column("groups", Text),  # JSON with sorted keys
    Column("raw_score", Float(53)),
    Column("calibrated_probability", Float(53)),
    Column("threshold", Float(53)),
    Column("decision", String(16)),
    Column("redact", Boolean),
    Column("bundle_digest", String(64)),
    Column("engine", String(32)),
    Column("salt", String(32)),
    Column("content", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    # Null unless erased.
    Column("erased", BigInteger),
    Column("tombstone", String(64)),
)

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


outcomes = Table(
    "outcomes",
    metadata,
    Column(
        "decision_id",
        String(36),
        ForeignKey("decisions.decision_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("kind", String(16), primary_key=True),
    Column("positive", Boolean, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
)

outcome_history = Table(
    "outcome_history",
    metadata,
    # SQLite counts up by itself in INTEGER only.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column(
        "decision_id",
        String(36),
        ForeignKey("decisions.decision_id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("kind", String(16), nullable=False),
    Column("positive", Boolean, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("event", String(16), nullable=False),  # recorded, replaced or refused
    Index("ix_outcome_history_decision_id", "decision_id"),
)


answers = Table(
    "answers",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("body", String(64)),  # null after an erasure
    Column("submission", String(16), nullable=False),
    # That of the answer's decisions, to the microsecond: by it an erasure finds the answer.
    Column("time", BigInteger, nullable=False, index=True),
    Column("content", Text),  # JSON; null after an erasure
)


BINS = 128
"""Bins of the calibrated probability in `decision_counts`; their edges are in `hourly_counts`."""

BIN_NAMES = tuple(f"bin_{i:03}" for i in range(BINS))

decision_counts = Table(
    "decision_counts",
    metadata,
    Column("hours", SmallInteger, primary_key=True, autoincrement=False),  # 1 or 24
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("bundle_digest", String(64), primary_key=True),
    Column("groups", Text, primary_key=True),  # `service.store.cells`
    Column("selected", Boolean, primary_key=True),
    Column("n", Integer, nullable=False),
    # The histogram of `service.store.score_bins`.
    *(Column(name, Integer, nullable=False) for name in BIN_NAMES),
    sqlite_with_rowid=False,
)

# `service.store.score_medians` reads the scores of one bin of the histogram through it.
Index("ix_decisions_probability", decisions.c.calibrated_probability, decisions.c.time)

outcome_counts = Table(
    "outcome_counts",
    metadata,
    Column("hours", SmallInteger, primary_key=True, autoincrement=False),
    # The hour or day of the decision, not of the outcome: both are then counts of the same people.
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("bundle_digest", String(64), primary_key=True),
    Column("groups", Text, primary_key=True),
    Column("selected", Boolean, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("positive", Boolean, primary_key=True),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(time: datetime) -> int:
    """Microseconds since 1970 in UTC; `time` must be aware."""
    return (time - _EPOCH) // _MICROSECOND


def from_microseconds(time: int) -> datetime:
    """The aware time in UTC."""
    return _EPOCH + timedelta(microseconds=time)
