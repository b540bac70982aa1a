"""Run by Alembic on the connection that `service.store.database.migrate` gives it."""

from __future__ import annotations

from alembic import context

from service.store import job_tables, key_tables  # noqa: F401  # their tables are part of the metadata
from service.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
