"""ZIP archives of documents, unpacked one file at a time in memory, within limits.

Names of files are ids only: nothing is ever written under them.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, Field

from service.core.errors import (
    ArchiveError,
    ArchiveTooLargeError,
    CompressionRatioError,
    EncryptedArchiveError,
    NestedArchiveError,
    UnsafePathError,
)

_ENCRYPTED = 0x1
_SYMBOLIC_LINK = 0o120000
_CHUNK = 1 << 18
_RATIO_FROM = 1 << 20
"""Bytes below which a file may shrink as much as it likes: a page of blanks does."""

_DRIVE = re.compile(r"[A-Za-z]:")
_NOISE = re.compile(r"(?:^|/)(?:__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")
"""What operating systems put into archives beside people's files."""

_NESTED = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"(\xb5/\xfd")
_ZIP = b"PK\x03\x04"
_ZIP_EMPTY = b"PK\x05\x06"
_DOCUMENT_PARTS = frozenset({"[Content_Types].xml", "mimetype"})


class ArchiveLimits(BaseModel):
    """How much one archive may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_archive_files: int = Field(100_000, ge=1, le=1_000_000, description="Most files in one ZIP archive.")
    max_archive_bytes: int = Field(
        2 * 2**30, ge=1_024, le=2**40, description="Most bytes that all files of one ZIP archive unpack to."
    )
    max_compression_ratio: float = Field(
        200.0, gt=1, description="Most times its packed size that a file of a ZIP archive unpacks to."
    )


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive. `number`: its place among the files, from 1."""

    name: str
    number: int
    data: bytes

    def __repr__(self) -> str:
        return f"Member(number={self.number}, bytes={len(self.data)})"  # names of files are often people's


@dataclass(frozen=True, slots=True)
class RefusedMember:
    """A file of an archive that is not unpacked, and why. The others are."""

    name: str
    number: int
    error: ArchiveError

    def __repr__(self) -> str:
        return f"RefusedMember(number={self.number}, code={self.error.code})"


def is_zip(start: bytes) -> bool:
    """True for the first bytes of a ZIP file: an archive, or a document in such a container."""
    return start.startswith((_ZIP, _ZIP_EMPTY))


def is_archive(source: bytes | BinaryIO) -> bool:
    """True for a ZIP archive that is no document (DOCX, ODT and others are containers of the same kind)."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    start = stream.read(len(_ZIP))
    stream.seek(0)
    if not is_zip(start):
        return False
    try:
        with zipfile.ZipFile(stream) as archive:
            return _DOCUMENT_PARTS.isdisjoint(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, EOFError):
        return True


def names_in(source: bytes | BinaryIO, limits: ArchiveLimits, *, field: str) -> list[str]:
    """The names of the files that `unpacked` gives, in its order; nothing is unpacked. Raises as it does."""
    with _opened(source, field) as archive:
        return [info.filename for info in _files(archive, limits, field)]


def unpacked(
    source: bytes | BinaryIO, limits: ArchiveLimits, *, field: str, max_member_bytes: int
) -> Iterator[Member | RefusedMember]:
    """The files of an archive in its order, one in memory at a time, without folders and what systems add.

    `max_member_bytes`: most that one of them unpacks to, the limit of documents.

    What is wrong with one file comes as a `RefusedMember`: `NestedArchiveError`, `UnsafePathError`,
    `EncryptedArchiveError`, `CompressionRatioError` and `ArchiveTooLargeError` (of this file),
    `ArchiveError` (it is damaged, or a link). Raises `ArchiveError` if the archive cannot be opened, and
    `ArchiveTooLargeError` if it has too many files, or as soon as they have unpacked to too much together.
    Errors name `field` and the file's number, never its name.
    """
    with _opened(source, field) as archive:
        total = 0
        for number, info in enumerate(_files(archive, limits, field), 1):
            where = f"{field}[{number}]"
            try:
                data = _unpack(
                    archive, info, limits, where, max_member_bytes, limits.max_archive_bytes - total
                )
            except _TotalError:
                raise ArchiveTooLargeError(
                    f"{field} unpacks to more than {limits.max_archive_bytes:,} bytes",
                    field=field,
                    limit=limits.max_archive_bytes,
                    actual=limits.max_archive_bytes + 1,
                ) from None
            except ArchiveError as error:
                yield RefusedMember(info.filename, number, error)
                continue
            total += len(data)
            yield Member(info.filename, number, data)


def _opened(source: bytes | BinaryIO, field: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError):
        raise ArchiveError(f"{field} is damaged: it cannot be opened as a ZIP archive", field=field) from None


def _files(archive: zipfile.ZipFile, limits: ArchiveLimits, field: str) -> list[zipfile.ZipInfo]:
    # Not `is_dir`, which fails where a name is empty.
    infos = [
        info
        for info in archive.infolist()
        if not info.filename.endswith("/") and not _NOISE.search(info.filename)
    ]
    if len(infos) > limits.max_archive_files:
        raise ArchiveTooLargeError(
            f"{field} holds {len(infos):,} files; the limit is {limits.max_archive_files:,}",
            field=field,
            limit=limits.max_archive_files,
            actual=len(infos),
        )
    return infos


class _TotalError(Exception):
    """All files together are too large."""


def _unpack(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: ArchiveLimits, where: str, most: int, left: int
) -> bytes:
    _check_path(info, where)
    if info.flag_bits & _ENCRYPTED:
        raise EncryptedArchiveError(f"{where} is encrypted: it asks for a password", field=where)
    # Sizes that the archive tells may be wrong: what comes out is counted.
    chunks: list[bytes] = []
    size = 0
    try:
        with archive.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise ArchiveTooLargeError(
                        f"{where} unpacks to more than {most:,} bytes",
                        field=where,
                        limit=most,
                        actual=size,
                    )
                ratio = size / max(1, info.compress_size)
                if size > _RATIO_FROM and ratio > limits.max_compression_ratio:
                    raise CompressionRatioError(
                        f"{where} unpacks to over {limits.max_compression_ratio:g} times its packed size",
                        field=where,
                        limit=round(limits.max_compression_ratio),
                        actual=round(ratio),
                    )
                if size > left:
                    raise _TotalError
                chunks.append(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise ArchiveError(
            f"{where} is damaged and cannot be unpacked ({type(error).__name__})", field=where
        ) from None
    except RuntimeError:  # what zipfile says of a password
        raise EncryptedArchiveError(f"{where} is encrypted: it asks for a password", field=where) from None
    data = b"".join(chunks)
    if data.startswith(_NESTED) or is_archive(data):
        raise NestedArchiveError(f"{where} is an archive within the archive; unpack it first", field=where)
    return data


def _check_path(info: zipfile.ZipInfo, where: str) -> None:
    # zipfile turns backslashes into slashes on Windows only, and cuts names at a null character.
    path = info.orig_filename.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path) or ".." in PurePosixPath(path).parts or "\0" in path:
        raise UnsafePathError(f"{where} has a name that leads out of the archive", field=where)
    if not path:
        raise ArchiveError(f"{where} is damaged: it has no name", field=where)
    if (info.external_attr >> 16) & 0o170000 == _SYMBOLIC_LINK:
        raise UnsafePathError(f"{where} is a link and no file", field=where)
