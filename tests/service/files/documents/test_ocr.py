"""Scans, read by the real tesseract where it is installed (Debian: tesseract-ocr)."""

from __future__ import annotations

import shutil

import pytest

from service.core.errors import ConfigurationError, DocumentTooCostlyError
from service.files.documents.parsed import DocumentLimits, require_text
from service.files.documents.parsers import parse_document
from service.files.documents.pool import DocumentReader
from tests.service.files.documents.small_files import line, pdf, scan

LINES = ("Jane Doe", "Engineer of bridges in Leeds", "Built seven of them in nine years")
SCAN = scan(pdf("".join(line(text, 100, 700 - 30 * i, size=16) for i, text in enumerate(LINES))))

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")


def test_a_scan_without_ocr_has_no_text_layer() -> None:
    document = parse_document(SCAN, DocumentLimits())

    assert (document.text, document.warnings) == ("", {"no_text_layer": 1})


@needs_tesseract
def test_a_scan_is_read_by_tesseract_in_the_reader_s_process() -> None:
    reader = DocumentReader(DocumentLimits(ocr=True))
    try:
        document = reader.read(SCAN, field="cv")
    finally:
        reader.stop()

    assert require_text(document, "cv").split() == " ".join(LINES).split()
    assert document.warnings == {"ocr": 1}
    assert document.pages == 1


@needs_tesseract
def test_ocr_leaves_a_document_with_text_alone() -> None:
    document = parse_document(pdf(line("Jane Doe, engineer", 100, 700)), DocumentLimits(ocr=True))

    assert (document.text, document.warnings) == ("Jane Doe, engineer", {})


@needs_tesseract
def test_an_empty_scan_still_has_no_text_layer() -> None:
    document = parse_document(scan(pdf("")), DocumentLimits(ocr=True))

    assert (document.text, document.warnings) == ("", {"no_text_layer": 1})


@needs_tesseract
def test_ocr_is_held_to_its_cpu_time() -> None:
    page = "".join(line("Engineer of bridges " * 4, 30, 770 - 11 * i, size=10) for i in range(68))

    with pytest.raises(DocumentTooCostlyError, match="scan took more than 1 s") as refused:
        parse_document(scan(pdf(page), dots=300), DocumentLimits(ocr=True, ocr_cpu_seconds=1))

    assert refused.value.limit == 1


@needs_tesseract
def test_a_language_that_is_not_installed_is_said() -> None:
    with pytest.raises(ConfigurationError, match="tlh"):
        parse_document(SCAN, DocumentLimits(ocr=True, ocr_languages="tlh"))
