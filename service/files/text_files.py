"""Text files as people have them: in UTF-8, in UTF-16 with its mark; and what is no text, by its name."""

from __future__ import annotations

import codecs
from pathlib import Path

from service.core.errors import NotTextError, TableError, UndecodableTextError

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF"),
    (b"{\\rtf", "RTF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Word or Excel file"),
    (b"\x89PNG\r\n\x1a\n", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF87a", "an image (GIF)"),
    (b"GIF89a", "an image (GIF)"),
    (b"II*\0", "an image (TIFF)"),
    (b"MM\0*", "an image (TIFF)"),
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7z)"),
    (b"Rar!\x1a\x07", "an archive (RAR)"),
)
_ZIP = b"PK\x03\x04"
_IN_ZIP: tuple[tuple[bytes, str], ...] = (
    (b"word/", "a Word document (DOCX)"),
    (b"xl/", "an Excel workbook (XLSX)"),
    (b"application/vnd.oasis.opendocument", "an OpenDocument file"),
)
_HOW: dict[str, str] = {
    "a PDF": "extract its text first, for instance with pdftotext",
    "RTF": "save it as plain text first",
    "an image": "read its text first (OCR)",
    "compressed": "unpack it first",
    "an archive": "unpack it first",
    "an Excel": "save it as CSV first",
}
UTF8_WITH_MARK = "utf-8-sig"
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, UTF8_WITH_MARK),
)
HINT = "; if it comes from Windows, say --encoding cp1252"
_MOST_NULLS = 0.1
"""Share of null bytes above which UTF-8 is out of the question: it is UTF-16 without a mark, or no text."""


def read_text(file: Path, encoding: str | None = None) -> str:
    """The text of a file, in UTF-8 unless a byte-order mark or `encoding` says otherwise.

    Raises `TableError` if it cannot be read, `NotTextError` for a PDF, an image and the like, and
    `UndecodableTextError` with a hint if its bytes are of another encoding.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror}") from None
    return decoded(data, str(file), encoding)


def decoded(data: bytes, name: str, encoding: str | None = None) -> str:
    """As `read_text`, of what the file `name` holds."""
    kind = kind_of(data)
    if kind is not None:
        raise NotTextError(f"{name} is {kind}; {_how(kind)}")
    encoding = encoding_of_mark(data) or encoding
    if encoding is None and data.count(0) > _MOST_NULLS * len(data):
        raise UndecodableTextError(
            f"{name} is not UTF-8: it holds null bytes; if it is UTF-16, say --encoding utf-16-le"
        )
    try:
        return data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        where = f"invalid byte at offset {error.start:,} of {len(data):,}"
    if encoding not in (None, UTF8_WITH_MARK):
        raise UndecodableTextError(f"{name} is not {encoding}: {where}")
    raise UndecodableTextError(f"{name} is not UTF-8: {where}{HINT}")


def kind_of(data: bytes) -> str | None:
    """What a file is that is no text, in words."""
    if data.startswith(_ZIP):
        return next((kind for part, kind in _IN_ZIP if part in data), "a ZIP archive")
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "an image (WebP)"
    return (
        "a PDF" if b"%PDF-" in data[:1024] and b"endobj" in data else None
    )  # what stands before may be junk


def encoding_of_mark(data: bytes) -> str | None:
    """The encoding that a byte-order mark tells."""
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def _how(kind: str) -> str:
    return next((how for start, how in _HOW.items() if kind.startswith(start)), "save it as plain text first")
