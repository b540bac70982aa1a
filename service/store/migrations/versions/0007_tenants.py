"""Tenants: whose decisions and jobs these are, and counts of those of other tenants than the default one.

An earlier version goes on working on these tables: what it inserts is the default tenant's, and the counts
that it adds to are the default tenant's, under the same key as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WITH_TENANT = ("decisions", "score_jobs", "score_job_uploads")
_NOT_DEFAULT = sa.text("tenant <> 'default'")


def upgrade() -> None:
    """Add the columns; what is there is the default tenant's, and keeps its signatures."""
    for table in _WITH_TENANT:
        op.add_column(table, sa.Column("tenant", sa.String(64), nullable=False, server_default="default"))
    op.create_index(
        "ix_decisions_tenant",
        "decisions",
        ["tenant", "calibrated_probability", "time"],
        sqlite_where=_NOT_DEFAULT,
        postgresql_where=_NOT_DEFAULT,
    )
    op.create_index("ix_score_jobs_tenant", "score_jobs", ["tenant", "created"])
    op.create_table(
        "tenant_decision_counts",
        *_key(),
        sa.Column("n", sa.Integer, nullable=False),
        *(sa.Column(f"bin_{i:03}", sa.Integer, nullable=False) for i in range(128)),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tenant_outcome_counts",
        *_key(),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("positive", sa.Boolean, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop them. What other tenants did becomes the default one's, and does not verify afterwards."""
    for table in ("tenant_outcome_counts", "tenant_decision_counts"):
        op.drop_table(table)
    op.drop_index("ix_score_jobs_tenant", "score_jobs")
    op.drop_index("ix_decisions_tenant", "decisions")
    for table in _WITH_TENANT:
        op.drop_column(table, "tenant")


def _key() -> list[sa.Column[object]]:
    return [
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("hours", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("bundle_digest", sa.String(64), primary_key=True),
        sa.Column("groups", sa.Text, primary_key=True),
        sa.Column("selected", sa.Boolean, primary_key=True),
    ]
