"""A table of resumes, postings or pairs, with where each row stands; rows at fault are named and left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.core.column_names import AmbiguousColumnError, Role, guessed_column, list_columns
from service.core.errors import InputError, TableError, UndecodableTextError
from service.core.tables import SUFFIXES, Column, columns_of, inspect_table, read_rows
from training.data import tables
from training.data.example import DataFormatError

MOST_NAMED = 10
"""Rows at fault that are named; the others are counted."""


@dataclass
class Findings:
    """What is said before anything is scored. `faults`: rows that are left out, and why."""

    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def said_of_faults(self) -> list[str]:
        """The first faults, and how many there are."""
        if not self.faults:
            return []
        more = len(self.faults) - MOST_NAMED
        return [
            f"{len(self.faults):,} rows are left out:",
            *self.faults[:MOST_NAMED],
            *([f"... and {more:,} more"] if more > 0 else []),
        ]


@dataclass(frozen=True)
class GivenTable:
    """`name`: what messages call it. `rows`: in memory already, None: to be read from `path`."""

    name: str
    columns: list[str]
    path: Path | None = None
    rows: Sequence[Mapping[str, Any]] | None = None

    @classmethod
    def of_file(cls, path: Path, findings: Findings) -> GivenTable:
        """A CSV, JSON Lines or Parquet file, or a folder that `save_to_disk` wrote.

        Raises `DataFormatError` if it cannot be read.
        """
        if path.is_dir():
            rows = [row for part in tables.read_tables(path).values() for row in part]
            return cls(str(path), tables.columns_of(rows), rows=rows)
        if path.suffix.lower() not in SUFFIXES:
            raise DataFormatError(
                f"{path}: cannot read `{path.suffix}` files; known are {', '.join(SUFFIXES)} and folders"
            )
        try:
            table = inspect_table(path)
            if table.said is not None:
                findings.notes.append(table.said)
            # Lines at fault are named when the rows are read.
            columns = list(dict.fromkeys(columns_of(table, lambda _: None)))
        except (TableError, UndecodableTextError) as error:
            raise DataFormatError(error.message) from None
        if not columns:
            raise DataFormatError(f"{path} holds no rows")
        return cls(str(path), columns, path=path)

    @classmethod
    def of_rows(cls, name: str, rows: Sequence[Mapping[str, Any]]) -> GivenTable:
        """Rows that are in memory. Raises `DataFormatError` if there are none."""
        if not rows:
            raise DataFormatError(f"{name} holds no rows")
        return cls(name, tables.columns_of(list(rows)), rows=rows)

    def read(self, columns: Sequence[str], findings: Findings) -> Iterator[tuple[dict[str, Any], str]]:
        """The cells of `columns` of every row, and its place: `FILE line 3`, or `FRAME row 2`.

        What is wrong with one row goes to the faults. Raises `DataFormatError` for what is no table.
        """
        if self.rows is not None:
            for number, row in enumerate(self.rows, 1):
                yield {column: row.get(column) for column in columns}, f"{self.name} row {number}"
            return
        assert self.path is not None
        asked = [Column(name, "", required=False) for name in columns]

        def fault(error: InputError) -> None:
            # Of JSON Lines every row must have the first column, and an option is offered that is none here.
            findings.faults.append(error.message.partition("; name another")[0])

        try:
            table = inspect_table(self.path)
            unit = "row" if table.kind == "parquet" else "line"
            for cells, line in read_rows(table, asked, fault):
                yield dict(zip(columns, cells, strict=True)), f"{self.name} {unit} {line}"
        except InputError as error:
            raise DataFormatError(error.message) from None

    def given(self, name: str, option: str) -> str:
        """A column that the caller named. Raises `DataFormatError` if it is not there."""
        if name not in self.columns:
            raise DataFormatError(
                f"{self.name} has no column `{name}` ({option}); {list_columns(self.columns)}", field=option
            )
        return name

    def guessed(
        self, role: Role, option: str, findings: Findings, *, taken: Sequence[str | None] = ()
    ) -> str | None:
        """The column that looks like playing a role, which is said; None if none does, or several do."""
        there = [column for column in self.columns if column not in taken]
        try:
            found = guessed_column(role, there)
        except AmbiguousColumnError as error:
            findings.notes.append(
                f"{self.name}: {' and '.join(error.columns)} could be {option}; neither is read, say which"
            )
            return None
        if found is not None:
            findings.notes.append(f"{self.name}: column `{found}` is read as {option}")
        return found

    def needed(
        self,
        role: Role,
        name: str | None,
        option: str,
        findings: Findings,
        *,
        taken: Sequence[str | None] = (),
    ) -> str:
        """The named column, or the guessed one. Raises `DataFormatError` if there is none, or several."""
        if name is not None:
            return self.given(name, option)
        there = [column for column in self.columns if column not in taken]
        try:
            found = guessed_column(role, there)
        except AmbiguousColumnError as error:
            raise DataFormatError(
                f"{self.name}: {' and '.join(error.columns)} could be {option}; say which", field=option
            ) from None
        if found is None:
            raise DataFormatError(
                f"{self.name}: no column looks like {option}; {list_columns(self.columns)}", field=option
            )
        findings.notes.append(f"{self.name}: column `{found}` is read as {option}")
        return found
