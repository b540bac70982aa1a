"""Results of scoring to files: CSV, JSON Lines and Parquet, row by row. Never a word of a resume."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal

from service.core.errors import TableError
from service.core.language import is_foreign
from service.core.matching import Match, ReadResume
from service.core.parquet import import_pyarrow
from service.core.requirements.kinds import Found
from service.core.requirements.listing import Reason, RequirementResult
from service.core.resume_warnings import ResumeWarning, needs_a_look
from service.core.spreadsheets import csv_record, spreadsheet_safe
from service.files.document_texts import DocumentSummary
from service.files.writing import written_whole

RESULT_SUFFIXES = (".csv", ".jsonl", ".parquet")

IN_WORDS: dict[ResumeWarning, str] = {
    "non_latin_script": "non-Latin script",
    "not_english": "not English",
    "no_name_found": "no name found",
    "several_names": "reads like the resumes of two people",
    "little_text": "hardly any text, as of a scan",
    "not_a_resume": "reads like something else than a resume",
    "structured_text": "markup, or the inside of a file",
    "repeats_posting": "holds the job's own text",
    "hidden_text": "holds characters that nobody sees",
    "addressed_to_model": "gives orders to a program that reads it",
    "repeated_words": "says the same words over and over",
    "text_of_scan": "read from a scan",
}
"""Warnings as notes."""

_ROWS_A_GROUP = 50_000
"""Rows of Parquet that are held until they are written."""


Evidence = tuple[Found, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """What is said of a resume beside its scores. `repeats`: postings, by index, to their words in it.

    `evidence`: what it says to each requirement of the only posting, and in which passages; None if nobody
    asked.
    """

    id: str
    language: str
    non_latin_script: bool
    redacted: bool
    warnings: tuple[ResumeWarning, ...] = ()
    repeats: Mapping[int, int] = field(default_factory=dict)
    document: DocumentSummary | None = None
    evidence: tuple[Evidence, ...] | None = None

    @classmethod
    def of(
        cls,
        identity: str,
        read: ReadResume,
        repeats: Mapping[int, int] | None = None,
        document: DocumentSummary | None = None,
    ) -> ScoredCandidate:
        """The part of a read resume that is kept."""
        return cls(
            identity,
            read.language,
            read.document.non_latin_script,
            read.redactions is not None,
            tuple(read.warnings),
            dict(repeats or {}),
            document,
        )


@dataclass(frozen=True, slots=True)
class Result:
    """A candidate against a posting. `rank`: from 1, of this posting. `job_id`: None for the only posting.

    `with_cohort`: scores are normalised, so that there is a percentile if the cohort covers the posting.
    """

    rank: int
    candidate: ScoredCandidate
    match: Match
    job_id: str | None = None
    posting: int = 0
    requirements: tuple[RequirementResult, ...] | None = None
    reason: Reason | None = None
    with_cohort: bool = False

    @property
    def warnings(self) -> tuple[ResumeWarning, ...]:
        if self.posting in self.candidate.repeats:
            return (*self.candidate.warnings, "repeats_posting")
        return self.candidate.warnings

    @property
    def decision(self) -> Literal["selected", "not_selected"]:
        return "selected" if self.match.selected and self.reason is None else "not_selected"

    @property
    def borderline(self) -> bool:
        """A person should look: close to the threshold, or a warning says so."""
        return self.match.borderline or needs_a_look(self.warnings)

    @property
    def notes(self) -> list[str]:
        """Why a person should look twice."""
        candidate = self.candidate
        notes = {
            "borderline": self.borderline,
            "non-Latin script": candidate.non_latin_script,
            f"language {candidate.language}": is_foreign(candidate.language),
            **{IN_WORDS[code]: True for code in self.warnings if needs_a_look([code])},
            "not covered by the cohort": self.with_cohort and self.match.cohort_percentile is None,
            **dict.fromkeys(candidate.document.notes if candidate.document else (), True),
            "not redacted": not candidate.redacted,
            "a requirement is not found": self.reason is not None,
        }
        return [note for note, holds in notes.items() if holds]

    def record(self) -> dict[str, Any]:
        """One row of a result file."""
        candidate, document = self.candidate, self.candidate.document
        record: dict[str, Any] = {} if self.job_id is None else {"job_id": self.job_id}
        record |= {
            "rank": self.rank,
            "candidate_id": candidate.id,
            "raw_score": self.match.raw_score,
            "calibrated_probability": self.match.calibrated_probability,
            "decision": self.decision,
            "borderline": self.borderline,
            "redacted": candidate.redacted,
            "language": candidate.language,
            "non_latin_script": candidate.non_latin_script,
            "warnings": list(self.warnings),
        }
        if self.requirements is not None:
            record["reason"] = self.reason
            record["requirements"] = [asdict(one) for one in self.requirements]
        if self.with_cohort:
            record["cohort_percentile"] = self.match.cohort_percentile
        if document is not None:
            record["document"] = {
                "type": document.kind,
                "pages": document.pages,
                "characters": document.characters,
                "warnings": dict(document.warnings),
            }
        return record


def check_results_file(file: Path) -> None:
    """Raise `TableError` for a file that results cannot be written to, whatever they are."""
    if file.suffix.lower() == ".parquet":
        import_pyarrow(file, "writing")
    if file.is_dir():
        raise TableError(f"{file} cannot be written: it is a folder")


def write_results(results: Iterable[Result], file: Path) -> int:
    """Write results as CSV, JSON Lines or Parquet, by the suffix; returns how many.

    The file appears whole or not at all. Raises `TableError` if it cannot be written.
    """
    write = _WRITERS[file.suffix.lower()]
    count = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal count
        for result in results:
            count += 1
            yield result.record()

    with written_whole(file) as stream:
        write(counted(), stream, file)
    return count


def _write_jsonl(records: Iterator[dict[str, Any]], stream: BinaryIO, file: Path) -> None:
    for record in records:
        stream.write((json.dumps(record, ensure_ascii=False) + "\n").encode())


def _write_csv(records: Iterator[dict[str, Any]], stream: BinaryIO, file: Path) -> None:
    with _as_text(stream) as text:
        columns: list[str] = []
        for record in records:
            row = flat_record(record)
            if not columns:
                columns = list(row)
                text.write(csv_record(columns))
            text.write(csv_record(spreadsheet_safe(_in_a_cell(row[name])) for name in columns))


def _write_parquet(records: Iterator[dict[str, Any]], stream: BinaryIO, file: Path) -> None:
    pyarrow = import_pyarrow(file, "writing")
    writer = None
    try:
        while group := list(islice(records, _ROWS_A_GROUP)):
            rows = [flat_record(record) for record in group]
            if writer is None:
                writer = pyarrow.parquet.ParquetWriter(stream, _schema(pyarrow, rows[0]))
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=writer.schema))
    finally:
        if writer is not None:
            writer.close()


_WRITERS: Mapping[str, Callable[[Iterator[dict[str, Any]], BinaryIO, Path], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}


def requirements_in_words(listed: Iterable[Mapping[str, Any]]) -> list[str]:
    """A record's `requirements` for a table: "degree:yes", "certification:unknown:preferred"."""
    return [f"{one['kind']}:{one['found']}{'' if one['required'] else ':preferred'}" for one in listed]


def flat_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A `Result.record` for a table: what is said of the document in columns of their own.

    They are there for texts, too: a row of a table may be HTML beside one that is not.
    """
    row = {key: value for key, value in record.items() if key != "document"}
    if "requirements" in row:
        row["requirements"] = requirements_in_words(row["requirements"])
    document = record.get("document") or {"warnings": {}}
    return row | {
        "document_type": document.get("type"),
        "document_pages": document.get("pages"),
        "document_characters": document.get("characters"),
        "document_warnings": [f"{code}:{count}" for code, count in document["warnings"].items()],
    }


def _schema(pyarrow: Any, row: Mapping[str, Any]) -> Any:
    types = {
        "rank": pyarrow.int64(),
        "cohort_percentile": pyarrow.float64(),
        "document_pages": pyarrow.int64(),
        "document_characters": pyarrow.int64(),
    }
    kinds = {bool: pyarrow.bool_(), float: pyarrow.float64(), list: pyarrow.list_(pyarrow.string())}
    return pyarrow.schema(
        [(name, types.get(name, kinds.get(type(value), pyarrow.string()))) for name, value in row.items()]
    )


def _in_a_cell(value: str | int | float | bool | Sequence[str] | None) -> str | int | float | bool:
    if value is None:
        return ""
    return value if isinstance(value, (str, int, float)) else " ".join(value)


@contextmanager
def _as_text(stream: BinaryIO) -> Iterator[io.TextIOWrapper]:
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        yield text
        text.flush()
    finally:
        text.detach()


def check_result_suffix(file: Path) -> str | None:
    """What is wrong with the name of a file of results; None if nothing is."""
    if file.suffix.lower() in RESULT_SUFFIXES:
        return None
    known = f"{', '.join(RESULT_SUFFIXES[:-1])} or {RESULT_SUFFIXES[-1]}"
    return f"must end in {known}, not {file.suffix or 'nothing'}"
