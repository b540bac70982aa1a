"""Redacted resumes to files."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from service.core.errors import TableError
from service.core.parquet import import_pyarrow
from service.core.redaction.redactor import Redacted
from service.core.resume_warnings import ResumeWarning
from service.core.spreadsheets import csv_record, spreadsheet_safe
from service.files.document_texts import DocumentSummary
from service.files.writing import write_whole, written_whole

TABLES = (".jsonl", ".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class RedactedResume:
    """One resume without clues to the person, and what to check by eye."""

    id: str
    redacted: Redacted
    warnings: tuple[ResumeWarning, ...] = ()
    document: DocumentSummary | None = None


def write_redacted(resumes: Sequence[RedactedResume], output: Path) -> None:
    """Write a .jsonl, .csv or .parquet file (id, resume, redactions, warnings), or id.txt into a folder.

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
            text.write(csv_record(("id", "resume", "redactions", "warnings")))
            for one in resumes:
                cells = (
                    spreadsheet_safe(one.id),
                    spreadsheet_safe(one.redacted.text, lines=False),
                    json.dumps(one.redacted.counts),
                    " ".join(one.warnings),
                )
                text.write(csv_record(cells))
            write_whole(output, text.getvalue())
        case ".parquet":
            _write_parquet(resumes, output)
        case _:
            files = [text_file_of(one.id, output) for one in resumes]
            for file, one in zip(files, resumes, strict=True):
                try:
                    file.parent.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise TableError(f"{file.parent} cannot be made: {error.strerror}") from None
                write_whole(file, one.redacted.text + "\n")


def check_targets(ids: Sequence[str], output: Path, inputs: Iterable[Path]) -> None:
    """Raise `TableError` if writing the redacted resumes would replace a file that they come from."""
    targets = [output] if output.suffix.lower() in TABLES else [text_file_of(one, output) for one in ids]
    known = {path.resolve() for path in inputs}
    for target in targets:
        if target.resolve() in known:
            raise TableError(f"{target} is a file of resumes, which the output would replace")


def _write_parquet(resumes: Sequence[RedactedResume], output: Path) -> None:
    pyarrow = import_pyarrow(output, "writing")
    rows = [
        {
            "id": one.id,
            "resume": one.redacted.text,
            "redactions": json.dumps(one.redacted.counts),
            "warnings": list(one.warnings),
        }
        for one in resumes
    ]
    text = pyarrow.string()
    types = {"id": text, "resume": text, "redactions": text, "warnings": pyarrow.list_(text)}
    with written_whole(output) as stream:
        table = pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(list(types.items())))
        pyarrow.parquet.write_table(table, stream)


def text_file_of(identity: str, folder: Path) -> Path:
    """Where the redacted text of a resume goes: an id with slashes is a path within the folder.

    Raises `TableError` for an id that is no such path.
    """
    path = PurePosixPath(identity)
    parts = identity.split("/")
    if path.is_absolute() or "\\" in identity or not all(parts) or not {".", ".."}.isdisjoint(parts):
        raise TableError(f"{folder}: an id is no file name; write a .jsonl or .csv file instead")
    return folder / f"{identity}.txt"
