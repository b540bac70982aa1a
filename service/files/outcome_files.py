"""Scores with outcomes from a table: that of `evenmatch log export`, say, with a column more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from service.core.bundle import Bundle
from service.core.calibration import shift_prevalence
from service.core.decision_words import DecisionReader
from service.core.errors import ErrorCollector, TableError
from service.core.group_labels import LabelReader
from service.core.groups import UNKNOWN, GroupSchema
from service.core.recalibration import DistinctValues, ScoredDecisions
from service.core.scoring import SCORE_DECIMALS
from service.core.tables import Column, columns_of, inspect_table, read_rows
from service.files.decision_files import check_decision_file
from service.files.row_faults import RowFaults

PROBABILITY, RAW_SCORE = "calibrated_probability", "raw_score"


@dataclass(frozen=True, slots=True)
class OutcomeColumns:
    """Names of columns. `probability` goes before `raw_score` where both are there.

    Raw scores are taken through the bundle's curve for jobs with a title. Rows without a posting, or without
    a candidate, count as of another one each.
    """

    outcome: str = "outcome"
    probability: str = PROBABILITY
    raw_score: str = RAW_SCORE
    posting: str = "job_id"
    candidate: str = "candidate_id"


@dataclass(frozen=True)
class FileOfOutcomes:
    """`notes`: how the file was read where that may be wrong."""

    decisions: ScoredDecisions
    notes: list[str]


def read_outcome_file(
    file: Path,
    columns: OutcomeColumns,
    bundle: Bundle,
    schema: GroupSchema,
    *,
    prevalence: float | None = None,
    encoding: str | None = None,
) -> FileOfOutcomes:
    """Read scores and outcomes (.csv, .tsv, .txt, .jsonl, .parquet). An empty outcome is not known.

    Outcomes are read as decisions are (`hired`, `yes`, `1`; `rejected`, `no`, `0`). Groups stand in columns
    called as the schema's attributes are. `prevalence`: that which the file's probabilities were given for;
    None: the bundle's own. Raises at once all that is wrong, by line and column: `TableError`,
    `UndecodableTextError`.
    """
    check_decision_file(file)
    table = inspect_table(file, encoding, titled=True)
    there = columns_of(table)
    score = _score_column(file, columns, there)
    attributes = [name for name in schema.attributes if name in there]
    optional = [name for name in (columns.posting, columns.candidate) if name in there]
    wanted = [
        Column(score, "--probability-column"),
        Column(columns.outcome, "--outcome-column"),
        *(Column(name, "--posting-column", required=False) for name in (*optional, *attributes)),
    ]
    place = {column.name: i for i, column in enumerate(wanted)}
    faults = RowFaults(file, "row" if table.kind == "parquet" else "line")
    words = DecisionReader()
    labels = {name: LabelReader(name, schema.attributes[name]) for name in attributes}
    scores: list[float] = []
    outcomes: list[int] = []
    postings, candidates, cells = DistinctValues(), DistinctValues(), DistinctValues()
    errors = ErrorCollector()
    with errors, closing(read_rows(table, wanted, faults.add)) as rows:
        for cells_of_row, line in rows:
            given = list(cells_of_row)
            number = _number(given[0])
            low = 0.0 if score == columns.probability else -1.0
            if not low <= number <= 1:
                faults.cell(line, score, f"is not a number from {low:g} to 1")
            outcome = _outcome(words, given[1])
            if outcome is None:
                faults.cell(line, columns.outcome, "is no outcome: read are hired, yes, 1, rejected, no, 0")
            scores.append(number)
            outcomes.append(-1 if outcome is None else outcome)
            for values, name in ((postings, columns.posting), (candidates, columns.candidate)):
                value = given[place[name]] if name in place else None
                values.add(("row", line) if value in (None, "") else ("id", str(value)))
            cells.add(tuple((name, labels[name].read(given[place[name]])) for name in attributes))
    faults.into(errors)
    errors.raise_any()
    if not scores:
        raise TableError(f"{file} holds no rows")
    raw = np.array(scores)
    if score == columns.raw_score:
        curve = bundle.calibration.with_title
        probabilities = np.array([curve.probability(one) for one in raw])
    elif prevalence is None:
        probabilities = raw
    else:
        back = shift_prevalence(raw, of=prevalence, to=bundle.calibration.prevalence)
        probabilities = np.round(back, SCORE_DECIMALS)
    found = ScoredDecisions(
        probabilities,
        np.array(outcomes, dtype=np.int64),
        postings.codes(),
        candidates.codes(),
        cells.codes(),
        [_known(cell) for cell in cells.values],
    )
    return FileOfOutcomes(found, list(_notes(file, columns, optional)))


def _score_column(file: Path, columns: OutcomeColumns, there: list[str]) -> str:
    for name in (columns.probability, columns.raw_score):
        if name in there:
            return name
    raise TableError(
        f"{file}: no column {columns.probability!r} and none {columns.raw_score!r}; name another with "
        "--probability-column or --raw-score-column"
    )


def _outcome(words: DecisionReader, cell: object) -> int | None:
    """1, 0, -1 for an empty cell, or None for what is no outcome."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return -1
    meaning = words.read(cell)
    if meaning == "left_out":
        return -1
    return None if meaning is None else int(meaning == "selected")


def _number(cell: object) -> float:
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return math.nan
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return math.nan


def _known(cell: object) -> Mapping[str, str]:
    assert isinstance(cell, tuple)
    return {attribute: group for attribute, group in cell if group != UNKNOWN}


def _notes(file: Path, columns: OutcomeColumns, there: list[str]) -> list[str]:
    return [
        f"{file}: no column {name!r} ({option} names another): rows are taken as of {what} each, and "
        "intervals may be too narrow"
        for name, option, what in (
            (columns.posting, "--posting-column", "another posting"),
            (columns.candidate, "--candidate-column", "another person"),
        )
        if name not in there
    ]
