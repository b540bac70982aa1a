"""Tables of counts. They hold numbers of people by group and hour, and no id.

Every decision is counted twice: in its hour and in its day, so that a long window is read by the day.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, String, Table, Text

from service.store.score_bins import BINS
from service.store.tables import decisions, metadata

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

# `service.store.middle_scores` reads the scores of one bin of the histogram through it.
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
