"""Batch jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = (
    "score_job_deliveries",
    "score_job_results",
    "score_job_uploads",
    "score_job_inputs",
    "score_job_chunks",
    "score_jobs",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "score_jobs",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("started", sa.BigInteger),
        sa.Column("ended", sa.BigInteger),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.BigInteger),
        sa.Column("key", sa.String(64), unique=True),
        sa.Column("body", sa.String(64), nullable=False),
        sa.Column("upload", sa.String(36)),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("total", "completed", "failed")),
        sa.Column("decided", sa.Integer, nullable=False),
        sa.Column("errors", sa.Text, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("postings", sa.LargeBinary),
        sa.Column("webhook", sa.LargeBinary),
        sa.Column("failure", sa.Text),
    )
    op.create_index("ix_score_jobs_owner", "score_jobs", ["owner", "created"])
    op.create_index("ix_score_jobs_status", "score_jobs", ["status"])
    op.create_table(
        "score_job_chunks",
        sa.Column("job_id", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("lease", sa.String(32)),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
    )
    op.create_index("ix_score_job_chunks_state", "score_job_chunks", ["state"])
    op.create_table(
        "score_job_inputs",
        sa.Column("upload", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "score_job_uploads",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("touched", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "score_job_results",
        sa.Column("job_id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "score_job_deliveries",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("url", sa.LargeBinary, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.Column("due", sa.BigInteger),
    )
    op.create_index("ix_score_job_deliveries_job_id", "score_job_deliveries", ["job_id"])
    op.create_index("ix_score_job_deliveries_due", "score_job_deliveries", ["due"])


def downgrade() -> None:
    """Drop them."""
    for table in _TABLES:
        op.drop_table(table)
