"""Alembic's work on an empty database: done once for each kind, then repeated statement by statement.

Nearly a fifth of the time of a test that opens a database went into finding the same statements again.
"""

from __future__ import annotations

from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, inspect

_really_upgrade = command.upgrade


class RecordedMigration:
    """Stands for `alembic.command.upgrade`; thread-safe as that is, under the caller's lock."""

    def __init__(self) -> None:
        self._recorded: dict[str, list[tuple[str, Any]]] = {}

    def upgrade(self, config: Config, revision: str) -> None:
        """Bring an empty database to the newest state as recorded; leave everything else to Alembic."""
        connection: Connection = config.attributes["connection"]
        dialect = connection.dialect.name
        if revision != "head" or inspect(connection).get_table_names():
            _really_upgrade(config, revision)
        elif (statements := self._recorded.get(dialect)) is not None:
            for statement, parameters in statements:
                connection.exec_driver_sql(statement, parameters or None)
        else:
            self._recorded[dialect] = self._record(connection, config)

    def _record(self, connection: Connection, config: Config) -> list[tuple[str, Any]]:
        said: list[tuple[str, Any]] = []

        def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA")):
                said.append((statement, parameters))

        event.listen(connection, "before_cursor_execute", note)
        try:
            _really_upgrade(config, "head")
        finally:
            event.remove(connection, "before_cursor_execute", note)
        return said
