"""Which cohort a decision's score was normalised by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; rows that are there were scored without a cohort, and keep their signatures."""
    op.add_column("decisions", sa.Column("cohort_digest", sa.String(64)))


def downgrade() -> None:
    """Drop it. What was signed with a cohort does not verify afterwards."""
    op.drop_column("decisions", "cohort_digest")
