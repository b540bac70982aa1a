"""What kind a document is, by its content and never by its name; and what is not read, in words."""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from typing import Literal, get_args

from service.core.encodings import encoding_of_mark, wide_encoding
from service.core.errors import (
    DamagedDocumentError,
    EncryptedDocumentError,
    NestedArchiveError,
    UnsupportedDocumentError,
)
from service.core.redaction.json_resume import is_json_resume

DocumentKind = Literal[
    "pdf",
    "docx",
    "odt",
    "rtf",
    "html",
    "markdown",
    "text",
    "json_resume",
    "europass_xml",
    "hr_open_xml",
]
DOCUMENT_KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)

_START = 65_536
_PDF_WITHIN = 1_024
"""As PDF readers do: what stands before `%PDF-` may be junk of a mail system."""

_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "an image (PNG); give the document itself, or a PDF of it"),
    (b"\xff\xd8\xff", "an image (JPEG); give the document itself, or a PDF of it"),
    (b"GIF8", "an image (GIF); give the document itself, or a PDF of it"),
    (b"II*\0", "an image (TIFF); give the document itself, or a PDF of it"),
    (b"MM\0*", "an image (TIFF); give the document itself, or a PDF of it"),
    (b"BM", "an image (BMP); give the document itself, or a PDF of it"),
    (b"\x1f\x8b", "compressed (gzip); unpack it first"),
    (b"BZh", "compressed (bzip2); unpack it first"),
    (b"\xfd7zXZ\0", "compressed (xz); unpack it first"),
    (b"(\xb5/\xfd", "compressed (Zstandard); unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7z); unpack it first"),
    (b"Rar!\x1a\x07", "an archive (RAR); unpack it first"),
    (b"%!PS", "PostScript; save it as PDF first"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3\0", "a database"),
    (b"ID3", "a sound"),
    (b"OggS", "a sound or film"),
    (b"\x1aE\xdf\xa3", "a film"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_ZIP_EMPTY = b"PK\x05\x06"
_MIME = {
    "application/vnd.oasis.opendocument.text": "",
    "application/vnd.oasis.opendocument.text-template": "",
    "application/vnd.oasis.opendocument.spreadsheet": "an OpenDocument spreadsheet; save it as text",
    "application/vnd.oasis.opendocument.presentation": "an OpenDocument presentation; save it as PDF",
    "application/epub+zip": "an e-book (EPUB); save it as PDF",
}
_MAIN_TYPE = re.compile(
    rb"application/(vnd\.openxmlformats-officedocument|vnd\.ms-word|vnd\.ms-excel|vnd\.ms-powerpoint)"
    rb"\.([\w.-]{1,100}?)\.main\+xml"
)
_MARKDOWN = (
    re.compile(r"^#{1,6} \S", re.MULTILINE),
    re.compile(r"(?<![*\w])\*\*[^\s*][^*\n]{0,200}\*\*"),
    re.compile(r"\[[^\]\n]{1,200}\]\((?:https?:|mailto:|#|\.|/)[^)\s]{0,500}\)"),
    re.compile(r"^(?:```|~~~)", re.MULTILINE),
    re.compile(r"^.{1,200}\n(?:={3,}|-{3,})[ ]*$", re.MULTILINE),
    re.compile(r"^\|(?: ?:?-{2,}:? ?\|){2,}", re.MULTILINE),
    re.compile(r"^> \S", re.MULTILINE),
)
_HTML = re.compile(r"<!doctype html|<html[\s>]|<(?:head|body)[\s>]", re.IGNORECASE)
_HTML_TAG = re.compile(r"</(?:p|div|span|td|li|h[1-6]|ul|table|section|a|b|strong)>", re.IGNORECASE)
_LEAST_TAGS = 3
_XML = re.compile(
    r"\s*(?:<\?xml|<!--|<!DOCTYPE (?!html)|<[a-z_][\w.-]{0,60}(?::[\w.-]{1,60})?[\s>])", re.IGNORECASE
)
_ROOT = re.compile(r"<(?![?!])(?:([\w.-]{1,60}):)?([\w.-]{1,100})(?P<attributes>[^>]{0,4000})>")
_EUROPASS_ROOTS = frozenset({"skillspassport", "learnerinfo", "europeancv", "europass-cv"})
_HR_OPEN_ROOTS = frozenset({"candidate", "candidates", "resume", "candidateprofile", "candidatelist"})
_RTF = re.compile(rb"\s*\{\\rt[f]?")


def kind_of_document(data: bytes) -> DocumentKind:
    """The kind of a document.

    Raises `UnsupportedDocumentError` that says in words what it is instead, `EncryptedDocumentError` for a
    Word file with a password, `DamagedDocumentError` for an empty file or a broken container,
    `NestedArchiveError` for a ZIP archive that is no document.
    """
    if not data:
        raise DamagedDocumentError("the document is empty: it has 0 bytes")
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    if data.startswith(_OLE):
        raise _of_ole(data)
    if data.startswith((_ZIP, _ZIP_EMPTY)):
        return _of_zip(data)
    if _RTF.match(data[:64]):
        return "rtf"
    for beginning, words in _REFUSED:
        if data.startswith(beginning) and not (len(beginning) <= 3 and _is_text(data)):
            raise UnsupportedDocumentError(f"the document is {words}")
    if data[:4] == b"RIFF" or data[4:8] == b"ftyp":
        raise UnsupportedDocumentError("the document is an image, a sound or a film")
    if not _is_text(data):
        raise UnsupportedDocumentError(
            "the document is no kind that is known, and no text: it holds null bytes or control characters"
        )
    return _of_text(data)


def _of_ole(data: bytes) -> UnsupportedDocumentError | EncryptedDocumentError:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return EncryptedDocumentError("the document is encrypted: it asks for a password")
    if "WordDocument".encode("utf-16-le") in data:
        return UnsupportedDocumentError("the document is an old Word file (DOC); save it as DOCX or PDF")
    return UnsupportedDocumentError("the document is an old Office file (such as XLS or MSG); save it as PDF")


def _of_zip(data: bytes) -> DocumentKind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "[Content_Types].xml" in names:
                return _of_office(_read(archive, "[Content_Types].xml"), names)
            if "mimetype" in names:
                mime = _read(archive, "mimetype")[:200].decode("ascii", "replace").strip()
                if words := _MIME.get(mime, "" if mime in _MIME else "a container that is not read"):
                    raise UnsupportedDocumentError(f"the document is {words}")
                return "odt"
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise DamagedDocumentError(
            f"the document is damaged: its ZIP container cannot be opened ({type(error).__name__})"
        ) from None
    except RuntimeError:  # what zipfile says of a password
        raise EncryptedDocumentError("the document is encrypted: it asks for a password") from None
    if any(name.endswith(".pages") or name.startswith("Index/") for name in names):
        raise UnsupportedDocumentError("the document is a Pages file; save it as DOCX or PDF")
    raise NestedArchiveError("the document is a ZIP archive and no document; give what is in it")


def _of_office(types: bytes, names: set[str]) -> DocumentKind:
    match = _MAIN_TYPE.search(types)
    kind = match[2].decode("ascii").lower() if match else ""
    if kind.startswith("wordprocessingml"):
        if "macroenabled" in kind:
            raise _with_macros()
        return "docx"
    if "macroenabled" in kind and match is not None and match[1] == b"vnd.ms-word":
        raise _with_macros()
    if kind.startswith("spreadsheetml") or (match and match[1] == b"vnd.ms-excel"):
        raise UnsupportedDocumentError("the document is an Excel workbook (XLSX); save it as DOCX or PDF")
    if kind.startswith("presentationml") or (match and match[1] == b"vnd.ms-powerpoint"):
        raise UnsupportedDocumentError("the document is a PowerPoint presentation (PPTX); save it as PDF")
    if "word/document.xml" in names:
        return "docx"
    raise UnsupportedDocumentError(
        "the document is an Office file of a kind that is not read; save it as PDF"
    )


def _with_macros() -> UnsupportedDocumentError:
    return UnsupportedDocumentError(
        "the document is a Word file with macros (DOCM), which is not opened; save it as DOCX or PDF"
    )


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        return part.read(_START)


def _is_text(data: bytes) -> bool:
    """No null bytes but those of UTF-16 and UTF-32, hardly any control characters."""
    start = data[:_START]
    if encoding_of_mark(start) is not None or wide_encoding(start) is not None:
        return True
    if 0 in start:
        return False
    controls = len(start) - len(start.translate(None, _CONTROLS))
    return controls <= len(start) // 100


_CONTROLS = bytes(set(range(32)) - {8, 9, 10, 11, 12, 13, 26, 27})


def _of_text(data: bytes) -> DocumentKind:
    start = data[:_START]
    encoding = encoding_of_mark(start) or wide_encoding(start) or "utf-8"
    text = start.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("{"):
        return "json_resume" if _is_json_resume(data, encoding) else "text"
    if text.startswith("<"):
        kind = kind_of_markup(text)
        if kind is not None:
            return kind
    if _HTML.search(text[:2_000]) or sum(1 for _ in _HTML_TAG.finditer(text)) >= _LEAST_TAGS:
        return "html"
    return "markdown" if sum(pattern.search(text) is not None for pattern in _MARKDOWN) >= 2 else "text"


def kind_of_markup(text: str) -> DocumentKind | None:
    """What a text that begins with `<` is; None for anything else than HTML and resumes in XML.

    Raises `UnsupportedDocumentError` for XML of another kind.
    """
    if _HTML.search(text[:2_000]):
        return "html"
    if not _XML.match(text):
        return None
    root = _ROOT.search(text)
    if root is None:
        return None
    name, attributes = root[2].lower(), root["attributes"].lower()
    if name == "html" or "www.w3.org/1999/xhtml" in attributes:
        return "html"
    if name in _EUROPASS_ROOTS:
        return "europass_xml"
    if name in _HR_OPEN_ROOTS:
        return "europass_xml" if "europass" in attributes and "hr-xml" not in attributes else "hr_open_xml"
    if text.startswith("<?xml"):
        raise UnsupportedDocumentError(
            "the document is XML of another kind than Europass, HR-Open and XHTML; save it as PDF"
        )
    return None


def _is_json_resume(data: bytes, encoding: str) -> bool:
    try:
        text = data.decode(encoding).lstrip("\ufeff")
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return is_json_resume(text)


def kind_of_start(data: bytes) -> str:
    """What a file begins as, for logs: a word of a closed list."""
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    start = data[:64].lstrip()
    for beginning, word in ((_ZIP, "zip"), (b"{\\rt", "rtf"), (b"{", "json"), (b"<", "markup")):
        if start.startswith(beginning):
            return word
    return "text"
