"""PostgreSQL: many rows in one statement, as an array a column.

Without prepared statements (a pooler may stand between) the server would parse an INSERT anew for every row:
a millisecond for one with the 128 bins of a count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import String

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_BINS = "bins"

Rows = Sequence[Mapping[str, Any]]


def insert_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows that all have the same columns."""
    names = tuple(rows[0])
    connection.execute(_insert(table, names), {name: [row[name] for row in rows] for name in names})


def add_to_counts(connection: Connection, table: Table, names: Sequence[str], rows: Rows) -> None:
    """Insert rows of counts, or add their `names` to those that are there, in the order of `rows`."""
    key = tuple(column.name for column in table.primary_key)
    values: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in key}
    # All counts of a row are one text, which becomes an array: arrays of arrays cannot be unnested.
    values[_BINS] = ["{" + ",".join(str(row[name]) for name in names) + "}" for row in rows]
    connection.execute(_upsert(table, key, tuple(names)), values)


@cache
def _insert(table: Table, names: tuple[str, ...]) -> TextClause:
    columns = ", ".join(f'"{name}"' for name in names)
    # Names of our own tables and columns; what is stored goes by parameters. So below.
    inserted = f"INSERT INTO {table.name} ({columns}) SELECT * FROM unnest({_arrays(table, names)})"  # nosec B608
    return text(inserted)


@cache
def _upsert(table: Table, key: tuple[str, ...], names: tuple[str, ...]) -> TextClause:
    keys = ", ".join(f'"{name}"' for name in key)
    counts = ", ".join(names)
    taken = ", ".join(f"{_BINS}[{i}]" for i in range(1, len(names) + 1))
    added = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in names)
    arrays = f"{_arrays(table, key)}, CAST(:{_BINS} AS text[])"
    return text(
        f"INSERT INTO {table.name} ({keys}, {counts}) SELECT {keys}, {taken} FROM ("  # nosec B608
        # OFFSET 0: the text is read once, not for every element.
        f"SELECT {keys}, CAST(told AS int[]) AS {_BINS}, place "
        f"FROM unnest({arrays}) WITH ORDINALITY AS given ({keys}, told, place) OFFSET 0) AS counted "
        f"ORDER BY place ON CONFLICT ({keys}) DO UPDATE SET {added}"
    )


def _arrays(table: Table, names: Sequence[str]) -> str:
    return ", ".join(f"CAST(:{name} AS {_type(table, name)}[])" for name in names)


def _type(table: Table, name: str) -> str:
    kind = table.c[name].type
    # A cast to varchar(36) would cut off what is longer, where an INSERT refuses it.
    return "text" if isinstance(kind, String) else kind.compile(_DIALECT)
