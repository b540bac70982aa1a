"""A job as `multipart/form-data`: first the part `request`, then `candidates` (a table) and `files`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from service.api.bodies import json_errors, parse
from service.api.multipart import MultipartReader, PartBegins, PartData
from service.api.schemas.score_jobs import ScoreJobRequest
from service.core.errors import UploadError, UploadTooLargeError
from service.core.group_reading import GroupReader
from service.files.documents.archives import ArchiveLimits
from service.jobs.document_uploads import DocumentUpload
from service.jobs.row_formats import CSV, CsvRows, JsonLines, RowFormat
from service.jobs.rows import Posting, Row, RowChecker
from service.jobs.uploads import Created, Upload

M = TypeVar("M", bound=BaseModel)

_REQUEST, _TABLE, _FILES = "request", "candidates", "files"

Begin = Callable[[ScoreJobRequest], tuple[Upload, list[Posting]]]


class JobForm:
    """Takes the parts as they arrive; call its methods in a thread, in turn. `begin`: makes the upload.

    `upload`: None before the part `request` is complete.
    """

    def __init__(
        self,
        reader: MultipartReader,
        begin: Begin,
        checker: RowChecker,
        archives: ArchiveLimits,
        groups: GroupReader,
        *,
        max_file_bytes: int,
        max_request_bytes: int,
        most_row_bytes: int,
        folder: Path,
    ) -> None:
        self.upload: Upload | None = None
        self._reader = reader
        self._begin = begin
        self._checker = checker
        self._archives = archives
        self._max_file_bytes = max_file_bytes
        self._groups = groups
        self._max_request_bytes = max_request_bytes
        self._most_row_bytes = most_row_bytes
        self._folder = folder
        self._part = ""
        self._request = bytearray()
        self._table: RowFormat | None = None
        self._documents: DocumentUpload | None = None

    def feed(self, part: bytes) -> None:
        """Raises what the parts are refused with, and what `Upload` raises."""
        for event in self._reader.feed(part):
            if isinstance(event, PartBegins):
                self._begins(event)
            elif isinstance(event, PartData):
                self._data(event.content)
            else:
                self._ends()

    def finish(self) -> Created:
        """Make the job."""
        self._reader.finish()
        upload, documents = self._begun()
        upload.add(documents.finish())
        return upload.commit(documents.postings)

    def close(self) -> None:
        """Whatever became of it."""
        if self._documents is not None:
            self._documents.close()

    def _begins(self, part: PartBegins) -> None:
        self._part = part.name
        if part.name == _REQUEST:
            if self.upload is not None:
                raise UploadError("the part `request` is there twice", field=_REQUEST)
            return
        _, documents = self._begun()
        if part.name == _FILES:
            documents.begin(part.filename)
        elif part.name == _TABLE:
            if part.media_type == CSV or part.filename.lower().endswith(".csv"):
                self._table = CsvRows(self._checker, self._groups, self._most_row_bytes)
            else:
                self._table = JsonLines(self._checker, self._most_row_bytes)
        else:
            raise UploadError(f"a part is none of {_REQUEST}, {_TABLE} and {_FILES}", field="body")

    def _data(self, content: bytes) -> None:
        if self._part == _REQUEST:
            self._request += content
            if len(self._request) > self._max_request_bytes:
                raise UploadTooLargeError(
                    f"the part `request` has {len(self._request):,} bytes or more; the limit is "
                    f"{self._max_request_bytes:,}",
                    limit=self._max_request_bytes,
                    actual=len(self._request),
                )
        elif self._part == _FILES:
            self._begun()[1].data(content)
        elif self._table is not None:
            self._add_rows(self._table.feed(content))

    def _ends(self) -> None:
        if self._part == _REQUEST:
            self._read_request()
        elif self._part == _FILES:
            upload, documents = self._begun()
            for rows in documents.end():
                upload.add(rows)
        elif self._table is not None:
            self._add_rows(self._table.finish())
            _, documents = self._begun()
            documents.postings += self._table.postings
            self._table = None

    def _read_request(self) -> None:
        with json_errors():
            given = parse(bytes(self._request))
        self._request.clear()
        body = validated(ScoreJobRequest, given)
        self.upload, postings = self._begin(body)
        rows = [self._checker.row(one, line) for line, one in enumerate(body.candidates, 1)]
        self._documents = DocumentUpload(
            postings, rows, self._archives, self._max_file_bytes, self._folder, self.upload.job_id
        )
        self.upload.add(self._documents.take())

    def _add_rows(self, rows: Sequence[Row]) -> None:
        upload, documents = self._begun()
        documents.add_rows(rows)
        upload.add(documents.take())

    def _begun(self) -> tuple[Upload, DocumentUpload]:
        if self.upload is None or self._documents is None:
            raise UploadError("the first part must be `request`", field=_REQUEST)
        return self.upload, self._documents


def validated(model: type[M], given: object) -> M:
    """Raises `RequestValidationError` as for a body that FastAPI reads."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        raise RequestValidationError(found) from None
