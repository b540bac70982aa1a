"""Outcomes, and counts of decisions and outcomes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the index that finds a window's median score."""
    decision = ("decision_id", sa.String(36), "decisions.decision_id")
    op.create_table(
        "outcomes",
        sa.Column(*decision[:2], sa.ForeignKey(decision[2], ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("positive", sa.Boolean, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "outcome_history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column(*decision[:2], sa.ForeignKey(decision[2], ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("positive", sa.Boolean, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
    )
    op.create_index("ix_outcome_history_decision_id", "outcome_history", ["decision_id"])
    op.create_table(
        "decision_counts",
        *_key(),
        sa.Column("n", sa.Integer, nullable=False),
        *(sa.Column(f"bin_{i:03}", sa.Integer, nullable=False) for i in range(128)),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outcome_counts",
        *_key(),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("positive", sa.Boolean, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_decisions_probability", "decisions", ["calibrated_probability", "time"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_decisions_probability", "decisions")
    for table in ("outcome_counts", "decision_counts", "outcome_history", "outcomes"):
        op.drop_table(table)


def _key() -> list[sa.Column[object]]:
    return [
        sa.Column("hours", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("bundle_digest", sa.String(64), primary_key=True),
        sa.Column("groups", sa.Text, primary_key=True),
        sa.Column("selected", sa.Boolean, primary_key=True),
    ]
