"""A table of labelled pairs -> a `LabelledSet`."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from training.data.example import DataError
from training.data.match_labels import LabelError, MatchLabels, cell_text
from training.data.mined import MINED_COLUMN, is_mined
from training.data.review import fingerprint_once
from training.data.user_data_config import ColumnMapping
from training.evaluation.external.given_documents import (
    Documents,
    ExternalColumns,
    Fault,
    Groups,
    categories_in,
    check_read,
    id_of,
    say_ids,
    text_of,
)
from training.evaluation.external.given_table import MOST_NAMED, Findings, GivenTable
from training.evaluation.external.labelled_set import GivenDocument, Indexes, LabelledSet


def read_labelled_pairs(table: GivenTable, columns: ExternalColumns, findings: Findings) -> LabelledSet:
    """The labelled pairs of a table, columns guessed as for training.

    A resume or posting is told by its id if there is a column for it, else by its text. Rows at fault go to
    the findings. Raises `DataFormatError` for columns that are wrong, an id with two texts, and if no row is
    left; `DataError` for one pair with two labels.
    """
    asked = {"resume": columns.resume, "job": columns.job, "label": columns.label, "title": columns.title}
    mapping = ColumnMapping(**{name: column for name, column in asked.items() if column is not None})
    mapping = mapping.found_in(table.columns, table.name, findings.notes)
    for name, column in mapping.wanted().items():
        table.given(column, f"--{name}-column")
    taken = [mapping.resume, mapping.job, mapping.label, mapping.title]
    resume_id = _id_column(table, columns.resume_id, "resume", findings, taken)
    job_id = _id_column(table, columns.job_id, "job", findings, taken)
    category = None if columns.category is None else table.given(columns.category, "--category-column")
    groups = Groups(table, columns, findings)
    labels = MatchLabels({}, columns.label_cut, 0)
    resumes, postings = Documents("resume"), Documents("posting")
    rows = _Rows()
    unlabelled, mined = 0, 0
    cells = (*taken, resume_id, job_id, category, *groups.columns.values(), MINED_COLUMN)
    read = [c for c in cells if c is not None]
    for row, place in table.read(list(dict.fromkeys(read)), findings):
        if is_mined(row):
            mined += 1
            continue
        try:
            label = _label(row, mapping.label, labels)
            if label is None:
                unlabelled += 1
                continue
            resume_text, job_text = text_of(row, mapping.resume), text_of(row, mapping.job)
            title = None if mapping.title is None else cell_text(row.get(mapping.title))
            of_posting = () if category is None else categories_in(row, category)
            of_person = groups.of(row)
        except Fault as fault:
            findings.faults.append(f"{place}: {fault}")
            continue
        of_resume, of_job = fingerprint_once(resume_text), fingerprint_once(job_text)
        resume = resumes.add(
            GivenDocument(id_of(row, resume_id), resume_text, place, groups=of_person), of_resume, of_resume
        )
        posting = postings.add(
            GivenDocument(id_of(row, job_id), job_text, place, title=title, categories=of_posting),
            of_job,
            f"{title}\n{of_job}",
        )
        rows.add(posting, resume, label, place)
    check_read(rows.labels, table.name, findings)
    resumes.check()
    postings.check()
    pairs, kept = rows.once(len(resumes.all))
    repeated = len(rows.labels) - len(kept)
    if mined:
        findings.notes.append(
            f"{table.name}: {mined:,} rows are mined negatives, which nobody verified, and are left out"
        )
    if unlabelled:
        findings.notes.append(f"{table.name}: {unlabelled:,} rows have no label and are left out")
    if repeated:
        findings.notes.append(f"{table.name}: {repeated:,} rows repeat a pair and count once")
    say_ids(table.name, resume_id, "resumes", resumes, findings, "by their texts")
    say_ids(table.name, job_id, "postings", postings, findings, "by their texts")
    groups.say(findings)
    return LabelledSet(
        resumes=resumes.all,
        postings=postings.all,
        pair_postings=pairs // len(resumes.all),
        pair_resumes=pairs % len(resumes.all),
        labels=np.frombuffer(rows.labels, np.int8)[kept].astype(np.int64),
        every_pair=len(pairs) == len(resumes.all) * len(postings.all),
    )


@dataclass
class _Rows:
    """Labelled rows in the order of the table, some 25 bytes each: there may be very many."""

    postings: array[int] = field(default_factory=lambda: array("q"))
    resumes: array[int] = field(default_factory=lambda: array("q"))
    labels: array[int] = field(default_factory=lambda: array("b"))
    numbers: array[int] = field(default_factory=lambda: array("q"))
    before: str = ""
    """What stands before the number in the place of every row."""

    def add(self, posting: int, resume: int, label: int, place: str) -> None:
        self.before, _, number = place.rpartition(" ")
        self.postings.append(posting)
        self.resumes.append(resume)
        self.labels.append(label)
        self.numbers.append(int(number))

    def once(self, resumes: int) -> tuple[Indexes, Indexes]:
        """Each pair as posting * `resumes` + resume, in that order, and the first row of each.

        Raises `DataError` for one pair with two labels.
        """
        keys = np.frombuffer(self.postings, np.int64) * resumes + np.frombuffer(self.resumes, np.int64)
        labels = np.frombuffer(self.labels, np.int8)
        pairs, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        contradicted = np.flatnonzero(labels != labels[first][inverse])
        if len(contradicted):
            places = [
                f"{self.before} {self.numbers[row]} and {self.before} {self.numbers[first[inverse[row]]]}"
                for row in contradicted[:MOST_NAMED]
            ]
            raise DataError(
                f"{len(contradicted):,} pairs stand there twice with different labels: {'; '.join(places)}"
            )
        return pairs, first.astype(np.int64)


def _id_column(
    table: GivenTable, named: str | None, kind: str, findings: Findings, taken: Sequence[str | None]
) -> str | None:
    option = f"--{kind}-id-column"
    if named is not None:
        return table.given(named, option)
    role = "paired_resume_id" if kind == "resume" else "paired_posting_id"
    return table.guessed(role, option, findings, taken=taken)  # type: ignore[arg-type]


def _label(row: Mapping[str, Any], column: str, labels: MatchLabels) -> int | None:
    try:
        read = labels.read(row.get(column))
    except LabelError as error:
        raise Fault(f"column `{column}` {error}") from None
    return None if read is None else read[0]
