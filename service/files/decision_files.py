"""Historical decisions from a CSV or JSON Lines file, row by row, into counts.

Memory does not grow with the file, but for 8 bytes a score: the sample's median needs them all. Errors
name file, line and column, never what stood there.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import BinaryIO

from service.core.errors import TableError, UndecodableTextError
from service.core.fairness.tally import DecisionTally
from service.core.groups import GroupSchema
from service.files.decision_cells import read_day, read_decision, read_group, read_score

SUFFIXES = (".csv", ".jsonl")

Cells = Sequence[object]
"""One row's cells, in the order of the columns asked for; None for a column that is not there."""


@dataclass(frozen=True, slots=True)
class DecisionColumns:
    """Names of columns.

    `score`, `time`: None takes the column of that name if there is one. `groups` maps attributes to columns,
    or to None where the file has none: then everybody's group is unknown. Other attributes are columns of
    their own names.
    """

    decision: str = "decision"
    score: str | None = None
    time: str | None = None
    groups: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(slots=True)
class Decisions:
    """What a file holds. Days are as written, whatever their time zone; None without decision times."""

    tally: DecisionTally
    first: date | None = None
    last: date | None = None
    without_time: int = 0


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    option: str
    required: bool = True


def read_decisions(file: Path, columns: DecisionColumns, schema: GroupSchema) -> Decisions:
    """Count the decisions in `file` (.csv, or JSON Lines with any other suffix).

    Raises `TableError` for an unreadable or empty file, a missing column, and a cell that is no decision,
    score or time; `UnknownGroupError` for a group outside the schema; `UndecodableTextError` for bytes
    that are not UTF-8.
    """
    group_columns = {
        attribute: name
        for attribute in schema.attributes
        if (name := columns.groups.get(attribute, attribute)) is not None
    }
    wanted = [
        _Column(columns.decision, "--decision-column"),
        _Column(columns.score or "score", "--score-column", columns.score is not None),
        _Column(columns.time or "time", "--time-column", columns.time is not None),
        *(_Column(name, f"--group-column {attribute}=...") for attribute, name in group_columns.items()),
    ]
    decisions = Decisions(DecisionTally(schema))
    allowed = [(attribute, schema.attributes[attribute]) for attribute in group_columns]
    rows_of = _csv_rows if file.suffix.lower() == ".csv" else _jsonl_rows
    try:
        with file.open("rb") as stream:
            for cells, line in rows_of(file, _lines(file, stream), wanted):
                _count(decisions, cells, wanted, allowed, f"{file} line {line}")
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror}") from None
    if decisions.tally.people == 0:
        raise TableError(f"{file} holds no decisions")
    return decisions


def _count(
    decisions: Decisions,
    cells: Cells,
    wanted: Sequence[_Column],
    allowed: Sequence[tuple[str, tuple[str, ...]]],
    source: str,
) -> None:
    where = [f"{source}: column {column.name!r}" for column in wanted]
    selected = read_decision(cells[0], where[0])
    score = read_score(cells[1], where[1])
    day = read_day(cells[2], where[2])
    groups = {
        attribute: read_group(cells[i], names, where[i]) for i, (attribute, names) in enumerate(allowed, 3)
    }
    decisions.tally.add(groups, selected=selected, score=score)
    if day is None:
        decisions.without_time += 1
    else:
        decisions.first = day if decisions.first is None else min(decisions.first, day)
        decisions.last = day if decisions.last is None else max(decisions.last, day)


def _csv_rows(file: Path, lines: Iterator[str], wanted: Sequence[_Column]) -> Iterator[tuple[Cells, int]]:
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        header = [name.strip() for name in next((row for row in reader if row), [])]
        if not header:
            return
        line = reader.line_num
        places = [_place(column, header, f"{file} line {line}") for column in wanted]
        line += 1
        for row in reader:
            # A row of another length has its cells under the wrong names; an empty line has none.
            if row and len(row) != len(header):
                raise TableError(f"{file} line {line}: {len(row)} cells; the header has {len(header)}")
            if row:
                yield [None if place is None else row[place] for place in places], line
            line = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"{file} line {line}: {error}") from None


def _place(column: _Column, header: Sequence[str], source: str) -> int | None:
    if header.count(column.name) > 1:
        raise _twice(column.name, source)
    if column.name in header:
        return header.index(column.name)
    if column.required and len(header) == 1 and any(other in header[0] for other in ";\t"):
        raise TableError(f"{source}: the header is one cell; columns must be separated by commas")
    if column.required:
        raise _missing(column, source)
    return None


def _jsonl_rows(file: Path, lines: Iterator[str], wanted: Sequence[_Column]) -> Iterator[tuple[Cells, int]]:
    # A row may leave out what is empty, so that a column is missing is known at the end only.
    unseen = {column.name: column for column in wanted if column.required}
    empty = True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_Pairs)
        except (ValueError, RecursionError):
            raise TableError(f"{file} line {number}: not JSON") from None
        if not isinstance(row, _Pairs):
            raise TableError(f"{file} line {number}: not a JSON object")
        for column in wanted:
            if column.name in row.twice:
                raise _twice(column.name, f"{file} line {number}")
        if wanted[0].name not in row:
            raise _missing(wanted[0], f"{file} line {number}")
        for name in [name for name in unseen if name in row]:
            del unseen[name]
        empty = False
        yield [row.get(column.name) for column in wanted], number
    if unseen and not empty:
        raise _missing(next(iter(unseen.values())), str(file))


class _Pairs(dict[str, object]):
    """A JSON object that knows the names which stand in it twice."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.twice = {name for name in names if names.count(name) > 1} if len(self) < len(names) else set()


def _twice(name: str, source: str) -> TableError:
    return TableError(f"{source}: column {name!r} stands there twice")


def _missing(column: _Column, source: str) -> TableError:
    hint = f"name another with {column.option}"
    if column.option.startswith("--group-column"):
        hint += f", or say {column.option.removesuffix('...')} if there is none"
    return TableError(f"{source}: no column {column.name!r}; {hint}")


def _lines(file: Path, stream: BinaryIO) -> Iterator[str]:
    """Lines of UTF-8 with their ends, decoded one by one, so that an error knows its line."""
    for number, raw in enumerate(stream, 1):
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise UndecodableTextError(
                f"{file} line {number} is not UTF-8: invalid byte at its offset {error.start:,}"
            ) from None
