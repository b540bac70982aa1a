"""Historical decisions from a CSV, JSON Lines or Parquet file, row by row, into counts.

Memory does not grow with the file, but for 8 bytes a score, since the sample's median needs them all, and 16
bytes a row with a candidate's id. Errors name file, line and column, never what stood there.
"""

from __future__ import annotations

import math
import re
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from service.core.days import DateOrder, DayReader, is_empty
from service.core.decision_words import DecisionReader, DecisionWords
from service.core.errors import ErrorCollector, TableError
from service.core.fairness.tally import DecisionTally
from service.core.group_labels import HINT, LabelOptions, LabelReader, check_values, refuse_unknown
from service.core.groups import GroupSchema
from service.core.tables import SUFFIXES, TEXT_SUFFIXES, TableFile, inspect_table, read_rows
from service.files.decision_columns import DecisionColumns, FoundColumns, find_columns
from service.files.repeated_candidates import OnDuplicates, RepeatedCandidates
from service.files.row_faults import LINES_NAMED, RowFaults
from service.files.text_files import is_table

_NO_DECISION = "is not a decision"
_NO_NUMBER = "is not a finite number"
_NO_DAY = "is not a date or time, as 2026-03-31T14:05:00Z or 3/31/2026"

_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+,(?:\d{1,2}|\d{4,})|0,\d{3})")
"""`1,234` may be a thousand."""


DECISION_SUFFIXES = (*SUFFIXES, *TEXT_SUFFIXES)


def check_decision_file(file: Path) -> None:
    """Raise `NotTextError` for a workbook and `TableError` for any other file that is no table."""
    suffix = file.suffix.lower()
    if is_table(file) or suffix in TEXT_SUFFIXES:
        return
    lines = "; write JSON with one object a line as .jsonl" if suffix == ".json" else ""
    raise TableError(f"{file} is no table: decisions must be in {', '.join(DECISION_SUFFIXES)}{lines}")


@dataclass(frozen=True, slots=True)
class DecisionOptions:
    """How cells are read. `encoding`: of a file without a byte-order mark; None finds it out."""

    words: DecisionWords = field(default_factory=DecisionWords)
    labels: LabelOptions = field(default_factory=LabelOptions)
    date_order: DateOrder | None = None
    duplicates: OnDuplicates = "count"
    encoding: str | None = None


@dataclass(slots=True)
class Decisions:
    """What a file holds. Days are as written, whatever their time zone; None without decision times."""

    tally: DecisionTally
    first: date | None = None
    last: date | None = None
    without_time: int = 0
    left_out: int = 0
    """Rows that a caller does not count."""
    notes: list[str] = field(default_factory=list)
    """How the file and its cells were read where that may be wrong."""


def read_decisions(
    file: Path, columns: DecisionColumns, schema: GroupSchema, options: DecisionOptions | None = None
) -> Decisions:
    """Count the decisions in `file` (.csv, .tsv, .parquet, or JSON Lines with any other suffix).

    Decisions, groups and days are read as people write them (`service.core.decision_words`, `group_labels`,
    `days`). Raises at once all that is wrong: `TableError` for an unreadable or empty file, missing columns,
    and cells that are no decision, score or time, with the first 20 lines of each kind; `UnknownGroupError`
    for labels that stand for no group, with their counts, unless `options` take them as unknown;
    `UndecodableTextError` for lines of another encoding.
    """
    options = options or DecisionOptions()
    check_values(options.labels.values, schema)
    if (word := options.words.twice()) is not None:
        raise TableError(f"the value {word!r} is given two meanings")
    table = inspect_table(file, options.encoding, titled=True)
    found = find_columns(table, columns, schema)
    reading = _Reading(table, found, schema, options)
    errors = ErrorCollector()
    with errors, closing(read_rows(table, found.all, reading.faults.add, found.sheet)) as rows:
        for cells, line in rows:
            reading.add(cells, line)
    return reading.end(errors)


class _Reading:
    """One file, row by row."""

    def __init__(
        self, table: TableFile, found: FoundColumns, schema: GroupSchema, options: DecisionOptions
    ) -> None:
        self.faults = RowFaults(table.path, "row" if table.kind == "parquet" else "line")
        self._table = table
        self._found = found
        self._options = options
        self._decisions = Decisions(DecisionTally(schema))
        self._words = DecisionReader(options.words)
        self._days = DayReader(options.date_order)
        self._repeated = RepeatedCandidates()
        self._labels = {
            attribute: LabelReader(
                attribute, schema.attributes[attribute], options.labels.values.get(attribute)
            )
            for attribute in found.groups
        }
        self._percentages = 0
        others = list(found.others)
        first = 1 + len(found.groups)
        self._places = {name: first + i for i, name in enumerate(others)}
        self._comma = table.kind == "csv" and table.separator != ","

    def add(self, cells: object, line: int) -> None:
        """Count one row, or keep what is wrong with it."""
        assert isinstance(cells, list)
        meaning = self._words.read(cells[0])
        if meaning == "left_out":
            self._decisions.left_out += 1
            return
        whole = meaning is not None
        if meaning is None:
            self.faults.cell(line, self._found.decision.name, _NO_DECISION)
        groups = {
            attribute: reader.read(cells[i]) for i, (attribute, reader) in enumerate(self._labels.items(), 1)
        }
        score: float | None = None
        if (place := self._places.get("score")) is not None:
            score = self._score(cells[place])
            if score is not None and math.isnan(score):
                whole = self._fault("score", line, _NO_NUMBER)
        dated: bool | None = None
        if (place := self._places.get("time")) is not None:
            dated = self._days.read(cells[place], line)
            if dated is False:
                whole = self._fault("time", line, _NO_DAY)
        if (place := self._places.get("candidate")) is not None:
            job = self._places.get("job")
            self._repeated.add(cells[place], None if job is None else cells[job], line)
        if whole:
            self._decisions.tally.add(groups, selected=meaning == "selected", score=score)
            self._decisions.without_time += not dated

    def _fault(self, name: str, line: int, reason: str) -> bool:
        self.faults.cell(line, self._found.others[name].name, f"{reason}{self._or_none(name)}")
        return False

    def _or_none(self, name: str) -> str:
        """What to do about a column that was only guessed."""
        column = self._found.others[name]
        return "" if column.required else f" ({column.option} names another, '' none)"

    def end(self, errors: ErrorCollector) -> Decisions:
        """What was counted. Raises all that is wrong."""
        found, decisions, file = self._found, self._decisions, self._table.path
        self.faults.explain(found.decision.name, _NO_DECISION, self._words.fault())
        self.faults.into(errors)
        if self._options.labels.unknown_labels == "refuse":
            with errors:
                refuse_unknown(self._labels, str(file), HINT)
        with errors:
            if self._days.fault is not None:
                raise TableError(f"{file}: column {found.others['time'].name!r} {self._days.fault}")
        with errors:
            if self._words.nothing_asked_for_is_there:
                raise TableError(
                    f"{file}: no row holds any of the values that --selected-values and the like give"
                )
        repetitions = self._repetitions(errors)
        errors.raise_any()
        if decisions.tally.people == 0:
            raise TableError(f"{file} holds no decisions")
        decisions.first, decisions.last = self._days.span()
        decisions.notes = [
            *([self._table.said] if self._table.said else []),
            *found.notes,
            *self._around(),
            *self._words.notes,
            *(f"{file}: {note}" for note in self._days.notes),
            *repetitions,
            *(said for one in self._labels.values() if (said := one.said_of_mapped)),
            *(f"{said} (taken as unknown)" for r in self._labels.values() if (said := r.said_of_unknown)),
        ]
        return decisions

    def _around(self) -> list[str]:
        """What of the file was not counted, or not as it stands."""
        file, sheet, notes = self._table.path, self._found.sheet, []
        if sheet.footers:
            lines = ", ".join(map(str, sheet.footers[:LINES_NAMED]))
            notes.append(f"{file}: not counted, since they look like totals or notes: lines {lines}")
        if sheet.short:
            notes.append(
                f"{file}: {_rows(sheet.short)} before the header does; what is not there is taken as empty"
            )
        if self._decisions.left_out:
            out = f"{self._decisions.left_out:,} row{'s' if self._decisions.left_out > 1 else ''}"
            notes.append(f"{file}: left out by --left-out-values: {out}")
        if self._percentages:
            notes.append(f"{file}: percentages among the scores, read as shares of 1: {self._percentages:,}")
        return notes

    def _repetitions(self, errors: ErrorCollector) -> list[str]:
        """A note on rows whose candidate and job came before; or an error, if it shall be."""
        lines = self._repeated.lines()
        if not lines:
            return []
        job = self._found.job
        where = ", ".join(map(str, lines[:LINES_NAMED]))
        if len(lines) > LINES_NAMED:
            where += f" and {len(lines) - LINES_NAMED:,} more"
        of_job = "" if job is None else f" for the same job ({job.name!r})"
        rows = "row repeats" if len(lines) == 1 else "rows repeat"
        said = (
            f"{self._table.path}: {len(lines):,} {rows} a candidate "
            f"({self._found.others['candidate'].name!r}){of_job}: {self.faults.unit} {where}"
        )
        with errors:
            if self._options.duplicates == "refuse":
                raise TableError(said)
        unknown = "" if job is not None else "; no column tells the job, so that they may be for several"
        return [f"{said}. Each is counted as a decision (--duplicates refuse stops here){unknown}"]

    def _score(self, cell: object) -> float | None:
        """A finite number; None for an empty cell, NaN for anything else."""
        if is_empty(cell):
            return None
        if isinstance(cell, str):
            text = cell.strip()
            percent = text.endswith("%")
            text = text.removesuffix("%").rstrip()
            if self._comma and _DECIMAL_COMMA.fullmatch(text):
                text = text.replace(",", ".")
            score = _number(text) / (100 if percent else 1)
            self._percentages += percent
            return score
        return _number(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else math.nan


def _number(cell: str | float) -> float:
    """A finite number, else NaN."""
    if isinstance(cell, str) and "_" in cell:  # Python reads 1_000 as a number; nobody else does
        return math.nan
    try:
        number = float(cell)
    except (ValueError, OverflowError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def _rows(count: int) -> str:
    return "1 row ends" if count == 1 else f"{count:,} rows end"
