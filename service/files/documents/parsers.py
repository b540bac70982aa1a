"""One document from its bytes: its kind, the parser of that kind, and OCR if it is a scan and OCR is on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from service.core.errors import DocumentTooLargeError
from service.files.documents.docx import DocxParser
from service.files.documents.given_texts import read_given_text, read_plainly
from service.files.documents.html import HtmlParser
from service.files.documents.json_resume import JsonResumeParser
from service.files.documents.kinds import DocumentKind, kind_of_document
from service.files.documents.markdown import MarkdownParser
from service.files.documents.ocr import read_scan
from service.files.documents.odt import OdtParser
from service.files.documents.parsed import DocumentLimits, ParsedDocument, Parser, Warnings, counted
from service.files.documents.pdf import PdfParser
from service.files.documents.plain_text import TextParser
from service.files.documents.rtf import RtfParser
from service.files.documents.xml_resumes import XmlResumeParser

PARSERS: Mapping[DocumentKind, Callable[[], Parser]] = {
    "pdf": PdfParser,
    "docx": DocxParser,
    "odt": OdtParser,
    "rtf": RtfParser,
    "html": HtmlParser,
    "markdown": MarkdownParser,
    "text": TextParser,
    "json_resume": JsonResumeParser,
    "europass_xml": lambda: XmlResumeParser("europass_xml"),
    "hr_open_xml": lambda: XmlResumeParser("hr_open_xml"),
}


@cache
def _parser(kind: DocumentKind) -> Parser:
    return PARSERS[kind]()


def parse_document(data: bytes, limits: DocumentLimits) -> ParsedDocument:
    """What a reader sees of a document, in this process.

    A service has it done by `documents.pool`, which holds it to its limits of time and memory. Not for
    several threads at once. Raises a `DocumentError` that says what is wrong, and `NestedArchiveError` for
    an archive.
    """
    check_size(data, limits)
    kind = kind_of_document(data)
    document = _parser(kind).parse(data, limits)
    if kind == "text":
        return with_marks_read(document, limits)
    if kind == "pdf" and limits.ocr and "no_text_layer" in document.warnings:
        return read_scan(data, document, limits)
    return document


def with_marks_read(document: ParsedDocument, limits: DocumentLimits) -> ParsedDocument:
    """A plain text as where it is given as a text: it may be escaped HTML, or JSON around a text."""
    if read_plainly(document.text) is None:
        return document
    found = read_given_text(document.text, limits)
    if found is None:
        return document
    return replace(found, warnings=counted(Warnings(document.warnings) + Warnings(found.warnings)))


def check_size(data: bytes, limits: DocumentLimits) -> None:
    """Raise `DocumentTooLargeError` if a document has more bytes than the limit."""
    if len(data) > limits.max_document_bytes:
        raise DocumentTooLargeError(
            f"the document has {len(data):,} bytes; the limit is {limits.max_document_bytes:,}",
            limit=limits.max_document_bytes,
            actual=len(data),
        )
