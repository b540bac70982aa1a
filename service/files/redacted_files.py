"""Redacted resumes to files; each file appears whole or not at all."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from service.core.errors import TableError
from service.core.redaction.redactor import Redacted
from service.files.resume_files import spreadsheet_safe, write_whole


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
