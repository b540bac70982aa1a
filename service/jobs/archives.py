"""The documents of a ZIP file, one after the other, within limits of files and of unpacked bytes.

Nothing is ever unpacked to disk, so a path in the archive is only a name. What one entry says of itself is
not believed: its bytes are counted as they come.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from service.core.errors import ArchiveError, RowError
from service.jobs.rows import MAX_FILE_NAME_CHARACTERS, Fault
from service.jobs.sealed_files import SealedFile

_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_ENCRYPTED = 1
_READ = 256 * 1024
_WORST_RATIO = 200
"""Unpacked to packed bytes: a page of XML comes to 30, an archive made to burst to 1,000."""

_RATIO_FROM_BYTES = 2**20
_OFFICE = ("[Content_Types].xml", "mimetype")
"""Entries of Word's and LibreOffice's documents, which are ZIP files, too."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive, or what is wrong with it."""

    name: str
    content: bytes | None
    fault: Fault | None = None


def is_archive(content: bytes) -> bool:
    """Whether the beginning of a file is that of a ZIP file."""
    return content.startswith((_ZIP, _EMPTY_ZIP))


class Archive:
    """`max_files`, `max_bytes`: of all entries. `max_file_bytes`: of one, and more is its fault alone."""

    def __init__(self, file: SealedFile, *, max_files: int, max_bytes: int, max_file_bytes: int) -> None:
        """Raises `ArchiveError` for a damaged file, or one of too many entries."""
        self._max_bytes = max_bytes
        self._max_file_bytes = max_file_bytes
        try:
            self._zip = zipfile.ZipFile(cast(BinaryIO, file))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            raise ArchiveError("the ZIP file is damaged", field="files") from None
        self._entries = [one for one in self._zip.infolist() if not one.is_dir() and not _is_litter(one)]
        if len(self._entries) > max_files:
            raise ArchiveError(
                f"the ZIP file has {len(self._entries):,} files; the limit is {max_files:,}",
                field="files",
                limit=max_files,
                actual=len(self._entries),
            )

    @property
    def is_document(self) -> bool:
        """Whether it is a document of Word or LibreOffice, and no archive of documents."""
        return any(one.filename in _OFFICE for one in self._entries)

    def entries(self) -> Iterator[Entry]:
        """In their order. Raises `ArchiveError` if all of them unpack to too much."""
        total = 0
        for one in self._entries:
            name = _plain_name(one.filename)
            try:
                content = self._read(one, total)
            except RowError as error:
                yield Entry(name, None, Fault.of(error))
                continue
            total += len(content)
            yield Entry(name, content)

    def _read(self, entry: zipfile.ZipInfo, before: int) -> bytes:
        if entry.flag_bits & _ENCRYPTED:
            raise RowError("the file is encrypted in its ZIP file", field="file")
        content = bytearray()
        try:
            with self._zip.open(entry) as stream:
                while part := stream.read(_READ):
                    content += part
                    self._check(entry, len(content), before)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
            raise RowError("the file cannot be unpacked from its ZIP file", field="file") from None
        if is_archive(bytes(content[:4])) and not _is_office(bytes(content)):
            raise RowError("the file is a ZIP file inside a ZIP file", field="file")
        return bytes(content)

    def _check(self, entry: zipfile.ZipInfo, size: int, before: int) -> None:
        if before + size > self._max_bytes:
            raise ArchiveError(
                f"the ZIP file unpacks to more than {self._max_bytes:,} bytes",
                field="files",
                limit=self._max_bytes,
                actual=before + size,
            )
        if size > self._max_file_bytes:
            raise _too_large(size, self._max_file_bytes)
        if size > _RATIO_FROM_BYTES and size > _WORST_RATIO * max(1, entry.compress_size):
            raise RowError("the file unpacks to hundreds of times its size", field="file")


def _too_large(size: int, limit: int) -> RowError:
    return RowError(
        f"the file has {size:,} bytes or more; the limit is {limit:,}", field="file", limit=limit, actual=size
    )


def _is_litter(entry: zipfile.ZipInfo) -> bool:
    """What operating systems put beside people's files."""
    parts = entry.filename.replace("\\", "/").split("/")
    return parts[0] == "__MACOSX" or parts[-1].startswith(("._", ".DS_Store")) or parts[-1] == "Thumbs.db"


def _is_office(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as inner:
            return any(name in _OFFICE for name in inner.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False


def _plain_name(name: str) -> str:
    """The path without what leads out of the archive, its last 255 characters."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[-MAX_FILE_NAME_CHARACTERS:] or "file"
