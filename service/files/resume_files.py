"""Jobs and resumes from files, results to files. Errors name file, line and column, never the text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from service.core.documents import Document, read_document
from service.core.errors import DuplicateIdError, ErrorCollector, TableError, UndecodableTextError
from service.core.files import write_private
from service.core.language import is_foreign
from service.core.matching import Match, ReadResume
from service.core.redaction.redactor import Redacted
from service.core.resume_warnings import ResumeWarning, needs_a_look
from service.core.tables import SUFFIXES, Column, read_cells
from service.files.text_files import HINT, UTF8_WITH_MARK, decoded, encoding_of_mark, kind_of, read_text

_UNWRITABLE = re.compile(r"[\x00\ud800-\udfff]")
"""What no file and no file name can hold."""

_START = 1 << 16
"""Bytes of a table that tell what it is."""

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


@dataclass(frozen=True, slots=True)
class ResumeFile:
    """One resume. `source` says where it stands, for error messages."""

    id: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class ScoredResume:
    candidate_id: str
    match: Match
    read: ReadResume

    @property
    def decision(self) -> Literal["selected", "not_selected"]:
        return "selected" if self.match.selected else "not_selected"

    @property
    def borderline(self) -> bool:
        """A person should look: close to the threshold, or a warning says so."""
        return self.match.borderline or needs_a_look(self.read.warnings)

    @property
    def notes(self) -> list[str]:
        """Why a person should look twice."""
        notes = {
            "borderline": self.borderline,
            "non-Latin script": self.read.document.non_latin_script,
            f"language {self.read.language}": is_foreign(self.read.language),
            **{IN_WORDS[code]: True for code in self.read.warnings if needs_a_look([code])},
            "not redacted": self.read.redactions is None,
        }
        return [note for note, holds in notes.items() if holds]

    def record(self, rank: int) -> dict[str, str | int | float | bool | list[ResumeWarning]]:
        """One row of a result file; never the resume."""
        return {
            "rank": rank,
            "candidate_id": self.candidate_id,
            "raw_score": self.match.raw_score,
            "calibrated_probability": self.match.calibrated_probability,
            "decision": self.decision,
            "borderline": self.borderline,
            "redacted": self.read.redactions is not None,
            "language": self.read.language,
            "non_latin_script": self.read.document.non_latin_script,
            "warnings": list(self.read.warnings),
        }


@dataclass(frozen=True, slots=True)
class RedactedResume:
    """One resume without clues to the person, and what to check by eye."""

    id: str
    redacted: Redacted
    warnings: tuple[ResumeWarning, ...] = ()


def read_job(file: Path, encoding: str | None = None) -> str:
    """The text of a job file. Raises what `read_text` does."""
    return read_text(file, encoding)


def read_resumes(
    files: Sequence[Path],
    *,
    id_column: str,
    text_column: str,
    encoding: str | None = None,
    errors: ErrorCollector | None = None,
) -> list[ResumeFile]:
    """Resumes from text files (the id is the file's name without suffix) or from one .csv or .jsonl file.

    `encoding`: that of files without a byte-order mark, if it is not UTF-8. `errors` gathers text files that
    cannot be read, and the others come back; without it one error that names them all is raised.

    Raises `TableError` for unreadable files and missing columns, `DuplicateIdError` for an id that
    stands twice, and what `read_text` raises.
    """
    tables = [file for file in files if file.suffix.lower() in SUFFIXES]
    if tables and len(files) > 1:
        raise TableError(f"{tables[0]} is a table: give it alone, not with {len(files) - 1} other files")
    if tables:
        columns = (Column(id_column, "--id-column"), Column(text_column, "--text-column"))
        try:
            resumes = list(_from_table(tables[0], columns, encoding))
        except UndecodableTextError as error:
            hint = "" if encoding else HINT
            raise UndecodableTextError(f"{error.message}{hint}") from None
        if not resumes:
            raise TableError(f"{tables[0]} holds no resumes")
    else:
        gathered = errors or ErrorCollector()
        resumes = []
        for file in files:
            with gathered:
                text = read_text(file, encoding)
                resumes.append(ResumeFile(_written(file.stem), text, _written(str(file))))
        if errors is None:
            gathered.raise_any()
    _check_unique(resumes)
    return resumes


def readable(
    files: Sequence[ResumeFile], *, max_characters: int, errors: ErrorCollector
) -> list[tuple[ResumeFile, Document]]:
    """Those that hold text, and not too much, with what they hold; `errors` gathers what is wrong."""
    documents: list[tuple[ResumeFile, Document]] = []
    for file in files:
        with errors:
            documents.append(
                (file, read_document(file.text, field=file.source, max_characters=max_characters))
            )
    return documents


def write_results(ranked: Sequence[ScoredResume], file: Path) -> None:
    """Write results as JSON Lines or CSV, by the suffix; the file appears whole or not at all."""
    records = [one.record(rank) for rank, one in enumerate(ranked, 1)]
    text = io.StringIO(newline="")
    if file.suffix.lower() == ".jsonl":
        for record in records:
            text.write(json.dumps(record, ensure_ascii=False) + "\n")
    else:
        writer = csv.DictWriter(text, fieldnames=list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {key: spreadsheet_safe(_in_a_cell(value)) for key, value in record.items()} for record in records
        )
    write_whole(file, text.getvalue())


def write_whole(file: Path, text: str) -> None:
    """Write `text` to `file`, mode 0600, whole or not at all. Raises `TableError` if that cannot be done."""
    try:
        write_private(file, text)
    except OSError as error:
        raise TableError(f"{file} cannot be written: {error.strerror}") from None


def spreadsheet_safe(value: str | int | float | bool) -> str | int | float | bool:
    """A text that a spreadsheet would run as a formula gets a quote in front (OWASP, CSV injection)."""
    return (
        f"'{value}"
        if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )


def _in_a_cell(
    value: str | int | float | bool | Sequence[ResumeWarning],
) -> str | int | float | bool:
    return value if isinstance(value, (str, int, float)) else " ".join(value)


def _from_table(file: Path, columns: Sequence[Column], encoding: str | None) -> Iterator[ResumeFile]:
    identity_column, text_column = (column.name for column in columns)
    with closing(read_cells(file, columns, _encoding_of_table(file) or encoding)) as rows:
        for (identity, text), line in rows:
            source = f"{file} line {line}"
            if isinstance(identity, int) and not isinstance(identity, bool):
                identity = str(identity)
            if not isinstance(identity, str) or not identity.strip():
                raise TableError(f"{source}: column {identity_column!r} is empty or no text")
            if _UNWRITABLE.search(identity):
                raise TableError(
                    f"{source}: column {identity_column!r} holds null characters or halves of characters"
                )
            if not isinstance(text, str):
                raise TableError(f"{source}: column {text_column!r} is missing or no text")
            yield ResumeFile(identity, text, source)


def _written(name: str) -> str:
    """A file's name; bytes in it that are not UTF-8 become question marks."""
    return name.encode("utf-8", "replace").decode()


def _check_unique(resumes: Sequence[ResumeFile]) -> None:
    seen: dict[str, str] = {}
    for resume in resumes:
        if resume.id in seen:
            raise DuplicateIdError(f"{resume.source} has the same id as {seen[resume.id]}")
        seen[resume.id] = resume.source


def _encoding_of_table(file: Path) -> str | None:
    """What the byte-order mark of a table says. Raises `NotTextError` for a workbook by another suffix."""
    try:
        with file.open("rb") as stream:
            start = stream.read(_START)
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror}") from None
    if kind_of(start) is not None:
        decoded(start, str(file))  # says what it is
    mark = encoding_of_mark(start)
    return None if mark == UTF8_WITH_MARK else mark


def write_redacted(resumes: Sequence[RedactedResume], output: Path) -> None:
    """Write a .jsonl or .csv file (id, resume, redactions, warnings), or id.txt into the folder `output`.

    Raises `TableError` if a file cannot be written, or an id is no file name.
    """
    text = io.StringIO(newline="")
    match output.suffix.lower():
        case ".jsonl":
            for one in resumes:
                record = {
                    "id": one.id,
                    "resume": one.redacted.text,
                    "redactions": one.redacted.counts,
                    "warnings": one.warnings,
                }
                text.write(json.dumps(record, ensure_ascii=False) + "\n")
            write_whole(output, text.getvalue())
        case ".csv":
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(["id", "resume", "redactions", "warnings"])
            for one in resumes:
                cells = (one.id, one.redacted.text, json.dumps(one.redacted.counts), " ".join(one.warnings))
                writer.writerow(map(spreadsheet_safe, cells))
            write_whole(output, text.getvalue())
        case _:
            for identity in (one.id for one in resumes):
                if Path(identity).name != identity or identity in ("", ".", ".."):
                    raise TableError(f"{output}: an id is no file name; write a .jsonl or .csv file instead")
            try:
                output.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise TableError(f"{output} cannot be made: {error.strerror}") from None
            for one in resumes:
                write_whole(output / f"{one.id}.txt", one.redacted.text + "\n")
