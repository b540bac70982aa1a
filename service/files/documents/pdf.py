"""PDF by PDFium: the text that a reader sees, column by column."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pypdfium2.raw as raw

from service.core.errors import DamagedDocumentError, EncryptedDocumentError, TooManyPagesError
from service.files.documents.invisible import without_zero_width
from service.files.documents.paragraphs import Page, text_of_pages
from service.files.documents.parsed import DocumentLimits, ParsedDocument, Warnings, check_length, counted
from service.files.documents.pdf_glyphs import Glyph, page_box, read_glyphs
from service.files.documents.pdf_visibility import hide_unseen, painted
from service.files.documents.reading_order import Piece, regions

_SCANNED = 0.3
"""Share of a page that images cover at least, if a page without text is to be called an image."""

_GAP = 1.2
"""Gap within a line that ends a piece of it, in sizes of type."""

_BULLETS = {
    0xF0B7: "•", 0xF0A7: "•", 0xF0D8: "•", 0xF076: "•", 0xF0A8: "•", 0xF02D: "-", 0xF0FC: "•", 0xF06E: "•",
    0xF071: "•", 0x25CF: "•", 0x25CB: "•", 0x25E6: "•", 0x25AA: "•", 0x25AB: "•", 0x25A0: "•", 0x25A1: "•",
    0x2023: "•", 0x2043: "•", 0x27A2: "•", 0x27A4: "•", 0x2756: "•", 0x2219: "•", 0x00A7: "§",
}  # fmt: skip
_LIGATURES = {
    0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st",
}  # fmt: skip
_OF_TEX = {
    0x0B: "ff", 0x0C: "fi", 0x0D: "fl", 0x0E: "ffi", 0x0F: "ffl", 0x1B: "ff", 0x1C: "fi", 0x1D: "fl", 0x1E:
    "ffi", 0x1F: "ffl", 0x15: "\u2013", 0x16: "\u2014", 0x10: '"', 0x11: '"', 0x88: "•",
}  # fmt: skip
"""What TeX's own encodings (OT1, T1, TS1) have at places where a font does not say which characters they
are."""

_SHOWN = str.maketrans({**_BULLETS, **_LIGATURES, **_OF_TEX})
_LONE_BULLETS = frozenset("\x0f\x88")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
"""Icons: characters that only their font knows."""

_ready = False


class PdfParser:
    """One document at a time: PDFium is not made for threads."""

    def parse(self, data: bytes, limits: DocumentLimits) -> ParsedDocument:
        """Raises what `open_pdf` does, `TooManyPagesError` and `DocumentTooLargeError`."""
        warnings = Warnings()
        document = open_pdf(data)
        try:
            count = raw.FPDF_GetPageCount(document)
            if count > limits.max_document_pages:
                raise TooManyPagesError(
                    f"the document has {count:,} pages; the limit is {limits.max_document_pages:,}",
                    limit=limits.max_document_pages,
                    actual=count,
                )
            if count < 1:
                raise DamagedDocumentError("the document is damaged: it has no pages")
            pages = [_read_page(document, i, limits, warnings) for i in range(count)]
        finally:
            raw.FPDF_CloseDocument(document)
        text, repeated = text_of_pages(pages)
        warnings["repeated_lines"] += repeated
        text = without_zero_width(text, warnings)
        if not text and not warnings["hidden_text"]:
            warnings["no_text_layer"] = count
            del warnings["images_only"]
        return ParsedDocument(check_length(text, limits), "pdf", count, counted(warnings))


def _prepare() -> None:
    global _ready
    if not _ready:
        raw.FPDF_InitLibraryWithConfig(raw.FPDF_LIBRARY_CONFIG(version=2))
        _ready = True


def open_pdf(data: bytes) -> object:
    """A document of PDFium, to be closed by `FPDF_CloseDocument`; `data` must be held as long.

    Raises `EncryptedDocumentError` and `DamagedDocumentError`.
    """
    _prepare()
    document = raw.FPDF_LoadMemDocument64(data, len(data), None)
    if document:
        return document
    if raw.FPDF_GetLastError() in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
        raise EncryptedDocumentError("the document is encrypted: it asks for a password")
    raise DamagedDocumentError("the document is damaged: it begins as a PDF and cannot be opened as one")


def _read_page(document: object, number: int, limits: DocumentLimits, warnings: Warnings) -> Page:
    page = raw.FPDF_LoadPage(document, number)
    if not page:
        raise DamagedDocumentError(f"the document is damaged: its page {number + 1} cannot be read")
    try:
        box = page_box(page)
        glyphs, unmapped = read_glyphs(page, box, limits.max_document_characters)
        warnings["unmapped_glyphs"] += unmapped
        background = painted(page, box)
        is_scan = hide_unseen(page, box, glyphs, background)
    finally:
        raw.FPDF_ClosePage(page)
    seen = [glyph for glyph in glyphs if not glyph.is_hidden]
    warnings["hidden_text"] += len(glyphs) - len(seen)
    if is_scan:
        warnings["ocr_layer"] += len(seen)
    if not seen and background.images >= _SCANNED:
        warnings["images_only"] += 1
    found = regions(list(pieces_of(seen)))
    if any(region.columns is not None for region in found):
        warnings["two_columns"] += 1
    return Page(found, box.width, box.height)


def pieces_of(glyphs: Iterable[Glyph]) -> Iterable[Piece]:
    """Neighbours in the file that stand side by side on the page become pieces of lines."""
    piece: Piece | None = None
    for glyph in glyphs:
        size = glyph.style.size
        if piece is not None and _continues(piece, glyph):
            gap = glyph.x0 - piece.x1
            # PDFium sees a new word also where a program only moves on to the next letter.
            if (glyph.starts_word and gap > 0.08 * size) or gap > 0.3 * size:
                piece.text += " "
            piece.text += glyph.character
            piece.x1 = max(piece.x1, glyph.x1)
            piece.y0, piece.y1 = min(piece.y0, glyph.y0), max(piece.y1, glyph.y1)
            piece.size = max(piece.size, size)
            continue
        if piece is not None and (cleaned := _cleaned(piece)):
            yield cleaned
        order = 0 if piece is None else piece.order + 1
        piece = Piece(glyph.character, glyph.x0, glyph.y0, glyph.x1, glyph.y1, size, order)
    if piece is not None and (cleaned := _cleaned(piece)):
        yield cleaned


def _continues(piece: Piece, glyph: Glyph) -> bool:
    size = max(piece.size, glyph.style.size)
    if not -0.4 * size < glyph.x0 - piece.x1 < _GAP * min(piece.size, glyph.style.size):
        return False
    shared = min(piece.y1, glyph.y1) - max(piece.y0, glyph.y0)
    return shared >= 0.5 * min(piece.y1 - piece.y0, glyph.y1 - glyph.y0)


def _cleaned(piece: Piece) -> Piece | None:
    """Ligatures as letters, bullets of all fonts as one, and no icons. None if nothing is left."""
    if piece.text in _LONE_BULLETS:
        piece.text = "•"
    piece.text = _PRIVATE.sub("", piece.text.translate(_SHOWN)).strip()
    return piece if piece.text else None
