"""The decision log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the decisions, the head of their chain and the record of purges."""
    op.create_table(
        "decisions",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("decision_id", sa.String(36), nullable=False, unique=True),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("request_id", sa.String(200)),
        sa.Column("job_id", sa.String(200)),
        sa.Column("candidate_id", sa.String(200)),
        sa.Column("groups", sa.Text),
        sa.Column("raw_score", sa.Float(53)),
        sa.Column("calibrated_probability", sa.Float(53)),
        sa.Column("threshold", sa.Float(53)),
        sa.Column("decision", sa.String(16)),
        sa.Column("redact", sa.Boolean),
        sa.Column("bundle_digest", sa.String(64)),
        sa.Column("engine", sa.String(32)),
        sa.Column("salt", sa.String(32)),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("erased", sa.BigInteger),
        sa.Column("tombstone", sa.String(64)),
    )
    op.create_index("ix_decisions_time", "decisions", ["time"])
    op.create_index("ix_decisions_candidate_id", "decisions", ["candidate_id"])
    op.create_table(
        "log_head",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
    )
    op.create_table(
        "log_purges",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("log_purges", "log_head", "decisions"):
        op.drop_table(table)
