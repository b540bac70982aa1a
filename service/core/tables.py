"""CSV, JSON Lines and Parquet files, row by row, in memory that does not grow with the file.

Encoding and separator are found out (`inspect_table`). Errors name file, line and column, never what stood
there: it may be a name or a resume.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from service.core.encodings import UTF8, UTF8_WITH_MARK, Encoding, encoding_of_lines, encoding_of_mark
from service.core.errors import InputError, TableError, UndecodableTextError
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

SEPARATORS = ",;\t|"

Cells = Sequence[object]
"""One row's cells, in the order of the columns asked for; None for a column that is not there."""

Rows = Generator[tuple[Cells, int], None, None]
"""Cells of each row, and the line on which it begins. Closing it closes the file."""

Fault = Callable[[InputError], object]
"""Is told what is wrong with a row, which is left out."""

_LONGEST_FIELD = 2**31 - 1
"""Resumes are longer than the csv module's default limit for one field."""

_SAMPLE = 32_768
_SAMPLE_ROWS = 20
_EXCEL = re.compile(r"\ufeff?sep=([,;\t|])\r?\n", re.IGNORECASE)
"""A first line by which Excel knows the separator."""

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

    path: Path
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


def inspect_table(file: Path, encoding: str | None = None) -> TableFile:
    """How to read `file`: by its suffix as CSV, else as JSON Lines; Parquet is known by its content, too.

    `encoding`: that of a file without a byte-order mark, if a caller knows it. Raises `TableError` if it
    cannot be read.
    """
    kind = SUFFIXES.get(file.suffix.lower(), "jsonl")
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
            separator = _separator(stream.read(_SAMPLE), found)
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror}") from None
    return TableFile(file, kind, found, separator)


def columns_of(table: TableFile) -> list[str]:
    """Names of the columns; of JSON Lines those of the first hundred objects. Raises as `read_rows`."""
    if table.kind == "parquet":
        return parquet_columns(table.path)
    try:
        with table.path.open("rb") as stream:
            if table.kind == "jsonl":
                names: dict[str, None] = {}
                for count, (row, _) in enumerate(json_rows(table.path, stream, encoding=table.encoding), 1):
                    names |= dict.fromkeys(row)
                    if count == _ROWS_OF_KEYS:
                        break
                return list(names)
            header = next(rows_of_csv(table, stream), None)
            return [] if header is None else [name.strip() for name in header[0]]
    except OSError as error:
        raise TableError(f"{table.path} cannot be read: {error.strerror}") from None


def read_rows(table: TableFile, columns: Sequence[Column], faults: Fault | None = None) -> Rows:
    """The cells of `columns` and the line (of Parquet, the number) of every row.

    A JSON object must have the first column and may leave out others where they are empty. Raises
    `TableError` for a file that is unreadable or no table, a row of another length than the header, and a
    column that is missing or stands there twice; `UndecodableTextError` for bytes of another encoding. With
    `faults`, what is wrong with one row is passed to it, and the others come.
    """
    if table.kind == "parquet":
        yield from _cells_of_parquet(table, columns)
        return
    rows = _cells_of_csv if table.kind == "csv" else _cells_of_json
    try:
        with table.path.open("rb") as stream:
            yield from rows(table, stream, columns, faults)
    except OSError as error:
        raise TableError(f"{table.path} cannot be read: {error.strerror}") from None


def csv_rows(
    file: Path,
    stream: BinaryIO,
    *,
    encoding: Encoding = UTF8,
    separator: str = ",",
    faults: Fault | None = None,
) -> Iterator[tuple[list[str], int]]:
    """Rows with their lines, the header first; empty lines are no rows. Raises as `read_rows`."""
    csv.field_size_limit(_LONGEST_FIELD)
    undecodable: list[InputError] = []
    lines = _lines(file, stream, encoding, None if faults is None else undecodable.append)
    reader = csv.reader(lines, strict=True, delimiter=separator)
    width, line = 0, 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            fault = TableError(f"{file} line {line}: not CSV: {error}")
            # A quote that is never closed has swallowed all that follows: nobody knows how many rows.
            if faults is None or not width or "unexpected end" in str(error):
                raise fault from None
            undecodable.clear()
            faults(fault)
            line = reader.line_num + 1
            continue
        if row is None:
            return
        begins, line = line, reader.line_num + 1
        if not row:
            continue
        if not width:
            if undecodable:
                raise undecodable[0]
            yield row, reader.line_num
            width = len(row)
            continue
        wrong: InputError | None = None
        if undecodable:
            wrong = undecodable[0]
            undecodable.clear()
        elif len(row) != width:
            # A row of another length has its cells under the wrong names.
            wrong = TableError(f"{file} line {begins}: {len(row)} cells; the header has {width}")
        if wrong is None:
            yield row, begins
        elif faults is None:
            raise wrong
        else:
            faults(wrong)


def json_rows(
    file: Path,
    stream: BinaryIO,
    *,
    encoding: Encoding = UTF8,
    faults: Fault | None = None,
) -> Iterator[tuple[JsonObject, int]]:
    """Objects with their lines; empty lines are no rows. Raises as `read_rows`."""
    undecodable: list[InputError] = []
    lines = _lines(file, stream, encoding, None if faults is None else undecodable.append)
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


def _json_row(file: Path, line: str, number: int) -> JsonObject:
    try:
        row = json.loads(line, object_pairs_hook=JsonObject)
    except (ValueError, RecursionError):  # also a number of thousands of digits, or nested too deeply
        raise TableError(f"{file} line {number}: not JSON") from None
    if not isinstance(row, JsonObject):
        raise TableError(f"{file} line {number}: not a JSON object")
    return row


def rows_of_csv(
    table: TableFile, stream: BinaryIO, faults: Fault | None = None
) -> Iterator[tuple[list[str], int]]:
    """`csv_rows` of an inspected table, whose file is open as `stream`."""
    return csv_rows(table.path, stream, encoding=table.encoding, separator=table.separator, faults=faults)


def _cells_of_csv(
    table: TableFile, stream: BinaryIO, columns: Sequence[Column], faults: Fault | None
) -> Rows:
    rows = rows_of_csv(table, stream, faults)
    first = next(rows, None)
    if first is None:
        return
    header = [name.strip() for name in first[0]]
    places = [_place(column, header, f"{table.path} line {first[1]}") for column in columns]
    for row, line in rows:
        yield [None if place is None else row[place] for place in places], line


def _place(column: Column, header: Sequence[str], source: str) -> int | None:
    if header.count(column.name) > 1:
        raise _twice(column.name, source)
    if column.name in header:
        return header.index(column.name)
    if column.required:
        raise _missing(column, source)
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
            raise _missing(columns[0], f"{file} line {line}")
        for name in [name for name in unseen if name in row]:
            del unseen[name]
        empty = False
        yield [row.get(column.name) for column in columns], line
    if unseen and not empty:
        raise _missing(next(iter(unseen.values())), str(file))


def _cells_of_parquet(table: TableFile, columns: Sequence[Column]) -> Rows:
    names = parquet_columns(table.path)
    places = [_place(column, names, str(table.path)) for column in columns]
    there = list(dict.fromkeys(names[place] for place in places if place is not None))
    for cells, number in parquet_rows(table.path, there):
        by_name = dict(zip(there, cells, strict=True))
        yield [None if place is None else by_name[names[place]] for place in places], number


def _twice(name: str, source: str) -> TableError:
    return TableError(f"{source}: column {name!r} stands there twice")


def _missing(column: Column, source: str) -> TableError:
    hint = f"name another with {column.option}"
    if column.option.startswith("--group-column"):
        hint += f", or say {column.option.removesuffix('...')} if there is none"
    return TableError(f"{source}: no column {column.name!r}; {hint}")


def _separator(sample: bytes, encoding: Encoding) -> str:
    """The separator under which the first rows have as many cells as the header, and that more than one."""
    text = codecs.getincrementaldecoder(encoding.name)("replace").decode(sample).removeprefix("\ufeff")
    if hint := _EXCEL.match(text):
        return hint[1]
    whole = text[: text.rfind("\n") + 1] or text  # the last line may be cut
    best, best_fit = ",", (0.0, 1)
    for separator in SEPARATORS:
        widths = _widths(whole, separator)
        if widths and widths[0] > 1:
            fit = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
            if fit > best_fit:
                best, best_fit = separator, fit
    return best


def _widths(text: str, separator: str) -> list[int]:
    """Cells of the first rows, the header being one."""
    csv.field_size_limit(_LONGEST_FIELD)
    widths: list[int] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            if row:
                widths.append(len(row))
            if len(widths) == _SAMPLE_ROWS:
                break
    except csv.Error:  # the sample ends inside quotes, or a row is malformed
        pass
    return widths


def _lines(file: Path, stream: BinaryIO, encoding: Encoding, undecodable: Fault | None) -> Iterator[str]:
    """Lines with their ends, decoded one by one, so that an error knows its line.

    `undecodable` is told of a line of another encoding, which comes with marks in the place of its bytes. The
    line by which Excel knows the separator comes empty.
    """
    number = 0
    if not encoding.is_utf8:
        wide = io.TextIOWrapper(stream, encoding.name, errors=encoding.errors, newline="\n")
        try:
            for number, line in enumerate(wide, 1):
                yield "\n" if number == 1 and _EXCEL.fullmatch(line) else line.removeprefix("\ufeff")
        except UnicodeDecodeError:
            raise UndecodableTextError(
                f"{file} is not {encoding.name}: invalid bytes after line {number:,}"
            ) from None
        finally:
            wide.detach()
        return
    for number, raw in enumerate(stream, 1):
        codec = UTF8_WITH_MARK if number == 1 else "utf-8"
        try:
            line = raw.decode(codec)
        except UnicodeDecodeError as error:
            fault = UndecodableTextError(
                f"{file} line {number} is not UTF-8: invalid byte at its offset {error.start:,}"
            )
            if undecodable is None:
                raise fault from None
            undecodable(fault)
            line = raw.decode(codec, "replace")
        yield "\n" if number == 1 and _EXCEL.fullmatch(line) else line
