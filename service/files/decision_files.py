"""Historical decisions from a CSV, JSON Lines or Parquet file, row by row, into counts.

Memory does not grow with the file, but for 8 bytes a score: the sample's median needs them all. Errors
name file, line and column, never what stood there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from service.core.errors import TableError
from service.core.fairness.tally import DecisionTally
from service.core.group_labels import HINT, LabelOptions, LabelReader, check_values, refuse_unknown
from service.core.groups import GroupSchema
from service.core.tables import Cells, Column, inspect_table, read_rows


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
    notes: list[str] = field(default_factory=list)
    """How the file and its labels were read where that may be wrong."""


def read_decisions(
    file: Path, columns: DecisionColumns, schema: GroupSchema, labels: LabelOptions | None = None
) -> Decisions:
    """Count the decisions in `file` (.csv, .tsv, .parquet, or JSON Lines with any other suffix).

    Groups are read from the labels that people write (`service.core.group_labels`). Raises `TableError` for
    an unreadable or empty file, a missing column, and a cell that is no decision, score or time;
    `UnknownGroupError` at the end for labels that stand for no group, with their counts, unless `labels`
    takes them as unknown; `UndecodableTextError` for a file of mixed encodings.
    """
    labels = labels or LabelOptions()
    check_values(labels.values, schema)
    group_columns = {
        attribute: name
        for attribute in schema.attributes
        if (name := columns.groups.get(attribute, attribute)) is not None
    }
    wanted = [
        Column(columns.decision, "--decision-column"),
        Column(columns.score or "score", "--score-column", columns.score is not None),
        Column(columns.time or "time", "--time-column", columns.time is not None),
        *(Column(name, f"--group-column {attribute}=...") for attribute, name in group_columns.items()),
    ]
    decisions = Decisions(DecisionTally(schema))
    readers = {
        attribute: LabelReader(attribute, schema.attributes[attribute], labels.values.get(attribute))
        for attribute in group_columns
    }
    table = inspect_table(file)
    with closing(read_rows(table, wanted)) as rows:
        for cells, line in rows:
            _count(decisions, cells, wanted, list(readers.values()), f"{file} line {line}")
    if decisions.tally.people == 0:
        raise TableError(f"{file} holds no decisions")
    if labels.unknown_labels == "refuse":
        refuse_unknown(readers, str(file), HINT)
    said = [table.said, *(one.said_of_mapped for one in readers.values())]
    unknown = [f"{one} (taken as unknown)" for r in readers.values() if (one := r.said_of_unknown)]
    decisions.notes += [one for one in said if one] + unknown
    return decisions


def _count(
    decisions: Decisions,
    cells: Cells,
    wanted: Sequence[Column],
    readers: Sequence[LabelReader],
    source: str,
) -> None:
    where = [f"{source}: column {column.name!r}" for column in wanted]
    selected = read_decision(cells[0], where[0])
    score = read_score(cells[1], where[1])
    day = read_day(cells[2], where[2])
    groups = {reader.attribute: reader.read(cells[i]) for i, reader in enumerate(readers, 3)}
    decisions.tally.add(groups, selected=selected, score=score)
    if day is None:
        decisions.without_time += 1
    else:
        decisions.first = day if decisions.first is None else min(decisions.first, day)
        decisions.last = day if decisions.last is None else max(decisions.last, day)


_DECISIONS = {
    "selected": True,
    "1": True,
    "true": True,
    "yes": True,
    "not_selected": False,
    "0": False,
    "false": False,
    "no": False,
}


def read_decision(cell: object, where: str) -> bool:
    """True for `selected`. Raises `TableError` for anything but a decision."""
    if isinstance(cell, bool | int | float) and cell in (0, 1):
        return bool(cell)
    decision = _DECISIONS.get(cell.strip().lower()) if isinstance(cell, str) else None
    if decision is None:
        raise TableError(f"{where} is not a decision: {', '.join(_DECISIONS)}")
    return decision


def read_score(cell: object, where: str) -> float | None:
    """A finite number; None for an empty cell. Raises `TableError` for anything else."""
    if _is_empty(cell):
        return None
    # Python reads 1_000 as a number; nobody else does.
    numeric = isinstance(cell, str) and "_" not in cell
    if numeric or (isinstance(cell, int | float) and not isinstance(cell, bool)):
        try:
            score = float(cell)  # type: ignore[arg-type]  # a string or a number
        except (ValueError, OverflowError):
            score = math.nan
        if math.isfinite(score):
            return score
    raise TableError(f"{where} is not a finite number")


def read_day(cell: object, where: str) -> date | None:
    """The day of an ISO 8601 date or time, as written; None for an empty cell. Raises `TableError`."""
    if _is_empty(cell):
        return None
    try:
        return datetime.fromisoformat(cell.strip() if isinstance(cell, str) else "").date()
    except ValueError:
        raise TableError(f"{where} is not an ISO 8601 date or time, as 2026-03-31T14:05:00Z") from None


def _is_empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
