"""Which columns of a table are meant: those that are named, or else those that people call so, said aloud."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import overload

from service.core.column_names import NAMES, AmbiguousColumnError, Role, guessed_column, list_columns
from service.core.errors import TableError
from service.core.tables import Column, TableFile, columns_of

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class WantedColumn:
    """`name`: None lets it be guessed. `what`: what stands in it, in words. `option`: names another."""

    role: Role
    name: str | None
    option: str
    what: str


ID = WantedColumn("candidate_id", None, "--id-column", "the candidate's id")
TEXT = WantedColumn("resume", None, "--text-column", "the resume's text")
POSTING_ID = WantedColumn("posting_id", None, "--job-id-column", "the posting's id")
POSTING_TITLE = WantedColumn("posting_title", None, "--job-title-column", "the posting's title")
POSTING_TEXT = WantedColumn("posting", None, "--job-text-column", "the posting's text")


def named(column: WantedColumn, name: str | None) -> WantedColumn:
    """The same role, played by the column `name`; None lets it be guessed."""
    return replace(column, name=name)


def columns_in(table: TableFile) -> list[str]:
    """The table's columns. Raises `TableError` if it has none."""
    columns = columns_of(table)
    if not any(name.strip() for name in columns):
        raise TableError(f"{table.path} is empty: it has no columns")
    return columns


@overload
def column_of(table: TableFile, columns: Sequence[str], wanted: WantedColumn, say: Say) -> Column: ...
@overload
def column_of(
    table: TableFile, columns: Sequence[str], wanted: WantedColumn, say: Say, *, required: bool
) -> Column | None: ...
def column_of(
    table: TableFile, columns: Sequence[str], wanted: WantedColumn, say: Say, *, required: bool = True
) -> Column | None:
    """The column that is meant. A guess is said by `say`, with the option that overrides it.

    Raises `TableError`, which lists the columns, if the one that was named is not there, if several may be
    meant, and, if one is `required`, if none looks like it.
    """
    file, what, option = table.path, wanted.what, wanted.option
    name = wanted.name
    if name is None:
        try:
            name = guessed_column(wanted.role, columns)
        except AmbiguousColumnError as error:
            if len(set(error.columns)) == 1:
                raise TableError(f"{file}: column {error.columns[0]!r} stands there twice") from None
            raise TableError(
                f"{file}: {' and '.join(map(repr, error.columns))} could be {what}; say which with {option}"
            ) from None
        if name is None:
            if not required:
                return None
            raise TableError(
                f"{file}: no column looks like {what}; {list_columns(columns)}; name one with {option}"
            )
        if name != NAMES[wanted.role][0][0]:
            say(f"{file}: column {name!r} is read as {what} ({option} names another)")
    elif name not in columns and table.kind != "jsonl":  # a JSON object may leave out what is empty
        raise TableError(f"{file}: no column {name!r}; {list_columns(columns)}; name another with {option}")
    return Column(name, option)
