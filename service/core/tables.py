"""Rows of CSV and JSON Lines, for every reader of users' tables. Errors name file and line, never a cell."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator

from service.core.errors import TableError

LONGEST_CELL = 2**31 - 1
"""Characters. Resumes are longer than the csv module's own limit for one cell."""


class JsonRow(dict[str, object]):
    """A JSON object that knows the names which stand in it twice: of those, json keeps the last value."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.twice = {name for name in names if names.count(name) > 1} if len(self) < len(names) else set()


def csv_rows(lines: Iterable[str], place: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row begins, and its cells; the header comes first, empty lines not at all.

    `lines` keep their ends, as of a file that was opened with `newline=""`: a quoted cell may hold line
    breaks. Raises `TableError` for what is no CSV, such as a quote that is never closed.
    """
    csv.field_size_limit(LONGEST_CELL)  # one limit for the whole process; there is no other way
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"{place} line {line}: not CSV: {error}") from None


def json_rows(lines: Iterable[str], place: str) -> Iterator[tuple[int, JsonRow]]:
    """The number of each line that is not blank, and its object. Raises `TableError` for anything else."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=JsonRow)
        except (ValueError, RecursionError):  # also a number of thousands of digits, or nested too deeply
            raise TableError(f"{place} line {number}: not JSON") from None
        if not isinstance(row, JsonRow):
            raise TableError(f"{place} line {number}: not a JSON object")
        yield number, row
