"""Rows of CSV files as spreadsheets and other programs write them, one by one.

Rows of nothing but blanks are no rows, and blank cells beyond the header's are cut off. Any other row of
another length than the header is a fault: its cells would stand under the wrong names.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from service.core.encodings import UTF8, UTF8_WITH_MARK, Encoding
from service.core.errors import InputError, TableError, UndecodableTextError
from service.core.files import Source
from service.core.spreadsheets import cell_as_given

SEPARATORS = ",;\t|"

Fault = Callable[[InputError], object]
"""Is told what is wrong with a row, which is left out."""

MOST_TITLES = 12
"""Rows above a header that may be titles."""

_LONGEST_FIELD = 2**31 - 1
"""Resumes are longer than the csv module's default limit for one field."""

_SAMPLE_ROWS = 20
_EXCEL = re.compile(r"\ufeff?sep=([,;\t|])\r?\n?", re.IGNORECASE)
"""A first line by which Excel knows the separator."""

_START = 65_536


def _none(row: Sequence[str]) -> bool:
    return False


@dataclass(slots=True)
class Sheet:
    """What a sheet has around its rows: `titles` are rows above the header, footers rows at the end.

    `needed`: how many cells a row must have if it ends before the header does; None: all. `is_footer` tells
    a row that is none of the data if no other follows. Reading counts in `footers` (lines) and `short`.
    """

    titles: int = 0
    needed: int | None = None
    is_footer: Callable[[Sequence[str]], bool] = _none
    footers: list[int] = field(default_factory=list)
    short: int = 0


def csv_rows(
    file: Source,
    stream: BinaryIO,
    *,
    encoding: Encoding = UTF8,
    separator: str = ",",
    faults: Fault | None = None,
    sheet: Sheet | None = None,
) -> Iterator[tuple[list[str], int]]:
    """Rows with the lines on which they begin, the header first.

    Quotes that `service.core.spreadsheets` put in are taken away. Raises `TableError` for what is no CSV and
    for a row of another length than the header, `UndecodableTextError` for bytes of another encoding; with
    `faults`, what is wrong with one row is passed to it, and the others come.
    """
    sheet = sheet or Sheet()
    rows = _parsed(file, stream, encoding, separator, faults)
    for _ in range(sheet.titles):
        next(rows, None)
    header, line = next(rows, ([], 1))
    if not header:
        return
    yield header, line
    width = len(header)
    named = max((i for i, name in enumerate(header, 1) if name.strip()), default=width)
    least = min(named, width if sheet.needed is None else sheet.needed)
    held: list[tuple[list[str], int]] = []
    for row, begins in rows:
        if sheet.is_footer(row):
            held.append((row, begins))
            continue
        for one in (*held, (row, begins)):
            yield from _fitted(file, one, width, least, named, faults, sheet)
        held.clear()
    sheet.footers += [begins for _, begins in held]


def _fitted(
    file: Source,
    row: tuple[list[str], int],
    width: int,
    least: int,
    named: int,
    faults: Fault | None,
    sheet: Sheet,
) -> Iterator[tuple[list[str], int]]:
    cells, line = row
    while len(cells) > width and not cells[-1].strip():
        del cells[-1]
    if not least <= len(cells) <= width:
        fault = TableError.of_line(
            file,
            line,
            f": {len(cells)} cells; the header has {width}",
            f"another number of cells than the header, which has {width}",
        )
        if faults is None:
            raise fault
        faults(fault)
        return
    sheet.short += len(cells) < named
    cells += [""] * (width - len(cells))
    yield [cell_as_given(cell) for cell in cells], line


def first_rows(
    file: Source, stream: BinaryIO, *, encoding: Encoding = UTF8, separator: str = ",", most: int
) -> list[tuple[list[str], int]]:
    """The first `most` rows that are not blank, with their lines and whatever lengths.

    Raises as `csv_rows`.
    """
    rows: list[tuple[list[str], int]] = []
    for row in _parsed(file, stream, encoding, separator, None):
        rows.append(row)
        if len(rows) == most:
            break
    return rows


def _parsed(
    file: Source, stream: BinaryIO, encoding: Encoding, separator: str, faults: Fault | None
) -> Iterator[tuple[list[str], int]]:
    """Rows that are not blank. What is wrong with the first of them is raised: it is the header."""
    csv.field_size_limit(_LONGEST_FIELD)
    undecodable: list[InputError] = []
    lines = decoded_lines(file, stream, encoding, None if faults is None else undecodable.append, mac=True)
    reader = csv.reader(lines, strict=True, delimiter=separator)
    first, line = True, 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            fault = TableError.of_line(file, line, f": not CSV: {error}", "not CSV")
            # A quote that is never closed has swallowed all that follows: nobody knows how many rows.
            if faults is None or first or "unexpected end" in str(error):
                raise fault from None
            undecodable.clear()
            faults(fault)
            line = reader.line_num + 1
            continue
        if row is None:
            return
        begins, line = line, reader.line_num + 1
        if undecodable:
            fault_of_bytes = undecodable[0]
            undecodable.clear()
            if faults is None or first:
                raise fault_of_bytes
            faults(fault_of_bytes)
        elif any(cell.strip() for cell in row):
            yield row, reader.line_num if first else begins
            first = False


def decoded_lines(
    file: Source, stream: BinaryIO, encoding: Encoding, undecodable: Fault | None, *, mac: bool = False
) -> Iterator[str]:
    """Lines with their ends, decoded one by one, so that an error knows its line.

    `undecodable` is told of a line of another encoding, which comes with marks in the place of its bytes. The
    line by which Excel knows the separator comes empty. `mac`: a file without line feeds has its lines end in
    carriage returns, as Excel for Macintosh writes them.
    """
    number = 0
    if not encoding.is_utf8:
        wide = io.TextIOWrapper(stream, encoding.name, errors=encoding.errors, newline="\n")
        try:
            lines: Iterator[str] = iter(wide)
            if mac:
                lines = (one for line in lines for one in _cut_at_returns(line))
            for number, line in enumerate(lines, 1):
                yield "\n" if number == 1 and _EXCEL.fullmatch(line) else line.removeprefix("\ufeff")
        except UnicodeDecodeError:
            raise UndecodableTextError(
                f"{file} is not {encoding.name}: invalid bytes after line {number:,}"
            ) from None
        finally:
            if not stream.closed:  # whoever stops early may close the file before this generator
                wide.detach()
        return
    start = stream.read(_START) if mac else b""
    if mac:
        stream.seek(0)
    returns = b"\r" in start and b"\n" not in start
    raws = (raw for line in stream for raw in line.splitlines(keepends=True)) if returns else iter(stream)
    for number, raw in enumerate(raws, 1):
        codec = UTF8_WITH_MARK if number == 1 else "utf-8"
        try:
            line = raw.decode(codec)
        except UnicodeDecodeError as error:
            fault = UndecodableTextError.of_line(
                file, number, f" is not UTF-8: invalid byte at its offset {error.start:,}", "is not UTF-8"
            )
            if undecodable is None:
                raise fault from None
            undecodable(fault)
            line = raw.decode(codec, "replace")
        yield "\n" if number == 1 and _EXCEL.fullmatch(line) else line


def _cut_at_returns(line: str) -> list[str]:
    """The lines of a text without line feeds; one that ends in a line feed is one line."""
    if "\r" not in line or "\n" in line:
        return [line]
    return [f"{one}\r" for one in line.split("\r")]


def found_separator(sample: bytes, encoding: Encoding, *, titled: bool = False) -> str:
    """The separator under which the first rows have as many cells as the header, and that more than one.

    `titled`: rows above the header may be titles, and are passed over if it fits better.
    """
    text = codecs.getincrementaldecoder(encoding.name)("replace").decode(sample).removeprefix("\ufeff")
    if hint := _EXCEL.match(text):
        return hint[1]
    whole = text[: text.rfind("\n") + 1] or text  # the last line may be cut
    widths = {separator: _widths(whole, separator) for separator in SEPARATORS}
    for above in range(MOST_TITLES + 1 if titled else 1):
        best, fit = _best(widths, above)
        if fit >= (0.5 if titled else 0.0):
            return best
    return _best(widths, 0)[0]


def _best(widths: dict[str, list[int]], above: int) -> tuple[str, float]:
    """The separator that fits the rows from number `above` on, and how many of them (0 to 1)."""
    best, best_fit = ",", (0.0, 1)
    for separator, of_rows in widths.items():
        rows = of_rows[above:]
        if rows and rows[0] > 1:
            fit = (sum(width == rows[0] for width in rows) / len(rows), rows[0])
            if fit > best_fit:
                best, best_fit = separator, fit
    return best, best_fit[0]


def _widths(text: str, separator: str) -> list[int]:
    """Cells of the first rows, the header being one."""
    csv.field_size_limit(_LONGEST_FIELD)
    widths: list[int] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            if row:
                widths.append(len(row))
            if len(widths) == _SAMPLE_ROWS + MOST_TITLES:
                break
    except csv.Error:  # the sample ends inside quotes, or a row is malformed
        pass
    return widths
