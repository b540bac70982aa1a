"""Uploaded documents and ZIP files -> rows: each file finds the candidates that name it, or is one itself.

A candidate that is only a file gets an id by its place and its job, `file-17-3f9a1c02`: names of files are
people's names, and an id stands in the decision log, where the seventeenth files of two jobs must not be one
person. The results, which are sealed, have the name beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from service.core.errors import DocumentTooLargeError, InputError, StoreUnavailableError, UploadError
from service.files.documents.archives import ArchiveLimits, RefusedMember, is_archive, is_zip, unpacked
from service.jobs.rows import MAX_FILE_NAME_CHARACTERS, DocumentFile, Fault, Posting, Row
from service.jobs.sealed_files import SealedFile

_MAGIC_BYTES = 4
_JOB_CHARACTERS = 8


class DocumentUpload:
    """`postings` and `rows` are those of the request, which may name files that come later.

    `job_id`: of the job that it becomes. `folder`: where a ZIP file lies, sealed, until it is read. Call its
    methods in a thread, in turn.
    """

    def __init__(
        self,
        postings: Sequence[Posting],
        rows: Sequence[Row],
        archives: ArchiveLimits,
        max_file_bytes: int,
        folder: Path,
        job_id: str,
    ) -> None:
        self.postings = list(postings)
        self._archives = archives
        self._max_file_bytes = max_file_bytes
        self._folder = folder
        self._job = job_id[:_JOB_CHARACTERS]
        self._waiting: dict[str, list[Row]] = defaultdict(list)
        self._ready: list[Row] = []
        self._only_files = not rows
        self._files = 0
        self._unpacked = 0
        self._name = ""
        self._content = bytearray()
        self._archive: SealedFile | None = None
        self._too_large = False
        self.add_rows(rows)

    def add_rows(self, rows: Sequence[Row]) -> None:
        """More rows, of a table that came beside the files."""
        self._only_files &= not rows
        for row in rows:
            if row.fault is None and row.file is not None and row.file.content is None:
                self._waiting[row.file.name].append(row)
            else:
                self._ready.append(row)

    def take(self) -> list[Row]:
        """The rows that are complete."""
        ready, self._ready = self._ready, []
        return ready

    def begin(self, name: str) -> None:
        """A file begins."""
        self._name = name[-MAX_FILE_NAME_CHARACTERS:] or "file"
        self._content.clear()
        self._too_large = False

    def data(self, part: bytes) -> None:
        """Raises `StoreUnavailableError` if a ZIP file cannot be kept."""
        if self._archive is not None:
            self._append(part)
            return
        if self._too_large:
            return
        self._content += part
        if len(self._content) > self._max_file_bytes:
            if is_zip(bytes(self._content[:_MAGIC_BYTES])):
                self._to_archive()
            else:
                self._too_large = True
                self._content.clear()

    def end(self) -> Iterator[list[Row]]:
        """The file is complete: the rows that it makes, in parts. Raises as `unpacked`."""
        if self._too_large:
            self._arrived(DocumentFile(self._name, None), self._of_size())
            yield self.take()
            return
        if self._archive is None and is_zip(bytes(self._content[:_MAGIC_BYTES])):
            self._to_archive()
        if self._archive is None:
            self._arrived(DocumentFile(self._name, bytes(self._content)))
            self._content.clear()
            yield self.take()
            return
        yield from self._unpack(self._archive)

    def finish(self) -> list[Row]:
        """What still waits for a file has none."""
        missing = Fault("malformed_row", "the row names a file that was not uploaded", "file")
        self._ready += [replace(row, fault=missing) for rows in self._waiting.values() for row in rows]
        self._waiting.clear()
        return self.take()

    def close(self) -> None:
        """The upload is over, or broke off."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None

    def _unpack(self, file: SealedFile) -> Iterator[list[Row]]:
        file.finish()
        try:
            source = cast(BinaryIO, file)
            if not is_archive(source):
                self._document(file)
                yield self.take()
                return
            # Of all archives of one upload together.
            left = max(0, self._archives.max_archive_bytes - self._unpacked)
            limits = self._archives.model_copy(update={"max_archive_bytes": left})
            for one in unpacked(source, limits, field="file", max_member_bytes=self._max_file_bytes):
                name = _plain_name(one.name)
                if isinstance(one, RefusedMember):
                    self._arrived(DocumentFile(name, None), _fault_of(one.error))
                else:
                    self._unpacked += len(one.data)
                    self._arrived(DocumentFile(name, one.data))
                yield self.take()
        finally:
            self.close()

    def _document(self, file: SealedFile) -> None:
        """A ZIP file that is one document."""
        file.seek(0)
        content = file.read(self._max_file_bytes + 1) or b""
        if len(content) > self._max_file_bytes:
            self._arrived(DocumentFile(self._name, None), self._of_size())
        else:
            self._arrived(DocumentFile(self._name, content))

    def _of_size(self) -> Fault:
        message = f"the file has more than the limit of {self._max_file_bytes:,} bytes"
        return Fault(DocumentTooLargeError.code, message, "file")

    def _arrived(self, file: DocumentFile, fault: Fault | None = None) -> None:
        self._files += 1
        rows = self._waiting.pop(file.name, None)
        if rows is None:
            rows = self._waiting.pop(file.name.rpartition("/")[2], None)
        if rows is not None:
            self._ready += [replace(row, file=file, fault=fault) for row in rows]
        elif not self._of_posting(file) or fault is not None:
            self._ready.append(self._of_file(file, fault))

    def _of_posting(self, file: DocumentFile) -> bool:
        names = {file.name, file.name.rpartition("/")[2]}
        found = [
            i
            for i, one in enumerate(self.postings)
            if one.file is not None and one.file.content is None and one.file.name in names
        ]
        for i in found:
            self.postings[i] = replace(self.postings[i], file=file)
        return bool(found)

    def _of_file(self, file: DocumentFile, fault: Fault | None) -> Row:
        if self._only_files and not self.postings:
            raise UploadError("a posting is needed: `job` or `jobs` in the part `request`", field="job")
        if self._only_files:
            return Row(self._files, f"file-{self._files}-{self._job}", file=file, fault=fault)
        unnamed = Fault("malformed_row", "no candidate names this file", "file")
        return Row(self._files, file=DocumentFile(file.name, None), fault=fault or unnamed)

    def _to_archive(self) -> None:
        try:
            self._archive = SealedFile(self._folder)
        except OSError:
            raise StoreUnavailableError("the ZIP file cannot be kept: the disk takes nothing more") from None
        self._append(bytes(self._content))
        self._content.clear()

    def _append(self, part: bytes) -> None:
        assert self._archive is not None
        try:
            self._archive.append(part)
        except OSError:
            self.close()
            raise StoreUnavailableError("the ZIP file cannot be kept: the disk takes nothing more") from None


def _fault_of(error: InputError) -> Fault:
    return Fault(error.code, error.message.replace(error.field or "", "the file", 1), "file")


def _plain_name(name: str) -> str:
    """The path without what leads out of the archive, its last 255 characters."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[-MAX_FILE_NAME_CHARACTERS:] or "file"
