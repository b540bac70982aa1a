"""A table of resumes and one of postings, each with categories -> a `LabelledSet` of all pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.core.column_names import Role
from training.data.match_labels import cell_text
from training.evaluation.external.categories import under_one_name
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
from training.evaluation.external.given_table import Findings, GivenTable
from training.evaluation.external.labelled_set import GivenDocument, LabelledSet, every_pair


@dataclass(frozen=True, slots=True)
class _Side:
    """What the columns of resumes or of postings are called. `title`: of postings."""

    text: str
    category: str
    id: str | None
    title: str | None = None

    def read(self, table: GivenTable, kind: str, groups: Groups | None, findings: Findings) -> Documents:
        """The documents. Raises `DataFormatError` if no row can be used or an id has two texts."""
        of_people = groups.columns.values() if groups is not None else ()
        asked = [c for c in (self.text, self.category, self.id, self.title, *of_people) if c is not None]
        documents = Documents(kind)
        for row, place in table.read(list(dict.fromkeys(asked)), findings):
            try:
                document = GivenDocument(
                    id_of(row, self.id),
                    text_of(row, self.text),
                    place,
                    title=None if self.title is None else cell_text(row.get(self.title)),
                    categories=categories_in(row, self.category),
                    groups={} if groups is None else groups.of(row),
                )
            except Fault as fault:
                findings.faults.append(f"{place}: {fault}")
                continue
            documents.add(document, document.fingerprint, place)
        check_read(documents.all, table.name, findings)
        documents.check()
        say_ids(table.name, self.id, f"{kind}s", documents, findings, "by their rows")
        if documents.repeated:
            findings.notes.append(
                f"{table.name}: {documents.repeated:,} rows repeat an id with its text, and count once"
            )
        return documents


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
    of_resumes, of_postings = (
        _resume_columns(resumes, columns, findings),
        _posting_columns(postings, columns, findings),
    )
    groups = Groups(resumes, columns, findings)
    people = of_resumes.read(resumes, "resume", groups, findings)
    groups.say(findings)
    jobs = of_postings.read(postings, "posting", None, findings)
    return every_pair(*under_one_name(people.all, jobs.all, mapped, findings))


def _resume_columns(table: GivenTable, columns: ExternalColumns, findings: Findings) -> _Side:
    text = table.needed("resume", columns.resume, "--resume-column", findings)
    named = columns.resume_category or columns.category
    category = table.needed("category", named, "--resume-category", findings, taken=[text])
    return _Side(
        text,
        category,
        _optional(table, "candidate_id", columns.resume_id, "--resume-id-column", findings, [text, category]),
    )


def _posting_columns(table: GivenTable, columns: ExternalColumns, findings: Findings) -> _Side:
    text = table.needed("posting", columns.job, "--job-column", findings)
    named = columns.posting_category or columns.category
    category = table.needed("category", named, "--posting-category", findings, taken=[text])
    id_ = _optional(table, "posting_id", columns.job_id, "--job-id-column", findings, [text, category])
    taken = [text, category, id_]
    title = _optional(table, "posting_title", columns.title, "--title-column", findings, taken)
    return _Side(text, category, id_, title)


def _optional(
    table: GivenTable,
    role: Role,
    named: str | None,
    option: str,
    findings: Findings,
    taken: Sequence[str | None],
) -> str | None:
    if named is not None:
        return table.given(named, option)
    return table.guessed(role, option, findings, taken=taken)
