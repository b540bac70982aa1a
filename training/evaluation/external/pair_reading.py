"""A table of labelled pairs -> a `LabelledSet`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training.data.example import DataError
from training.data.match_labels import LabelError, MatchLabels, cell_text
from training.data.review import fingerprint
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
from training.evaluation.external.labelled_set import GivenDocument, LabelledSet


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
    seen: dict[tuple[int, int], tuple[int, str]] = {}
    unlabelled, repeated, contradicted = 0, 0, []
    read = [c for c in (*taken, resume_id, job_id, category, *groups.columns.values()) if c is not None]
    for row, place in table.read(list(dict.fromkeys(read)), findings):
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
        resume = resumes.add(
            GivenDocument(id_of(row, resume_id), resume_text, place, groups=of_person),
            fingerprint(resume_text),
        )
        posting = postings.add(
            GivenDocument(id_of(row, job_id), job_text, place, title=title, categories=of_posting),
            f"{title}\n{fingerprint(job_text)}",
        )
        first = seen.setdefault((posting, resume), (label, place))
        if first[1] != place:
            repeated += 1
            if first[0] != label:
                contradicted.append(f"{place} and {first[1]}")
    check_read(seen, table.name, findings)
    resumes.check()
    postings.check()
    if contradicted:
        raise DataError(
            f"{len(contradicted):,} pairs stand there twice with different labels: "
            f"{'; '.join(contradicted[:MOST_NAMED])}"
        )
    if unlabelled:
        findings.notes.append(f"{table.name}: {unlabelled:,} rows have no label and are left out")
    if repeated:
        findings.notes.append(f"{table.name}: {repeated:,} rows repeat a pair and count once")
    say_ids(table.name, resume_id, "resumes", resumes, findings, "by their texts")
    say_ids(table.name, job_id, "postings", postings, findings, "by their texts")
    groups.say(findings)
    keys = sorted(seen)
    return LabelledSet(
        resumes=resumes.all,
        postings=postings.all,
        pair_postings=np.array([posting for posting, _ in keys], dtype=np.int64),
        pair_resumes=np.array([resume for _, resume in keys], dtype=np.int64),
        labels=np.array([seen[key][0] for key in keys], dtype=np.int64),
        every_pair=len(keys) == len(resumes.all) * len(postings.all),
    )


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
