"""Records of a job's results as CSV, and the record that says that more may come."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from service.core.spreadsheets import spreadsheet_safe
from service.files.result_files import requirements_in_words
from service.jobs.job_store import Job

_COLUMNS = (
    "line",
    "candidate_id",
    "job_id",
    "job_index",
    "decision_id",
    "raw_score",
    "calibrated_probability",
    "decision",
    "borderline",
    "language",
    "warnings",
    "redactions",
    "file",
    "document_type",
    "document_pages",
    "document_warnings",
    "cohort_percentile",
)
_OF_REQUIREMENTS = ("reason", "requirements")
_CALLERS = ("candidate_id", "job_id", "file")
PARTIAL = "partial"


def trailing_record(job: Job) -> str:
    """A line of JSON that is no result: how far the job was."""
    counts = {"completed": job.completed, "failed": job.failed, "total": job.total}
    return json.dumps({PARTIAL: True, "status": job.status, **counts}, separators=(",", ":")) + "\n"


class CsvRecords:
    """Lines of JSON to records of CSV. What a caller gave is made safe for spreadsheets."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._columns = (*_COLUMNS, *_OF_REQUIREMENTS) if job.lists_requirements else _COLUMNS

    @property
    def header(self) -> str:
        return ",".join(self._columns) + "\r\n"

    @property
    def trailer(self) -> str:
        """A last record: `partial` in the place of a line, and the status in that of an id."""
        return ",".join([PARTIAL, self._job.status, *[""] * (len(self._columns) - 2)]) + "\r\n"

    def part(self, lines: Sequence[str]) -> str:
        """The records of one part."""
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerows(self._cells(json.loads(line)) for line in lines)
        return out.getvalue()

    def _cells(self, record: dict[str, Any]) -> list[object]:
        document = record.get("document") or {}
        flat = {
            **record,
            "borderline": "true" if record["borderline"] else "false",
            "warnings": " ".join(record["warnings"]),
            "redactions": json.dumps(record["redactions"], separators=(",", ":")),
            "document_type": document.get("type"),
            "document_pages": document.get("pages"),
            "document_warnings": " ".join(document.get("warnings", ())),
            "requirements": " ".join(requirements_in_words(record.get("requirements") or ())),
        }
        return [
            spreadsheet_safe(flat[name])
            if name in _CALLERS and flat.get(name) is not None
            else flat.get(name)
            for name in self._columns
        ]
