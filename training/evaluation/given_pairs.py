"""A user's own counterfactual pairs: a job and a resume before and after a change, one pair a row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import numpy as np

from service.core.bundle import Bundle
from service.core.column_names import AmbiguousColumnError, Role, guessed_column, list_columns
from service.core.documents import read_document
from service.core.engines.loading import LoadedModel
from service.core.errors import InputError
from service.core.matching import Matcher
from service.core.no_document import check_document
from training.data.example import DataFormatError
from training.data.tables import columns_of
from training.evaluation.evaluate import subject_of
from training.evaluation.schema import PairsReport
from training.evaluation.shift import evaluate_counterfactual_pairs

_ROLES: Mapping[str, Role] = {
    "original": "original",
    "counterfactual": "counterfactual",
    "job": "posting",
}
_MOST_ERRORS = 10
_OFTEN_UNCHANGED = 0.5
"""Share of unchanged pairs above which a file was hardly meant so."""


@dataclass(frozen=True, slots=True)
class PairColumns:
    """What the columns are called. None: as the field is, or the one that people would call so."""

    original: str | None = None
    counterfactual: str | None = None
    job: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class GivenPair:
    """A `CounterfactualExample`. `job_id` tells jobs apart by their title and text."""

    job_id: str
    title: str | None
    description: str
    original: str
    counterfactual: str


@dataclass(frozen=True, slots=True)
class GivenPairs:
    """Pairs in the order of their rows. `notes`: what was guessed, and what a careful user should know."""

    pairs: list[GivenPair]
    source: str
    notes: list[str]

    @property
    def unchanged(self) -> int:
        """Pairs whose two texts are the same."""
        return sum(pair.original == pair.counterfactual for pair in self.pairs)


def read_pairs(rows: Sequence[Mapping[str, Any]], place: str, columns: PairColumns) -> GivenPairs:
    """The pairs in `rows`; `place` is what errors call them.

    Raises `DataFormatError` for a column that is not there or may be one of several, one column in two roles,
    and for cells that are no text, of which up to ten are named by row, counted from 1, and column.
    """
    if not rows:
        raise DataFormatError(f"{place} holds no rows")
    notes: list[str] = []
    names = _columns(list(columns_of(list(rows))), place, columns, notes)
    pairs, errors = [], []
    for number, row in enumerate(rows, 1):
        cells: dict[str, str] = {}
        for field, column in names.items():
            try:
                cells[field] = _text(row.get(column), f"{place}: row {number}, column {column}")
            except InputError as error:
                errors.append(error.message)
        if len(errors) >= _MOST_ERRORS:
            break
        if len(cells) == len(names):
            title = None if columns.title is None else _optional(row.get(columns.title))
            key = f"{title}\n{cells['job']}"
            pairs.append(GivenPair(key, title, cells["job"], cells["original"], cells["counterfactual"]))
    if errors:
        more = " (and perhaps more)" if len(errors) >= _MOST_ERRORS else ""
        raise DataFormatError("\n".join(errors[:_MOST_ERRORS]) + more)
    given = GivenPairs(pairs, place, notes)
    if given.unchanged:
        share = given.unchanged / len(pairs)
        hint = ": are these the right columns?" if share > _OFTEN_UNCHANGED else ""
        notes.append(f"{place}: in {given.unchanged:,} of {len(pairs):,} pairs nothing was changed{hint}")
    return given


def measure_pairs(
    bundle: Bundle, loaded: LoadedModel, given: GivenPairs, *, rounds: int, seed: int, redact: bool
) -> PairsReport:
    """How far scores and decisions move between the two texts of each pair; intervals over jobs.

    Raises an `InputError` for a text that the model cannot read.
    """
    shifts = evaluate_counterfactual_pairs(
        Matcher(bundle, loaded.tokenizer, keeps_names=True),
        loaded,
        given.pairs,
        rounds=rounds,
        rng=np.random.default_rng(seed),
        redact=redact,
    )
    digest = hashlib.sha256()
    for pair in given.pairs:
        digest.update(repr((pair.title, pair.description, pair.original, pair.counterfactual)).encode())
    return PairsReport(
        **dict(shifts),
        subject=subject_of(bundle, loaded, redact=redact),
        source=given.source,
        digest=digest.hexdigest(),
        unchanged=given.unchanged,
        rounds=rounds,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        evenmatch=metadata.version("evenmatch"),
    )


def _columns(there: Sequence[str], place: str, wanted: PairColumns, notes: list[str]) -> dict[str, str]:
    found = {}
    for field, role in _ROLES.items():
        column = getattr(wanted, field)
        if column is None:
            column = field if field in there else _guessed(field, role, there, place, notes)
        if column not in there:
            raise DataFormatError(f"{place} has no column {column}; {list_columns(there)}", field=field)
        found[field] = column
    if wanted.title is not None and wanted.title not in there:
        raise DataFormatError(f"{place} has no column {wanted.title}; {list_columns(there)}", field="title")
    for field, column in found.items():
        other = next(name for name, same in found.items() if same == column)
        if other != field:
            raise DataFormatError(
                f"{place}: column {column} cannot be both the {_MEANING[other]} and the {_MEANING[field]}",
                field=field,
            )
    return found


_MEANING = {"original": "resume", "counterfactual": "changed resume", "job": "job's text"}


def _guessed(field: str, role: Role, there: Sequence[str], place: str, notes: list[str]) -> str:
    try:
        column = guessed_column(role, there)
    except AmbiguousColumnError as error:
        raise DataFormatError(
            f"{place}: {' and '.join(error.columns)} could be the {_MEANING[field]}; say which", field=field
        ) from None
    if column is None:
        return field
    notes.append(f"{place}: column `{column}` is read as the {_MEANING[field]}")
    return column


def _text(cell: Any, field: str) -> str:
    if cell is None or (isinstance(cell, float) and cell != cell):
        raise InputError(f"{field} is empty", field=field)
    if not isinstance(cell, str):
        raise InputError(f"{field} must be a text, is a {type(cell).__name__}", field=field)
    check_document(cell, field)
    read_document(cell, field=field)
    return cell


def _optional(cell: Any) -> str | None:
    missing = cell is None or (isinstance(cell, float) and cell != cell)
    return None if missing else str(cell).strip() or None
