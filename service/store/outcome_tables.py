"""Tables of outcomes: what holds now, and everything that was ever said."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table

from service.store.tables import metadata

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
