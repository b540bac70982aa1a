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

from service.core.documents import decode
from service.core.errors import DuplicateIdError, TableError
from service.core.files import write_private
from service.core.language import is_foreign
from service.core.matching import Match, ReadResume
from service.core.redaction.redactor import Redacted
from service.core.tables import SUFFIXES, Column, read_cells

_UNWRITABLE = re.compile(r"[\x00\ud800-\udfff]")
"""What no file and no file name can hold."""


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
    def notes(self) -> list[str]:
        """Why a person should look twice."""
        notes = {
            "borderline": self.match.borderline,
            "non-Latin script": self.read.document.non_latin_script,
            f"language {self.read.language}": is_foreign(self.read.language),
            "not redacted": self.read.redactions is None,
        }
        return [note for note, holds in notes.items() if holds]

    def record(self, rank: int) -> dict[str, str | int | float | bool]:
        """One row of a result file; never the resume."""
        return {
            "rank": rank,
            "candidate_id": self.candidate_id,
            "raw_score": self.match.raw_score,
            "calibrated_probability": self.match.calibrated_probability,
            "decision": self.decision,
            "borderline": self.match.borderline,
            "redacted": self.read.redactions is not None,
            "language": self.read.language,
            "non_latin_script": self.read.document.non_latin_script,
        }


def read_job(file: Path) -> str:
    """The text of a job file. Raises `TableError` if unreadable, `UndecodableTextError` if not UTF-8."""
    return _read(file)


def read_resumes(files: Sequence[Path], *, id_column: str, text_column: str) -> list[ResumeFile]:
    """Resumes from text files (the id is the file's name without suffix) or from one .csv or .jsonl file.

    Raises `TableError` for unreadable files and missing columns, `DuplicateIdError` for an id that
    stands twice, `UndecodableTextError` for bytes that are not UTF-8.
    """
    tables = [file for file in files if file.suffix.lower() in SUFFIXES]
    if tables and len(files) > 1:
        raise TableError(f"{tables[0]} is a table: give it alone, not with {len(files) - 1} other files")
    if tables:
        columns = (Column(id_column, "--id-column"), Column(text_column, "--text-column"))
        resumes = list(_from_table(tables[0], columns))
        if not resumes:
            raise TableError(f"{tables[0]} holds no resumes")
    else:
        resumes = [ResumeFile(_written(file.stem), _read(file), _written(str(file))) for file in files]
    _check_unique(resumes)
    return resumes


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
            {key: spreadsheet_safe(value) for key, value in record.items()} for record in records
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


def _from_table(file: Path, columns: Sequence[Column]) -> Iterator[ResumeFile]:
    identity_column, text_column = (column.name for column in columns)
    with closing(read_cells(file, columns)) as rows:
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


def _read(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror}") from None
    return decode(data, field=str(file))


def write_redacted(ids: Sequence[str], redacted: Sequence[Redacted], output: Path) -> None:
    """Write to a .jsonl or .csv file (id, resume, redactions), or as id.txt into the folder `output`.

    Raises `TableError` if a file cannot be written, or an id is no file name.
    """
    text = io.StringIO(newline="")
    match output.suffix.lower():
        case ".jsonl":
            for identity, one in zip(ids, redacted, strict=True):
                record = {"id": identity, "resume": one.text, "redactions": one.counts}
                text.write(json.dumps(record, ensure_ascii=False) + "\n")
            write_whole(output, text.getvalue())
        case ".csv":
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(["id", "resume", "redactions"])
            for identity, one in zip(ids, redacted, strict=True):
                writer.writerow(
                    [spreadsheet_safe(identity), spreadsheet_safe(one.text), json.dumps(one.counts)]
                )
            write_whole(output, text.getvalue())
        case _:
            for identity in ids:
                if Path(identity).name != identity or identity in ("", ".", ".."):
                    raise TableError(f"{output}: an id is no file name; write a .jsonl or .csv file instead")
            try:
                output.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise TableError(f"{output} cannot be made: {error.strerror}") from None
            for identity, one in zip(ids, redacted, strict=True):
                write_whole(output / f"{identity}.txt", one.text + "\n")
