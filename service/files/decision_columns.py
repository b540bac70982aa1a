"""Which columns of a file of decisions hold what: those that are named, or that people call so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from service.core.column_names import (
    GROUP_NAMES,
    NAMES,
    AmbiguousColumnError,
    Role,
    guessed_column,
    guessed_group_column,
)
from service.core.column_names import list_columns as listed
from service.core.csv_rows import MOST_TITLES, Sheet
from service.core.decision_words import DecisionReader
from service.core.errors import ErrorCollector, TableError
from service.core.groups import GroupSchema
from service.core.tables import Column, TableFile, beginning_of, columns_of

_TOTAL = re.compile(
    r"(?:grand[ -]|sub[ -]?|overall )?totals?\b|sum\b|count\b|average\b|gesamt|summe\b|anzahl\b"
    r"|\d[\d,.]* (?:records?|rows?|candidates?|applicants?|applications?)\b",
    re.IGNORECASE,
)
_WORDS_OF_A_NOTE = 3
"""A name at the foot of a sheet has two."""


@dataclass(frozen=True, slots=True)
class DecisionColumns:
    """Names of columns; None lets one be guessed, and is no column where none looks so.

    `score`, `time`, `candidate`, `job`: empty for none. `groups` maps attributes to columns, or to None where
    the file has none: then everybody's group is unknown. `candidate` and `job` are read to find repetitions.
    """

    decision: str | None = None
    score: str | None = None
    time: str | None = None
    candidate: str | None = None
    job: str | None = None
    groups: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(slots=True)
class FoundColumns:
    """The columns of one file, in the order in which they are read; None where the file has none."""

    decision: Column
    score: Column | None
    time: Column | None
    candidate: Column | None
    job: Column | None
    groups: dict[str, Column]
    sheet: Sheet
    notes: list[str]

    @property
    def all(self) -> list[Column]:
        """Decision, groups, and then what is there of the others."""
        return [self.decision, *self.groups.values(), *self.others.values()]

    @property
    def others(self) -> dict[str, Column]:
        """By the names of `DecisionColumns`."""
        names = ("score", "time", "candidate", "job")
        return {name: column for name in names if (column := getattr(self, name)) is not None}


def find_columns(table: TableFile, wanted: DecisionColumns, schema: GroupSchema) -> FoundColumns:
    """The columns of `table`, and what stands around its rows.

    Raises `TableError`, with all that is wrong, for columns that are missing, or that may be meant by one
    name.
    """
    sheet, header, line = _header(table, wanted)
    notes: list[str] = []
    if sheet.titles:
        notes.append(f"{table.path}: line {line} is read as the header, and what is above it as titles")
    errors = ErrorCollector()
    finder = _Finder(table, header, line, notes)
    decision = Column(wanted.decision or "decision", "--decision-column")
    with errors:
        decision = finder.column("decision", wanted.decision, "--decision-column", "the decision") or decision
    groups: dict[str, Column] = {}
    for attribute in schema.attributes:
        name = wanted.groups.get(attribute, "")
        if name is not None:
            with errors:
                groups[attribute] = finder.group(attribute, name or None)
    optional: dict[str, Column | None] = {}
    for field_name, role, what in _OPTIONAL:
        name = getattr(wanted, field_name)
        with errors:
            option = f"--{field_name}-column"
            optional[field_name] = None if name == "" else finder.optional(role, name, option, what)
    if not header and table.kind != "jsonl":
        raise TableError(f"{table.path} holds no decisions")
    errors.raise_any()
    found = FoundColumns(decision, **optional, groups=groups, sheet=sheet, notes=notes)
    if table.kind == "csv":
        _around(found, header)
    return found


_OPTIONAL: tuple[tuple[str, Role, str], ...] = (
    ("score", "decision_score", "the score"),
    ("time", "decision_time", "the time"),
    ("candidate", "decided_candidate", "the candidate's id"),
    ("job", "decided_job", "the job's id"),
)

_COUNTED: tuple[Role, ...] = ("decision_score", "decision_time")
"""Of the optional ones, those that the report shows: what was guessed of them is said."""


class _Finder:
    def __init__(self, table: TableFile, header: Sequence[str], line: int, notes: list[str]) -> None:
        self._file = f"{table.path}" if table.kind != "csv" else f"{table.path} line {line}"
        self._path = table.path
        self._header = list(header)
        self._anywhere = table.kind == "jsonl"  # an object may leave out what is empty
        self._notes = notes

    def column(self, role: Role, name: str | None, option: str, what: str) -> Column | None:
        """The one that must be there."""
        if name is None:
            name = self._guessed(partial(guessed_column, role, self._header), what, option)
            if name is not None:
                self._say(name, NAMES[role][0][0], what, option)
        self._check(name, NAMES[role][0][0], what, option)
        return None if name is None else Column(name, option)

    def group(self, attribute: str, name: str | None) -> Column:
        """An attribute's, which must be there, too."""
        option = f"--group-column {attribute}=..."
        if name is None:
            guess = partial(guessed_group_column, attribute, self._header)
            name = self._guessed(guess, attribute, option)
            if name is not None:
                self._say(name, attribute, attribute, option)
        self._check(name, attribute, attribute, option)
        return Column(name or attribute, option)

    def optional(self, role: Role, name: str | None, option: str, what: str) -> Column | None:
        if name is not None:
            self._check(name, name, what, option)
            return Column(name, option)
        try:
            name = guessed_column(role, self._header)
        except AmbiguousColumnError as error:
            if role not in _COUNTED:
                return None
            both = " and ".join(map(repr, dict.fromkeys(error.columns)))
            self._notes.append(f"{self._path}: {both} could be {what}; none is read ({option} names one)")
            return None
        if name is None:
            return None
        if role in _COUNTED:
            self._say(name, NAMES[role][0][0], what, option)
        return Column(name, option, required=False)

    def _guessed(self, guess: Callable[[], str | None], what: str, option: str) -> str | None:
        try:
            return guess()
        except AmbiguousColumnError as error:
            if len(set(error.columns)) == 1:
                raise TableError(f"{self._file}: column {error.columns[0]!r} stands there twice") from None
            both = " and ".join(map(repr, error.columns))
            raise TableError(f"{self._file}: {both} could be {what}; say which with {option}") from None

    def _say(self, name: str, expected: str, what: str, option: str) -> None:
        if name != expected:
            option = option.removesuffix("...")
            self._notes.append(f"{self._path}: column {name!r} is read as {what} ({option} names another)")

    def _check(self, name: str | None, expected: str, what: str, option: str) -> None:
        if name in self._header and self._header.count(name) > 1:
            raise TableError(f"{self._file}: column {name!r} stands there twice")
        if name in self._header or self._anywhere:
            return
        hint = f"name another with {option}"
        if option.startswith("--group-column"):
            hint += f", or say {option.removesuffix('...')} if there is none"
        raise TableError(f"{self._file}: no column {name or expected!r}; {hint}; {self._there()}")

    def _there(self) -> str:
        """The columns, if they look like columns: in a file without a header they are cells."""
        roles: tuple[Role, ...] = ("decision", *(role for _, role, _ in _OPTIONAL))
        guesses = [partial(guessed_column, role) for role in roles]
        guesses += [partial(guessed_group_column, attribute) for attribute in GROUP_NAMES]
        if any(_is_there(guess, self._header) for guess in guesses):
            return listed(self._header)
        return "what stands there does not look like a header"


def _is_there(guess: Callable[[Sequence[str]], str | None], header: Sequence[str]) -> bool:
    try:
        return guess(header) is not None
    except AmbiguousColumnError:
        return True


def _header(table: TableFile, wanted: DecisionColumns) -> tuple[Sheet, list[str], int]:
    """The header's names and line. It is the first row that names the column of decisions."""
    if table.kind != "csv":
        return Sheet(), columns_of(table), 0
    rows = beginning_of(table, MOST_TITLES + 1)
    for above, (row, line) in enumerate(rows):
        names = [name.strip() for name in row]
        if sum(map(bool, names)) < 2:  # a title, or a file of one column
            continue
        named = wanted.decision in names
        if named or (wanted.decision is None and _is_there(partial(guessed_column, "decision"), names)):
            return Sheet(titles=above), names, line
    row, line = rows[0] if rows else ([], 1)
    return Sheet(), [name.strip() for name in row], line


def _around(found: FoundColumns, header: Sequence[str]) -> None:
    """What a row must have, and what is a footer."""
    decision = header.index(found.decision.name)
    groups = [header.index(column.name) for column in found.groups.values()]
    found.sheet.needed = 1 + max([decision, *groups])

    def is_footer(row: Sequence[str]) -> bool:
        first = next(cell for cell in row if cell.strip()).strip()
        if _TOTAL.match(first):
            return not any(ch.isalpha() for i in groups if i < len(row) and i != decision for ch in row[i])
        if decision < len(row) and row[decision].strip() and len(row) > 1:
            return False
        alone = sum(bool(cell.strip()) for cell in row) == 1
        return alone and len(first.split()) >= _WORDS_OF_A_NOTE and DecisionReader().read(first) is None

    found.sheet.is_footer = is_footer
