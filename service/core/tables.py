"""CSV and JSON Lines files, row by row, in memory that does not grow with the file.

Errors name file, line and column, never what stood there: it may be a name or a resume.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from service.core.errors import TableError, UndecodableTextError

SUFFIXES = (".csv", ".jsonl")

Cells = Sequence[object]
"""One row's cells, in the order of the columns asked for; None for a column that is not there."""

Rows = Generator[tuple[Cells, int], None, None]
"""Cells of each row, and the line on which it begins. Closing it closes the file."""

_LONGEST_FIELD = 2**31 - 1
"""Resumes are longer than the csv module's default limit for one field."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name. `option` is what a caller could change if there is no such column."""

    name: str
    option: str
    required: bool = True


class JsonObject(dict[str, object]):
    """A JSON object that knows the names which stand in it twice."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.twice = {name for name in names if names.count(name) > 1} if len(self) < len(names) else set()


def read_cells(file: Path, columns: Sequence[Column], encoding: str | None = None) -> Rows:
    """The cells of `columns` and the line of every row of `file` (.csv, or JSON Lines with any other suffix).

    `encoding`: that of the file, if it is not UTF-8. A JSON object must have the first column and may leave
    out others where they are empty. Raises `TableError` for a file that is unreadable or no table, a row of
    another length than the header, and a column that is missing or stands there twice; `UndecodableTextError`
    for bytes of another encoding.
    """
    rows = _cells_of_csv if file.suffix.lower() == ".csv" else _cells_of_json
    try:
        with file.open("rb") as stream:
            yield from rows(file, stream if encoding is None else _as_utf8(file, stream, encoding), columns)
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror}") from None


def csv_rows(file: Path, stream: BinaryIO) -> Iterator[tuple[list[str], int]]:
    """Rows with their lines, the header first; empty lines are no rows. Raises as `read_cells`."""
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(_lines(file, stream), strict=True)
    width, line = 0, 1
    try:
        for row in reader:
            # A row of another length has its cells under the wrong names.
            if row and width and len(row) != width:
                raise TableError(f"{file} line {line}: {len(row)} cells; the header has {width}")
            if row:
                yield row, line if width else reader.line_num
                width = len(row)
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"{file} line {line}: not CSV: {error}") from None


def json_rows(file: Path, stream: BinaryIO) -> Iterator[tuple[JsonObject, int]]:
    """Objects with their lines; empty lines are no rows. Raises as `read_cells`."""
    for number, line in enumerate(_lines(file, stream), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=JsonObject)
        except (ValueError, RecursionError):  # also a number of thousands of digits, or nested too deeply
            raise TableError(f"{file} line {number}: not JSON") from None
        if not isinstance(row, JsonObject):
            raise TableError(f"{file} line {number}: not a JSON object")
        yield row, number


def _cells_of_csv(file: Path, stream: BinaryIO, columns: Sequence[Column]) -> Rows:
    rows = csv_rows(file, stream)
    first = next(rows, None)
    if first is None:
        return
    header = [name.strip() for name in first[0]]
    places = [_place(column, header, f"{file} line {first[1]}") for column in columns]
    for row, line in rows:
        yield [None if place is None else row[place] for place in places], line


def _place(column: Column, header: Sequence[str], source: str) -> int | None:
    if header.count(column.name) > 1:
        raise _twice(column.name, source)
    if column.name in header:
        return header.index(column.name)
    if column.required and len(header) == 1 and any(other in header[0] for other in ";\t"):
        raise TableError(f"{source}: the header is one cell; columns must be separated by commas")
    if column.required:
        raise _missing(column, source)
    return None


def _cells_of_json(file: Path, stream: BinaryIO, columns: Sequence[Column]) -> Rows:
    # A row may leave out what is empty, so that a column is missing is known at the end only.
    unseen = {column.name: column for column in columns if column.required}
    empty = True
    for row, line in json_rows(file, stream):
        for column in columns:
            if column.name in row.twice:
                raise _twice(column.name, f"{file} line {line}")
        if columns[0].name not in row:
            raise _missing(columns[0], f"{file} line {line}")
        for name in [name for name in unseen if name in row]:
            del unseen[name]
        empty = False
        yield [row.get(column.name) for column in columns], line
    if unseen and not empty:
        raise _missing(next(iter(unseen.values())), str(file))


def _twice(name: str, source: str) -> TableError:
    return TableError(f"{source}: column {name!r} stands there twice")


def _missing(column: Column, source: str) -> TableError:
    hint = f"name another with {column.option}"
    if column.option.startswith("--group-column"):
        hint += f", or say {column.option.removesuffix('...')} if there is none"
    return TableError(f"{source}: no column {column.name!r}; {hint}")


def _as_utf8(file: Path, stream: BinaryIO, encoding: str) -> BinaryIO:
    try:
        return io.BytesIO(stream.read().decode(encoding).encode("utf-8", "surrogatepass"))
    except UnicodeDecodeError as error:
        raise UndecodableTextError(
            f"{file} is not {encoding}: invalid byte at offset {error.start:,}"
        ) from None


def _lines(file: Path, stream: BinaryIO) -> Iterator[str]:
    """Lines of UTF-8 with their ends, decoded one by one, so that an error knows its line."""
    for number, raw in enumerate(stream, 1):
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise UndecodableTextError(
                f"{file} line {number} is not UTF-8: invalid byte at its offset {error.start:,}"
            ) from None
