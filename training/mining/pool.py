"""Postings and labelled pairs, read whole, and a pool of resumes, read row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from training.data.example import DataFormatError
from training.data.match_labels import LabelError, MatchLabels, cell_text
from training.data.review import fingerprint_once
from training.data.user_data_config import ColumnMapping
from training.evaluation.external.given_documents import (
    Documents,
    Fault,
    check_read,
    id_of,
    say_ids,
    text_of,
)
from training.evaluation.external.given_table import MOST_NAMED, Findings, GivenTable
from training.evaluation.external.labelled_set import GivenDocument
from training.mining.known import KnownPairs


@dataclass(frozen=True, slots=True)
class MiningColumns:
    """What the columns are called; None: guessed, and said, but for `family`, of postings: none."""

    resume: str | None = None
    resume_id: str | None = None
    job: str | None = None
    title: str | None = None
    job_id: str | None = None
    family: str | None = None
    labelled_resume: str | None = None
    labelled_job: str | None = None
    label: str | None = None
    label_cut: float | None = None


@dataclass
class Faults:
    """Rows that are left out: how many, and the first of them by file and line."""

    count: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, fault: str) -> None:
        """Count one, and keep what it says if it is among the first."""
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(fault)

    def take(self, findings: Findings) -> None:
        """Move what a table's reader found here, so that its list does not grow with the table."""
        for fault in findings.faults:
            self.add(fault)
        findings.faults.clear()

    @property
    def said(self) -> list[str]:
        """The first of them, and how many there are."""
        if not self.count:
            return []
        more = self.count - len(self.named)
        return [
            f"{self.count:,} rows are left out:",
            *self.named,
            *([f"... and {more:,} more"] if more else []),
        ]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A resume of the pool. `file`: number of its table, `row`: its line, or row of a Parquet file."""

    id: str
    text: str
    file: int
    row: int
    place: str


class Pool:
    """Tables of resumes, which are read from the disk each time.

    Raises `DataFormatError` for a table that cannot be read, or without a column of resumes.
    """

    def __init__(self, paths: Sequence[Path], columns: MiningColumns, findings: Findings) -> None:
        self._tables = [GivenTable.of_file(path, findings) for path in paths]
        self._columns: list[tuple[str, str | None]] = []
        for table in self._tables:
            text = table.needed("resume", columns.resume, "--resume-column", findings)
            if columns.resume_id is not None:
                found: str | None = table.given(columns.resume_id, "--resume-id-column")
            else:
                found = table.guessed("candidate_id", "--resume-id-column", findings, taken=[text])
            self._columns.append((text, found))
            if found is None:
                findings.notes.append(f"{table.name}: no column of ids, so resumes are called by their rows")

    def rows(self, faults: Faults) -> Iterator[Candidate]:
        """Every resume that holds a text, in the order of tables and rows."""
        several = len(self._tables) > 1
        for number, (table, (column, of_ids)) in enumerate(zip(self._tables, self._columns, strict=True)):
            findings = Findings()
            read = [column] if of_ids is None else [column, of_ids]
            for cells, place in table.read(read, findings):
                faults.take(findings)
                try:
                    text = text_of(cells, column)
                except Fault as fault:
                    faults.add(f"{place}: {fault}")
                    continue
                unit, row = place.rsplit(" ", 2)[1:]
                called = f"{Path(table.name).name} {unit} {row}" if several else f"{unit} {row}"
                yield Candidate(id_of(cells, of_ids) or called, text, number, int(row), place)
            faults.take(findings)

    def texts_of(self, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], str]:
        """The texts of some rows, by table and row, from another reading."""
        return {(one.file, one.row): one.text for one in self.rows(Faults()) if (one.file, one.row) in wanted}


def read_postings(
    path: Path, columns: MiningColumns, findings: Findings, faults: Faults
) -> list[GivenDocument]:
    """Each posting once; its `categories` are its family, if a column of families was named.

    Raises `DataFormatError` for columns that are wrong, an id with two texts, and if no row can be used.
    """
    table = GivenTable.of_file(path, findings)
    text = table.needed("posting", columns.job, "--job-column", findings)
    family = None if columns.family is None else table.given(columns.family, "--family-column")
    of_ids = _named(table, "posting_id", columns.job_id, "--job-id-column", findings, [text, family])
    title = _named(table, "posting_title", columns.title, "--title-column", findings, [text, of_ids, family])
    postings = Documents("posting")
    inner = Findings()
    read = [column for column in (text, of_ids, title, family) if column is not None]
    for cells, place in table.read(list(dict.fromkeys(read)), inner):
        try:
            posting = GivenDocument(
                id_of(cells, of_ids),
                text_of(cells, text),
                place,
                title=None if title is None else cell_text(cells.get(title)),
                categories=() if family is None else _family_in(cells.get(family)),
            )
        except Fault as fault:
            inner.faults.append(f"{place}: {fault}")
            continue
        digest = posting.fingerprint
        postings.add(posting, digest, f"{posting.title}\n{digest}")
    check_read(postings.all, table.name, inner)
    faults.take(inner)
    postings.check()
    say_ids(table.name, of_ids, "postings", postings, findings, "by their texts")
    return postings.all


def _family_in(cell: object) -> tuple[str, ...]:
    family = cell_text(cell)
    return () if family is None else (family,)


@dataclass
class LabelledCounts:
    """Of a table of labelled pairs: rows with a label, those of them that match, and of other postings."""

    pairs: int = 0
    matches: int = 0
    elsewhere: int = 0


def read_known(
    path: Path,
    postings: Sequence[GivenDocument],
    known: KnownPairs,
    columns: MiningColumns,
    findings: Findings,
    faults: Faults,
) -> LabelledCounts:
    """Put the labelled pairs of a table into `known`: of postings by their id, else by their text.

    Potential fits count as matches here: they are no negatives either. Raises `DataFormatError` for columns
    that are wrong.
    """
    table = GivenTable.of_file(path, findings)
    asked = {"resume": columns.labelled_resume, "job": columns.labelled_job, "label": columns.label}
    mapping = ColumnMapping(**{name: column for name, column in asked.items() if column is not None})
    mapping = mapping.found_in(table.columns, table.name, findings.notes)
    for name, column in mapping.wanted().items():
        table.given(column, "--label-column" if name == "label" else f"--labelled-{name}-column")
    taken = [mapping.resume, mapping.job, mapping.label]
    resume_id = table.guessed("paired_resume_id", "the ids of labelled resumes", findings, taken=taken)
    job_id = table.guessed("paired_posting_id", "the ids of labelled postings", findings, taken=taken)
    by_id = {posting.id: number for number, posting in enumerate(postings)}
    by_text: dict[str, list[int]] = {}
    for number, posting in enumerate(postings):
        by_text.setdefault(posting.fingerprint, []).append(number)
    labels = MatchLabels({}, columns.label_cut, 0)
    found = LabelledCounts()
    inner = Findings()
    read = [column for column in (*taken, resume_id, job_id) if column is not None]
    for cells, place in table.read(list(dict.fromkeys(read)), inner):
        faults.take(inner)
        try:
            label = labels.read(cells.get(mapping.label))
            if label is None:
                continue
            resume, job = text_of(cells, mapping.resume), text_of(cells, mapping.job)
        except LabelError as error:
            faults.add(f"{place}: column `{mapping.label}` {error}")
            continue
        except Fault as fault:
            faults.add(f"{place}: {fault}")
            continue
        named = by_id.get(id_of(cells, job_id))
        of = by_text.get(fingerprint_once(job), []) if named is None else [named]
        found.pairs += 1
        found.matches += label[1] > 0
        found.elsewhere += not of
        for number in of:
            known.add(number, id_of(cells, resume_id), resume, fingerprint_once(resume), match=label[1] > 0)
    faults.take(inner)
    if not found.pairs:
        raise DataFormatError("\n".join([f"{table.name}: no row has a label that can be read", *faults.said]))
    return found


def _named(
    table: GivenTable,
    role: str,
    named: str | None,
    option: str,
    findings: Findings,
    taken: Sequence[str | None],
) -> str | None:
    if named is not None:
        return table.given(named, option)
    return table.guessed(role, option, findings, taken=taken)  # type: ignore[arg-type]
