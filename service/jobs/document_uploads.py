"""Uploaded documents and ZIP files -> rows: each file finds the candidates that name it, or is one itself.

A candidate that is only a file gets an id by its place, `file-17`: file names are people's names, and an id
stands in the decision log. The results, which are sealed, have the name beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from service.core.errors import ArchiveError, UploadError
from service.jobs.archives import Archive, Entry, is_archive
from service.jobs.options import JobsOptions
from service.jobs.rows import MAX_FILE_NAME_CHARACTERS, DocumentFile, Fault, Posting, Row
from service.jobs.sealed_files import SealedFile

_MAGIC_BYTES = 4


class DocumentUpload:
    """`postings` and `rows` are those of the request, which may name files that come later.

    `folder`: where a ZIP file lies, sealed, until it is read. Call its methods in a thread, in turn.
    """

    def __init__(
        self, postings: Sequence[Posting], rows: Sequence[Row], options: JobsOptions, folder: Path
    ) -> None:
        self.postings = list(postings)
        self._options = options
        self._folder = folder
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
        """Raises `ArchiveError` if a ZIP file cannot be kept."""
        if self._archive is not None:
            self._append(part)
            return
        if self._too_large:
            return
        self._content += part
        if len(self._content) > self._options.max_file_bytes:
            if is_archive(bytes(self._content[:_MAGIC_BYTES])):
                self._to_archive()
            else:
                self._too_large = True
                self._content.clear()

    def end(self) -> Iterator[list[Row]]:
        """The file is complete: the rows that it makes, in parts. Raises `ArchiveError`."""
        if self._too_large:
            limit = self._options.max_file_bytes
            fault = Fault("malformed_row", f"the file has more than the limit of {limit:,} bytes", "file")
            self._arrived(Entry(self._name, None, fault))
            yield self.take()
            return
        if self._archive is None and is_archive(bytes(self._content[:_MAGIC_BYTES])):
            self._to_archive()
        if self._archive is None:
            self._arrived(Entry(self._name, bytes(self._content)))
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
            archive = Archive(
                file,
                max_files=self._options.max_rows,
                max_bytes=self._options.max_upload_bytes - self._unpacked,
                max_file_bytes=self._options.max_file_bytes,
            )
            if archive.is_document:
                yield from self._document(file)
                return
            for entry in archive.entries():
                self._unpacked += len(entry.content or b"")
                self._arrived(entry)
                yield self.take()
        finally:
            self.close()

    def _document(self, file: SealedFile) -> Iterator[list[Row]]:
        """A ZIP file that is one document."""
        file.seek(0)
        content = file.read(self._options.max_file_bytes + 1) or b""
        fault = None
        if len(content) > self._options.max_file_bytes:
            limit = self._options.max_file_bytes
            fault = Fault("malformed_row", f"the file has more than the limit of {limit:,} bytes", "file")
        self._arrived(Entry(self._name, None if fault else content, fault))
        yield self.take()

    def _arrived(self, entry: Entry) -> None:
        self._files += 1
        file = DocumentFile(entry.name, entry.content)
        rows = self._waiting.pop(entry.name, None)
        if rows is None:
            rows = self._waiting.pop(entry.name.rpartition("/")[2], None)
        if rows is not None:
            self._ready += [replace(row, file=file, fault=entry.fault) for row in rows]
        elif not self._of_posting(file) or entry.fault is not None:
            self._ready.append(self._of_file(file, entry.fault))

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
            return Row(self._files, f"file-{self._files}", file=file, fault=fault)
        unnamed = Fault("malformed_row", "no candidate names this file", "file")
        return Row(self._files, file=DocumentFile(file.name, None), fault=fault or unnamed)

    def _to_archive(self) -> None:
        try:
            self._archive = SealedFile(self._folder)
        except OSError:
            raise ArchiveError("the ZIP file cannot be kept: the disk takes nothing more") from None
        self._append(bytes(self._content))
        self._content.clear()

    def _append(self, part: bytes) -> None:
        assert self._archive is not None
        try:
            self._archive.append(part)
        except OSError:
            self.close()
            raise ArchiveError("the ZIP file cannot be kept: the disk takes nothing more") from None
