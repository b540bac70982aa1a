"""Redacted resumes to files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from service.core.errors import TableError
from service.core.redaction.redactor import Redacted
from service.core.resume_warnings import ResumeWarning
from service.files.document_texts import DocumentSummary
from service.files.writing import spreadsheet_safe, write_whole


@dataclass(frozen=True, slots=True)
class RedactedResume:
    """One resume without clues to the person, and what to check by eye."""

    id: str
    redacted: Redacted
    warnings: tuple[ResumeWarning, ...] = ()
    document: DocumentSummary | None = None


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
            files = [text_file_of(one.id, output) for one in resumes]
            for file, one in zip(files, resumes, strict=True):
                try:
                    file.parent.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise TableError(f"{file.parent} cannot be made: {error.strerror}") from None
                write_whole(file, one.redacted.text + "\n")


def text_file_of(identity: str, folder: Path) -> Path:
    """Where the redacted text of a resume goes: an id with slashes is a path within the folder.

    Raises `TableError` for an id that is no such path.
    """
    path = PurePosixPath(identity)
    parts = identity.split("/")
    if path.is_absolute() or "\\" in identity or not all(parts) or not {".", ".."}.isdisjoint(parts):
        raise TableError(f"{folder}: an id is no file name; write a .jsonl or .csv file instead")
    return folder / f"{identity}.txt"
