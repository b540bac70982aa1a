"""Bytes that should be text in an encoding that somebody named, and tables that are none, by their names."""

from __future__ import annotations

from pathlib import Path

from service.core.encodings import encoding_of_mark
from service.core.errors import NotTextError, TableError, UndecodableTextError
from service.core.tables import SUFFIXES

_START = 1 << 16
"""Bytes of a table that tell what it is."""

_ZIP = b"PK\x03\x04"
_WORKBOOKS: tuple[tuple[bytes, bytes, str], ...] = (
    (_ZIP, b"xl/", "an Excel workbook (XLSX)"),
    (_ZIP, b"opendocument.spreadsheet", "an OpenDocument spreadsheet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"W\0o\0r\0k\0b\0o\0o\0k", "an old Excel workbook (XLS)"),
)
_HOW_TO_SAVE = "in Excel: File, Save As, CSV UTF-8; in LibreOffice: File, Save As, Text CSV"
_WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")
_DOCUMENTS = (
    b"%PDF-",
    _ZIP,
    b"{\\rtf",
    b"\xd0\xcf\x11\xe0",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
)
"""Beginnings that no table has."""


def decoded(data: bytes, name: str, encoding: str) -> str:
    """The text of the file `name` in `encoding`, unless a byte-order mark says another.

    Raises `UndecodableTextError` if its bytes are of another encoding.
    """
    encoding = encoding_of_mark(data) or encoding
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        where = f"invalid byte at offset {error.start:,} of {len(data):,}"
    raise UndecodableTextError(f"{name} is not {encoding}: {where}")


def is_table(file: Path) -> bool:
    """Whether a file is a table, by its name and its beginning: a PDF by the name of a table is a document.

    Raises `NotTextError` for a workbook, which has to be saved as CSV, and `TableError` if it cannot be read.
    """
    suffix = file.suffix.lower()
    if suffix not in (*SUFFIXES, *_WORKBOOK_SUFFIXES) or not file.is_file():
        return suffix in SUFFIXES and not file.is_dir()
    try:
        with file.open("rb") as stream:
            start = stream.read(_START)
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror}") from None
    for beginning, part, kind in _WORKBOOKS:
        if start.startswith(beginning) and (part in start or suffix in _WORKBOOK_SUFFIXES):
            raise NotTextError(f"{file} is {kind}; save its sheet as CSV first ({_HOW_TO_SAVE})")
    return suffix in SUFFIXES and not start.startswith(_DOCUMENTS)
