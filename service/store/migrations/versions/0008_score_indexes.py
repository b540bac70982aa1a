"""PostgreSQL: indexes with the groups beside the score, and room in the tables that are updated all the time.

On a large log the indexes are left to `evenmatch log migrate`, which does not keep writers waiting; the
earlier ones stay until then. No statement here waits for a version that runs: the storage parameters take a
lock that goes together with reading and writing. SQLite keeps what it has.
"""

from __future__ import annotations

from alembic import op

from service.store.score_index import EARLIER_INDEXES, SCORE_INDEXES, is_small

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COUNTS = ("decision_counts", "outcome_counts", "tenant_decision_counts", "tenant_outcome_counts")


def upgrade() -> None:
    """Replace the indexes of a small log."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    # Index-only scans read the rows of pages that no vacuum has seen: of a fiftieth at most, not a fifth.
    op.execute("ALTER TABLE decisions SET (autovacuum_vacuum_insert_scale_factor = 0.02)")
    for table in _COUNTS:
        # The next version of a row finds room beside it, and no index changes.
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 60)")
    if is_small(connection):
        _replace(EARLIER_INDEXES, SCORE_INDEXES)


def downgrade() -> None:
    """Put the earlier indexes back."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE decisions RESET (autovacuum_vacuum_insert_scale_factor)")
    for table in _COUNTS:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    _replace(SCORE_INDEXES, EARLIER_INDEXES)


def _replace(old: dict[str, str], new: dict[str, str]) -> None:
    for name in old:
        op.execute(f"DROP INDEX IF EXISTS {name}")
    for name, definition in new.items():
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} {definition}")
