"""Users' tables -> a `LabelledSet`: labelled pairs, or resumes and postings that match by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from service.core.column_names import AmbiguousColumnError, guessed_group_column
from service.core.documents import read_document
from service.core.errors import InputError
from service.core.group_labels import LabelReader
from service.core.groups import UNKNOWN
from training.data.example import DataError, DataFormatError
from training.data.match_labels import LabelError, MatchLabels, cell_text
from training.data.review import fingerprint
from training.data.user_data import KNOWN_GROUPS, LONGEST_GROUP, ColumnMapping
from training.evaluation.external.categories import categories_of, under_one_name
from training.evaluation.external.given_table import MOST_NAMED, Findings, GivenTable
from training.evaluation.external.labelled_set import GivenDocument, LabelledSet, every_pair

_GUESSED_ATTRIBUTES = ("sex", "race_ethnicity")


@dataclass(frozen=True, slots=True)
class ExternalColumns:
    """What the columns are called; None: guessed, and said. `category`: of both, unless one has its own.

    `groups`: attribute to column; None: columns that look like sex and race or ethnicity, if there are any.
    """

    resume: str | None = None
    job: str | None = None
    label: str | None = None
    title: str | None = None
    resume_id: str | None = None
    job_id: str | None = None
    category: str | None = None
    resume_category: str | None = None
    posting_category: str | None = None
    groups: Mapping[str, str] | None = None
    group_values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    label_cut: float | None = None


class _Fault(Exception):
    """A row that cannot be used. `args[0]` says why, and never what stood there."""


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
    groups = _Groups(table, columns, findings)
    labels = MatchLabels({}, columns.label_cut, 0)
    resumes, postings = _Documents("resume"), _Documents("posting")
    seen: dict[tuple[int, int], tuple[int, str]] = {}
    unlabelled, repeated, contradicted = 0, 0, []
    read = [c for c in (*taken, resume_id, job_id, category, *groups.columns.values()) if c is not None]
    for row, place in table.read(list(dict.fromkeys(read)), findings):
        try:
            label = _label(row, mapping.label, labels)
            if label is None:
                unlabelled += 1
                continue
            resume_text, job_text = _text(row, mapping.resume), _text(row, mapping.job)
            title = None if mapping.title is None else cell_text(row.get(mapping.title))
            of_posting = () if category is None else _categories(row, category)
            of_person = groups.of(row)
        except _Fault as fault:
            findings.faults.append(f"{place}: {fault}")
            continue
        resume = resumes.add(
            GivenDocument(_id(row, resume_id), resume_text, place, groups=of_person),
            fingerprint(resume_text),
        )
        posting = postings.add(
            GivenDocument(_id(row, job_id), job_text, place, title=title, categories=of_posting),
            f"{title}\n{fingerprint(job_text)}",
        )
        first = seen.setdefault((posting, resume), (label, place))
        if first[1] != place:
            repeated += 1
            if first[0] != label:
                contradicted.append(f"{place} and {first[1]}")
    _check_read(seen, table.name, findings)
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
    _say_ids(table.name, resume_id, "resumes", resumes, findings, "by their texts")
    _say_ids(table.name, job_id, "postings", postings, findings, "by their texts")
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


def read_pool(
    resumes: GivenTable,
    postings: GivenTable,
    columns: ExternalColumns,
    mapped: Mapping[str, Sequence[str]] | None,
    findings: Findings,
) -> LabelledSet:
    """All pairs of a table of resumes and one of postings; a match where they share a category.

    `mapped`: categories of resumes to those of postings, where they are called differently. Rows at fault go
    to the findings. Raises `DataFormatError` for columns that are wrong, an id with two texts, and if no row
    is left.
    """
    body = resumes.needed("resume", columns.resume, "--resume-column", findings)
    of_resumes = resumes.needed(
        "category", columns.resume_category or columns.category, "--resume-category", findings, taken=[body]
    )
    resume_id = (
        resumes.guessed("candidate_id", "--resume-id-column", findings, taken=[body, of_resumes])
        if columns.resume_id is None
        else resumes.given(columns.resume_id, "--resume-id-column")
    )
    groups = _Groups(resumes, columns, findings)
    people = _Documents("resume")
    for row, place in resumes.read(_some(body, of_resumes, resume_id, *groups.columns.values()), findings):
        try:
            document = GivenDocument(
                _id(row, resume_id),
                _text(row, body),
                place,
                categories=_categories(row, of_resumes),
                groups=groups.of(row),
            )
        except _Fault as fault:
            findings.faults.append(f"{place}: {fault}")
            continue
        people.add(document, place)
    _check_read(people.all, resumes.name, findings)
    groups.say(findings)

    body = postings.needed("posting", columns.job, "--job-column", findings)
    of_postings = postings.needed(
        "category", columns.posting_category or columns.category, "--posting-category", findings, taken=[body]
    )
    taken = [body, of_postings]
    job_id, title = columns.job_id, columns.title
    if job_id is None:
        job_id = postings.guessed("posting_id", "--job-id-column", findings, taken=taken)
    if title is None:
        title = postings.guessed("posting_title", "--title-column", findings, taken=[*taken, job_id])
    for given, option in ((job_id, "--job-id-column"), (title, "--title-column")):
        if given is not None:
            postings.given(given, option)
    jobs = _Documents("posting")
    for row, place in postings.read(_some(body, of_postings, job_id, title), findings):
        try:
            document = GivenDocument(
                _id(row, job_id),
                _text(row, body),
                place,
                title=None if title is None else cell_text(row.get(title)),
                categories=_categories(row, of_postings),
            )
        except _Fault as fault:
            findings.faults.append(f"{place}: {fault}")
            continue
        jobs.add(document, place)
    _check_read(jobs.all, postings.name, findings)
    people.check()
    jobs.check()
    _say_ids(resumes.name, resume_id, "resumes", people, findings, "by their rows")
    _say_ids(postings.name, job_id, "postings", jobs, findings, "by their rows")
    for name, documents in ((resumes.name, people), (postings.name, jobs)):
        if documents.repeated:
            findings.notes.append(
                f"{name}: {documents.repeated:,} rows repeat an id with its text, and count once"
            )
    return every_pair(*under_one_name(people.all, jobs.all, mapped, findings))


class _Documents:
    """Documents in the order in which they first stand there, each once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.all: list[GivenDocument] = []
        self.unnamed = 0
        self.repeated = 0
        self._numbers: dict[tuple[str, str], int] = {}
        self._twice: list[str] = []

    def add(self, document: GivenDocument, without_id: str) -> int:
        """The number of a document. Without an id it is told by `without_id` and called by its place."""
        key = ("id", document.id) if document.id else ("", without_id)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.all)
            if not document.id:
                self.unnamed += 1
                document = replace(document, id=" ".join(document.place.rsplit(" ", 2)[1:]))
            self.all.append(document)
            return number
        first = self.all[number]
        self.repeated += 1
        if (fingerprint(first.text), first.title) != (fingerprint(document.text), document.title):
            self._twice.append(f"{first.place} and {document.place}")
        elif set(first.categories) != set(document.categories):
            both = dict.fromkeys((*first.categories, *document.categories))
            self.all[number] = replace(first, categories=tuple(both))
        return number

    def check(self) -> None:
        """Raise `DataFormatError` if one id has two texts."""
        if self._twice:
            more = len(self._twice) - MOST_NAMED
            raise DataFormatError(
                f"the same {self.kind} id has different texts in {'; '.join(self._twice[:MOST_NAMED])}"
                f"{f' and {more:,} more places' if more > 0 else ''}: name the column of ids that "
                "tell them apart, or mend them"
            )


class _Groups:
    """The columns of people's groups, and what stands in them."""

    def __init__(self, table: GivenTable, columns: ExternalColumns, findings: Findings) -> None:
        self.columns: dict[str, str] = {}
        if columns.groups is None:
            for attribute in _GUESSED_ATTRIBUTES:
                try:
                    column = guessed_group_column(attribute, table.columns)
                except AmbiguousColumnError:
                    continue
                if column is not None:
                    self.columns[attribute] = column
                    findings.notes.append(
                        f"{table.name}: column `{column}` is read as the group of {attribute}"
                    )
        else:
            for attribute, column in columns.groups.items():
                self.columns[attribute] = table.given(column, "--group-column")
        self._readers = {
            attribute: LabelReader(
                attribute, KNOWN_GROUPS.get(attribute, ()), columns.group_values.get(attribute)
            )
            for attribute in self.columns
        }

    def of(self, row: Mapping[str, Any]) -> dict[str, str]:
        """A person's known groups. Raises `_Fault` for a cell that is too long to be a group's name."""
        found = {}
        for attribute, column in self.columns.items():
            label = cell_text(row.get(column))
            if label is not None and len(label) > LONGEST_GROUP:
                raise _Fault(
                    f"column `{column}` has {len(label):,} characters; a group's name has at most "
                    f"{LONGEST_GROUP}"
                )
            group = self._readers[attribute].known(label)
            group = label if group is None else group
            if group is not None and group != UNKNOWN:
                found[attribute] = group
        return found

    def say(self, findings: Findings) -> None:
        """Which labels were read as which groups."""
        findings.notes += [said for reader in self._readers.values() if (said := reader.said_of_mapped)]


def _id_column(
    table: GivenTable, named: str | None, kind: str, findings: Findings, taken: Sequence[str | None]
) -> str | None:
    option = f"--{kind}-id-column"
    if named is not None:
        return table.given(named, option)
    role = "paired_resume_id" if kind == "resume" else "paired_posting_id"
    return table.guessed(role, option, findings, taken=taken)  # type: ignore[arg-type]


def _say_ids(
    table: str, column: str | None, what: str, documents: _Documents, findings: Findings, how: str
) -> None:
    if column is None:
        findings.notes.append(
            f"{table}: no column of ids, so {what} are told apart {how} and called by their rows"
        )
    elif documents.unnamed:
        findings.notes.append(
            f"{table}: {documents.unnamed:,} {what} have no id and are called by their rows"
        )


def _check_read(read: Sequence[object] | Mapping[Any, Any], name: str, findings: Findings) -> None:
    if not read:
        raise DataFormatError("\n".join([f"{name}: no row can be used", *findings.said_of_faults]))


def _some(*columns: str | None) -> list[str]:
    return list(dict.fromkeys(column for column in columns if column is not None))


def _id(row: Mapping[str, Any], column: str | None) -> str:
    found = None if column is None else cell_text(row.get(column))
    return "" if found is None else " ".join(found.split())


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise _Fault(f"column `{column}` is empty")
    if not isinstance(value, str):
        raise _Fault(f"column `{column}` must hold a text, not a {type(value).__name__}")
    try:
        read_document(value, field=f"column `{column}`")
    except InputError as error:
        raise _Fault(error.message) from None
    return value


def _categories(row: Mapping[str, Any], column: str) -> tuple[str, ...]:
    try:
        return categories_of(row.get(column))
    except ValueError as error:
        raise _Fault(f"column `{column}`: {error}") from None


def _label(row: Mapping[str, Any], column: str, labels: MatchLabels) -> int | None:
    try:
        read = labels.read(row.get(column))
    except LabelError as error:
        raise _Fault(f"column `{column}` {error}") from None
    return None if read is None else read[0]
