"""CSV, JSON Lines and Parquet files, row by row, in memory that does not grow with the file.

Encoding and separator are found out (`inspect_table`). Errors name file, line and column, never what stood
there: it may be a name or a resume.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal

from service.core.csv_rows import Fault, Sheet, csv_rows, decoded_lines, first_rows, found_separator
from service.core.encodings import UTF8, Encoding, encoding_of_lines, encoding_of_mark
from service.core.errors import ErrorCollector, InputError, TableError, UndecodableTextError
from service.core.files import Source
from service.core.parquet import MAGIC, parquet_columns, parquet_rows

TableKind = Literal["csv", "jsonl", "parquet"]
SUFFIXES: dict[str, TableKind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
"""Of tables; any other file is a document."""

TEXT_SUFFIXES = (".txt", ".tab")
"""Of documents, and of tables where only tables are read: Excel's "Text (tab delimited)"."""

Cells = Sequence[object]
"""One row's cells, in the order of the columns asked for; None for a column that is not there."""

Rows = Generator[tuple[Cells, int], None, None]
"""Cells of each row, and the line on which it begins. Closing it closes the file."""

_SAMPLE = 32_768
_ROWS_OF_KEYS = 100


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name. `option` is what a caller could change if there is no such column."""

    name: str
    option: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table, and how it is to be read."""

    path: Source
    kind: TableKind
    encoding: Encoding = UTF8
    separator: str = ","

    @property
    def said(self) -> str | None:
        """What was found out and may be wrong, in words; None for what everybody expects."""
        found = []
        if self.kind == "csv" and self.separator != ",":
            name = {";": "semicolons", "\t": "tabs", "|": "bars"}[self.separator]
            found.append(f"columns separated by {name}")
        if self.encoding.guessed:
            found.append("Windows-1252, since it is not UTF-8 (say --encoding if it is another)")
        elif not self.encoding.is_utf8:
            found.append(self.encoding.name.upper())
        return f"{self.path} is read as {', '.join(found)}" if found else None


class JsonObject(dict[str, object]):
    """A JSON object that knows the names which stand in it twice."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.twice = {name for name in names if names.count(name) > 1} if len(self) < len(names) else set()


def inspect_table(file: Source, encoding: str | None = None, *, titled: bool = False) -> TableFile:
    """How to read `file`: by its suffix as CSV, else as JSON Lines; Parquet is known by its content, too.

    `encoding`: that of a file without a byte-order mark, if a caller knows it. `titled`: a CSV may have
    titles above its header, and be called .txt. Raises `TableError` if it cannot be read.
    """
    suffix = file.suffix.lower()
    kind = SUFFIXES.get(suffix, "csv" if titled and suffix in TEXT_SUFFIXES else "jsonl")
    try:
        with file.open("rb") as stream:
            if stream.read(len(MAGIC)) == MAGIC:
                return TableFile(file, "parquet")
            stream.seek(0)
            if kind == "parquet":
                return TableFile(file, kind)  # reading will say that it is none
            if encoding is None or encoding_of_mark(stream.read(4)) is not None:
                stream.seek(0)
                found = encoding_of_lines(stream)
            else:
                found = Encoding(encoding)
            if kind == "jsonl":
                return TableFile(file, kind, found)
            stream.seek(0)
            separator = found_separator(stream.read(_SAMPLE), found, titled=titled)
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror}") from None
    return TableFile(file, kind, found, separator)


def columns_of(table: TableFile, faults: Fault | None = None) -> list[str]:
    """Names of the columns; of JSON Lines those of the first hundred objects.

    Raises as `read_rows`; with `faults`, lines of JSON that are no objects are passed to it.
    """
    if table.kind == "parquet":
        return parquet_columns(table.path)
    try:
        with table.path.open("rb") as stream:
            if table.kind == "jsonl":
                names: dict[str, None] = {}
                rows = json_rows(table.path, stream, encoding=table.encoding, faults=faults)
                for count, (row, _) in enumerate(rows, 1):
                    names |= dict.fromkeys(row)
                    if count == _ROWS_OF_KEYS:
                        break
                return list(names)
            header = next(rows_of_csv(table, stream), None)
            return [] if header is None else [name.strip() for name in header[0]]
    except OSError as error:
        raise TableError(f"{table.path} cannot be read: {error.strerror}") from None


def beginning_of(table: TableFile, most: int) -> list[tuple[list[str], int]]:
    """The first rows of a CSV that are not blank, with their lines. Raises as `read_rows`."""
    try:
        with table.path.open("rb") as stream:
            return first_rows(
                table.path, stream, encoding=table.encoding, separator=table.separator, most=most
            )
    except OSError as error:
        raise TableError(f"{table.path} cannot be read: {error.strerror}") from None


def read_rows(
    table: TableFile, columns: Sequence[Column], faults: Fault | None = None, sheet: Sheet | None = None
) -> Rows:
    """The cells of `columns` and the line (of Parquet, the number) of every row.

    A JSON object must have the first column and may leave out others where they are empty. Raises
    `TableError` for a file that is unreadable or no table, a row of another length than the header, and a
    column that is missing or stands there twice; `UndecodableTextError` for bytes of another encoding. With
    `faults`, what is wrong with one row is passed to it, and the others come. `sheet`: of a CSV, what it has
    around its rows.
    """
    if table.kind == "parquet":
        yield from _cells_of_parquet(table, columns)
        return
    try:
        with table.path.open("rb") as stream:
            if table.kind == "csv":
                yield from _cells_of_csv(table, stream, columns, faults, sheet)
            else:
                yield from _cells_of_json(table, stream, columns, faults)
    except OSError as error:
        raise TableError(f"{table.path} cannot be read: {error.strerror}") from None


def json_rows(
    file: Source,
    stream: BinaryIO,
    *,
    encoding: Encoding = UTF8,
    faults: Fault | None = None,
) -> Iterator[tuple[JsonObject, int]]:
    """Objects with their lines; empty lines are no rows. Raises as `read_rows`."""
    undecodable: list[InputError] = []
    lines = decoded_lines(file, stream, encoding, None if faults is None else undecodable.append)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            if undecodable:
                raise undecodable.pop()
            yield _json_row(file, line, number), number
        except (TableError, UndecodableTextError) as error:
            if faults is None:
                raise
            faults(error)


def _json_row(file: Source, line: str, number: int) -> JsonObject:
    try:
        row = json.loads(line, object_pairs_hook=JsonObject)
    except (ValueError, RecursionError):  # also a number of thousands of digits, or nested too deeply
        raise TableError.of_line(file, number, ": not JSON") from None
    if not isinstance(row, JsonObject):
        raise TableError.of_line(file, number, ": not a JSON object")
    return row


def rows_of_csv(
    table: TableFile, stream: BinaryIO, faults: Fault | None = None, sheet: Sheet | None = None
) -> Iterator[tuple[list[str], int]]:
    """`csv_rows` of an inspected table, whose file is open as `stream`."""
    return csv_rows(
        table.path, stream, encoding=table.encoding, separator=table.separator, faults=faults, sheet=sheet
    )


def _cells_of_csv(
    table: TableFile,
    stream: BinaryIO,
    columns: Sequence[Column],
    faults: Fault | None,
    sheet: Sheet | None,
) -> Rows:
    rows = rows_of_csv(table, stream, faults, sheet)
    first = next(rows, None)
    if first is None:
        return
    places = _places(columns, [name.strip() for name in first[0]], f"{table.path} line {first[1]}")
    for row, line in rows:
        yield [None if place is None else row[place] for place in places], line


def _places(columns: Sequence[Column], header: Sequence[str], source: str) -> list[int | None]:
    """Where the columns are. Raises at once all that is wrong with them."""
    errors = ErrorCollector()
    places: list[int | None] = []
    for column in columns:
        with errors:
            places.append(_place(column, header, source))
    errors.raise_any()
    return places


def _place(column: Column, header: Sequence[str], source: str) -> int | None:
    if header.count(column.name) > 1:
        raise _twice(column.name, source)
    if column.name in header:
        return header.index(column.name)
    if column.required:
        raise TableError(f"{source}: {_missing(column)}")
    return None


def _cells_of_json(
    table: TableFile, stream: BinaryIO, columns: Sequence[Column], faults: Fault | None
) -> Rows:
    # A row may leave out what is empty, so that a column is missing is known at the end only.
    file = table.path
    unseen = {column.name: column for column in columns if column.required}
    empty = True
    for row, line in json_rows(file, stream, encoding=table.encoding, faults=faults):
        for column in columns:
            if column.name in row.twice:
                raise _twice(column.name, f"{file} line {line}")
        if columns[0].name not in row:
            fault = TableError.of_line(file, line, f": {_missing(columns[0])}")
            if faults is None:
                raise fault
            faults(fault)
            continue
        for name in [name for name in unseen if name in row]:
            del unseen[name]
        empty = False
        yield [row.get(column.name) for column in columns], line
    errors = ErrorCollector()
    for column in unseen.values() if not empty else ():
        with errors:
            raise TableError(f"{file}: {_missing(column)}")
    errors.raise_any()


def _cells_of_parquet(table: TableFile, columns: Sequence[Column]) -> Rows:
    names = parquet_columns(table.path)
    places = _places(columns, names, str(table.path))
    there = list(dict.fromkeys(names[place] for place in places if place is not None))
    for cells, number in parquet_rows(table.path, there):
        by_name = dict(zip(there, cells, strict=True))
        yield [None if place is None else by_name[names[place]] for place in places], number


def _twice(name: str, source: str) -> TableError:
    return TableError(f"{source}: column {name!r} stands there twice")


def _missing(column: Column) -> str:
    hint = f"name another with {column.option}"
    if column.option.startswith("--group-column"):
        hint += f", or say {column.option.removesuffix('...')} if there is none"
    return f"no column {column.name!r}; {hint}"
