"""Further columns of a table of resumes or postings, by the same ids that its texts are read under."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from service.core.errors import InputError
from service.core.tables import Column, TableFile, inspect_table, read_rows
from service.files.table_columns import ID, POSTING_ID, column_of, columns_in, named


def cells_of_resumes(
    file: Path, columns: Sequence[Column], *, id_column: str | None, number_rows: bool, encoding: str | None
) -> dict[str, list[str]]:
    """Cells of each resume as stripped texts, by its id; rows that cannot be read are left out.

    Raises `TableError` if a column is not there.
    """
    table = inspect_table(file, encoding)
    identity = None if number_rows else column_of(table, columns_in(table), named(ID, id_column), _nothing)
    unit = "row" if table.kind == "parquet" else "line"
    return _read(table, columns, identity, lambda _, line: f"{unit}-{line}")


def cells_of_postings(
    file: Path, columns: Sequence[Column], *, id_column: str | None, encoding: str | None
) -> dict[str, list[str]]:
    """The same of postings, which are numbered where there is no column of ids."""
    table = inspect_table(file, encoding)
    identity = column_of(table, columns_in(table), named(POSTING_ID, id_column), _nothing, required=False)
    found = _read(table, columns, identity, lambda number, _: f"job-{number}")
    return {name.strip(): cells for name, cells in found.items()}


def _read(
    table: TableFile, columns: Sequence[Column], identity: Column | None, name: Callable[[int, int], str]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    wanted = [*columns] if identity is None else [*columns, identity]
    with closing(read_rows(table, wanted, _nothing)) as rows:
        for number, (cells, line) in enumerate(rows, 1):
            texts = ["" if cell is None else str(cell) for cell in cells]
            key = name(number, line) if identity is None else texts[-1]
            found.setdefault(key, [text.strip() for text in texts[: len(columns)]])
    return found


def _nothing(_: str | InputError) -> None:
    """What is wrong or guessed was said when the texts were read."""
