"""JSON Lines and CSV as they arrive, in parts: rows in memory that does not grow with the upload.

What is wrong with one line is a fault of its row. What is wrong with all of it (the header of a CSV, a
posting for all candidates) raises.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from service.core.errors import InputError, RowError, UndecodableTextError, UploadError
from service.core.group_reading import GroupReader
from service.jobs.rows import Fault, Posting, Row, RowChecker

JSON_LINES = ("application/x-ndjson", "application/jsonl", "application/jsonlines", "application/ndjson")
CSV = "text/csv"
_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS = ",;\t"
_LONGEST_FIELD = 2**31 - 1
"""Resumes are longer than the csv module's default limit for one field."""

_POSTING_COLUMNS = {"job_id": "id", "job_title": "title", "job_description": "description"}


class RowFormat(Protocol):
    """`postings`: those for all candidates that were found so far."""

    postings: list[Posting]

    def feed(self, part: bytes) -> list[Row]:
        """The rows that are complete with this part. Raises an `InputError` if no row can be read."""

    def finish(self) -> list[Row]:
        """What is left when nothing more comes."""


class _Records:
    """Cuts bytes at the ends of lines; `quoted`: not at those inside quotes. Knows each record's line.

    A record of more than `most` bytes is None.
    """

    def __init__(self, most: int, *, quoted: bool) -> None:
        self._most = most
        self._quoted = quoted
        self._rest = bytearray()  # of the physical line that is not complete
        self._record = bytearray()  # earlier lines of a record that goes on
        self._inside = False
        self._too_long = False
        self._line = self._first = 1
        self._begun = False

    def feed(self, part: bytes) -> Iterator[tuple[int, bytes | None]]:
        if not self._begun and not self._rest and part.startswith(_OTHER_BOMS):
            raise UndecodableTextError("the upload is UTF-16; it must be UTF-8")
        # Only the new part is looked through: a line of 60 MB comes in hundreds of them.
        *ends, last = part.split(b"\n")
        for end in ends:
            self._rest += end + b"\n"
            line, self._rest = bytes(self._rest), bytearray()
            yield from self._add(line)
        self._rest += last
        if len(self._rest) > self._most:
            self._too_long = True
            if self._quoted and self._rest.count(b'"') % 2:
                self._inside = not self._inside
            self._rest.clear()

    def finish(self) -> Iterator[tuple[int, bytes | None]]:
        self._inside = False
        if self._rest or self._record or self._too_long:
            rest, self._rest = bytes(self._rest), bytearray()
            self._record += rest
            yield self._take()

    def _add(self, line: bytes) -> Iterator[tuple[int, bytes | None]]:
        if not self._begun:
            line, self._begun = line.removeprefix(_BOM), True
        if self._quoted and line.count(b'"') % 2:
            self._inside = not self._inside
        self._line += 1
        if len(self._record) + len(line) > self._most:
            self._too_long = True
            self._record.clear()
        else:
            self._record += line
        if not self._inside:
            yield self._take()

    def _take(self) -> tuple[int, bytes | None]:
        record = None if self._too_long else bytes(self._record)
        if not self._begun and record is not None:
            record, self._begun = record.removeprefix(_BOM), True
        first, self._first = self._first, self._line
        self._record.clear()
        self._too_long = False
        return first, record


class JsonLines:
    """An object a line. Lines with `job` alone, before all others, are postings for all candidates."""

    def __init__(self, checker: RowChecker, most_bytes: int) -> None:
        self.postings: list[Posting] = []
        self._checker = checker
        self._most_bytes = most_bytes
        self._records = _Records(most_bytes, quoted=False)
        self._rows = 0

    def feed(self, part: bytes) -> list[Row]:
        return [row for line, record in self._records.feed(part) if (row := self._row(line, record))]

    def finish(self) -> list[Row]:
        return [row for line, record in self._records.finish() if (row := self._row(line, record))]

    def _row(self, line: int, record: bytes | None) -> Row | None:
        if record is not None and not record.strip():
            return None
        try:
            given = json.loads(_decoded(record, self._most_bytes))
        except InputError as error:
            return self._counted(Row(line, fault=Fault.of(error)))
        except (ValueError, RecursionError):
            return self._counted(Row(line, fault=Fault("malformed_row", "the line is not JSON")))
        if isinstance(given, dict) and given.keys() == {"job"}:
            if self._rows:
                fault = Fault("malformed_row", "postings for all candidates stand before the first candidate")
                return self._counted(Row(line, fault=fault))
            try:
                self.postings.append(self._checker.posting(given["job"], "job"))
            except InputError as error:
                raise UploadError(f"line {line}: {error.message}", field=error.field) from None
            self._checker.has_postings = True
            return None
        return self._counted(self._checker.row(given, line))

    def _counted(self, row: Row) -> Row:
        self._rows += 1
        return row


class CsvRows:
    """A header, then a candidate a record: `id`, `resume`, groups by attribute, `job_...` for its posting.

    Separated by commas, semicolons or tabs, whichever the header has.
    """

    def __init__(self, checker: RowChecker, groups: GroupReader, most_bytes: int) -> None:
        csv.field_size_limit(_LONGEST_FIELD)
        self.postings: list[Posting] = []
        self._checker = checker
        self._groups = groups
        self._most_bytes = most_bytes
        self._records = _Records(most_bytes, quoted=True)
        self._header: list[str] = []
        self._separator = ","

    def feed(self, part: bytes) -> list[Row]:
        return [row for line, record in self._records.feed(part) if (row := self._row(line, record))]

    def finish(self) -> list[Row]:
        rows = [row for line, record in self._records.finish() if (row := self._row(line, record))]
        if not self._header:
            raise UploadError("the CSV is empty: not even a header is there")
        return rows

    def _row(self, line: int, record: bytes | None) -> Row | None:
        if record is not None and not record.strip():
            return None
        try:
            text = _decoded(record, self._most_bytes)
            if not self._header:
                self._read_header(text)
                return None
            cells = next(csv.reader(text.splitlines(keepends=True), delimiter=self._separator, strict=True))
        except InputError as error:
            if not self._header:
                raise
            return Row(line, fault=Fault.of(error))
        except csv.Error:
            return Row(line, fault=Fault("malformed_row", "the record is not CSV: a quote is not closed"))
        if len(cells) != len(self._header):
            message = f"the record has {len(cells)} cells; the header has {len(self._header)}"
            return Row(line, fault=Fault("malformed_row", message))
        row = self._checker.row(self._record(cells), line)
        return row if row.fault is None else replace(row, fault=self._of_column(row.fault))

    def _record(self, cells: list[str]) -> dict[str, object]:
        record: dict[str, object] = {}
        groups: dict[str, str] = {}
        posting: dict[str, str] = {}
        for name, cell in zip(self._header, cells, strict=True):
            if name in _POSTING_COLUMNS:
                if cell.strip():
                    posting[_POSTING_COLUMNS[name]] = cell
            elif self._groups.attribute(name) is not None:
                groups[name] = cell.strip()
            else:
                record[name] = cell
        if posting:
            record["job"] = posting
        if groups:
            record["groups"] = groups
        return record

    def _of_column(self, fault: Fault) -> Fault:
        """Fields by the names of their columns."""
        named = {f"job.{field}": column for column, field in _POSTING_COLUMNS.items()}
        return replace(fault, field=named.get(fault.field or "", fault.field))

    def _read_header(self, text: str) -> None:
        self._separator = max(_SEPARATORS, key=text.count)
        try:
            header = [name.strip() for name in next(csv.reader([text], delimiter=self._separator))]
        except (csv.Error, StopIteration):
            raise UploadError("the header is not CSV") from None
        known = {"id", "resume", *_POSTING_COLUMNS}
        for i, name in enumerate(header, 1):
            if name not in known and self._groups.attribute(name) is None:
                allowed = ", ".join(sorted({*known, *self._groups.attributes}))
                raise UploadError(f"column {i} of the header is none of {allowed}", field="header")
            if header.index(name) != i - 1:
                raise UploadError(f"column {i} of the header stands there twice", field="header")
        for needed in ("id", "resume"):
            if needed not in header:
                raise UploadError(f"the header has no column {needed}", field="header")
        if not self._checker.has_postings and "job_description" not in header:
            raise UploadError(
                "the header has no column job_description, and the job has no posting for all candidates",
                field="header",
            )
        self._header = header


def _decoded(record: bytes | None, most: int) -> str:
    if record is None:
        raise RowError(f"the row has more than {most:,} bytes", limit=most)
    try:
        return record.decode()
    except UnicodeDecodeError as error:
        raise UndecodableTextError(
            f"the row is not UTF-8: invalid byte at its offset {error.start:,}"
        ) from None
