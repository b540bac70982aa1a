"""Scans, read by the program tesseract if it is there. Its text goes through pipes and touches no disk."""

from __future__ import annotations

import os
import resource
import shutil
import struct
import subprocess
import zlib

import numpy as np
import pypdfium2.raw as raw

from service.core.errors import ConfigurationError, DocumentTooCostlyError
from service.files.documents.parsed import DocumentLimits, ParsedDocument, Warnings, check_length, counted
from service.files.documents.pdf import open_pdf
from service.files.documents.pdf_glyphs import page_box
from service.files.documents.pdf_visibility import paint

PROGRAM = "tesseract"
_SCALE = 300 / 72
_MOST_PIXELS = 25_000_000


def check_program() -> None:
    """Raise `ConfigurationError` if OCR is asked for and the program is not there."""
    if shutil.which(PROGRAM) is None:
        raise ConfigurationError(
            "EVENMATCH_OCR is set, and there is no program `tesseract` (Debian: tesseract-ocr)"
        )


def read_scan(data: bytes, document: ParsedDocument, limits: DocumentLimits) -> ParsedDocument:
    """`document` with the text of its pages' images.

    Raises `ConfigurationError` without the program, `DocumentTooCostlyError` if it takes more CPU time than
    `limits.ocr_cpu_seconds` for all pages together.
    """
    check_program()
    pages = document.pages or 0
    texts: list[str] = []
    spent = _children_seconds()
    handle = open_pdf(data)
    try:
        for number in range(pages):
            left = limits.ocr_cpu_seconds - (_children_seconds() - spent)
            texts.append(_recognised(_png(handle, number), left, limits))
    finally:
        raw.FPDF_CloseDocument(handle)
    text = "\n\n".join(filter(None, texts))
    warnings = Warnings(document.warnings)
    del warnings["no_text_layer"]
    if text:
        warnings["ocr"] = sum(map(bool, texts))
    else:
        warnings["no_text_layer"] = pages
    return ParsedDocument(check_length(text, limits), "pdf", pages, counted(warnings))


def _recognised(png: bytes, seconds: float, limits: DocumentLimits) -> str:
    most = max(1, int(seconds))
    if seconds <= 0:
        raise _too_costly(limits)

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))

    done = subprocess.run(
        [PROGRAM, "stdin", "stdout", "-l", limits.ocr_languages, "--psm", "1"],
        input=png,
        capture_output=True,
        preexec_fn=bound,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        check=False,
    )
    if done.returncode < 0:
        raise _too_costly(limits)
    if done.returncode > 0:
        raise ConfigurationError(
            f"tesseract ended with status {done.returncode}; has it the languages {limits.ocr_languages}?"
        )
    return done.stdout.decode("utf-8", "replace").replace("\f", "").strip()


def _too_costly(limits: DocumentLimits) -> DocumentTooCostlyError:
    return DocumentTooCostlyError(
        f"reading the scan took more than {limits.ocr_cpu_seconds:g} s of CPU time",
        limit=round(limits.ocr_cpu_seconds),
        actual=round(limits.ocr_cpu_seconds),
    )


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _png(document: object, number: int) -> bytes:
    """A page at 300 dots an inch, in gray."""
    page = raw.FPDF_LoadPage(document, number)
    try:
        box = page_box(page)
        scale = min(_SCALE, (_MOST_PIXELS / (box.width * box.height)) ** 0.5)
        pixels = paint(page, max(1, round(box.width * scale)), max(1, round(box.height * scale)))
    finally:
        raw.FPDF_ClosePage(page)
    gray = pixels.mean(axis=2).astype(np.uint8)  # (height, width)
    height, width = gray.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), gray], axis=1).tobytes()
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack("!IIBBBBB", width, height, 8, 0, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(rows, 1)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
