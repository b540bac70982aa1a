"""The characters of a PDF page with their places, as PDFium knows them."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2.raw as raw

from service.files.documents import pdfium

_UNMAPPED = frozenset({0, 0xFFFD})
_HYPHENS = frozenset({0x02, 0xFFFE})
"""What PDFium makes of a hyphen at the end of a line."""


@dataclass(slots=True)
class TextStyle:
    """One text object. `size` in points as shown; `color`: red, green, blue and opacity, each 0 to 255."""

    handle: int
    size: float
    mode: int
    color: tuple[int, int, int, int]
    order: int = -1
    """Its place among what is painted, from below; -1 where it is not known."""


@dataclass(slots=True)
class Glyph:
    """One character. Its box is in points from the page's upper left corner, y downward."""

    character: str
    x0: float
    y0: float
    x1: float
    y1: float
    style: TextStyle
    starts_word: bool
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class PageBox:
    """The visible part of a page in PDF's coordinates, and how the page is turned (quarters clockwise)."""

    left: float
    bottom: float
    right: float
    top: float
    turned: int

    @property
    def width(self) -> float:
        return self.top - self.bottom if self.turned % 2 else self.right - self.left

    @property
    def height(self) -> float:
        return self.right - self.left if self.turned % 2 else self.top - self.bottom

    def shown(
        self, left: float, bottom: float, right: float, top: float
    ) -> tuple[float, float, float, float]:
        """A box in PDF's coordinates as it is shown: x0, y0, x1, y1 from the upper left corner."""
        match self.turned:
            case 1:
                return bottom - self.bottom, left - self.left, top - self.bottom, right - self.left
            case 2:
                return self.right - right, bottom - self.bottom, self.right - left, top - self.bottom
            case 3:
                return self.top - top, self.right - right, self.top - bottom, self.right - left
            case _:
                return left - self.left, self.top - top, right - self.left, self.top - bottom


def page_box(page: object) -> PageBox:
    """What of a page is shown: its crop box within its media box. Letter size where a file does not say."""
    media = _box(raw.FPDFPage_GetMediaBox, page) or (0.0, 0.0, 612.0, 792.0)
    crop = _box(raw.FPDFPage_GetCropBox, page) or media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    if right <= left or top <= bottom:
        left, bottom, right, top = media
    return PageBox(left, bottom, right, top, raw.FPDFPage_GetRotation(page) % 4)


def _box(get: object, page: object) -> tuple[float, float, float, float] | None:
    values = [ctypes.c_float() for _ in range(4)]
    if not get(page, *map(ctypes.byref, values)):  # type: ignore[operator]
        return None
    left, bottom, right, top = (value.value for value in values)
    numbers = (min(left, right), min(bottom, top), max(left, right), max(bottom, top))
    has_area = numbers[0] < numbers[2] and numbers[1] < numbers[3]
    return numbers if has_area and all(map(math.isfinite, numbers)) else None


def read_glyphs(page: object, box: PageBox, most: int) -> tuple[list[Glyph], int]:
    """The characters of a page in the file's order, at most `most`, and how many glyphs have none.

    White space is left out; it shows in `starts_word`.
    """
    text_page = raw.FPDFText_LoadPage(page)
    if not text_page:
        return [], 0
    try:
        return _read(pdfium.address(text_page), box, most)
    finally:
        raw.FPDFText_ClosePage(text_page)


def _read(text_page: int, box: PageBox, most: int) -> tuple[list[Glyph], int]:
    get_unicode, get_object, get_box = pdfium.text_unicode, pdfium.text_object, pdfium.text_box
    rect = raw.FS_RECTF()
    to_rect = ctypes.addressof(rect)
    styles: dict[int, TextStyle] = {}
    glyphs: list[Glyph] = []
    unmapped = 0
    starts_word = True
    high = 0
    upright = box.turned == 0
    left, top = box.left, box.top
    for i in range(pdfium.text_count(text_page)):
        code = get_unicode(text_page, i)
        if code == 32 or code == 0xA0:
            starts_word = True
            continue
        handle = get_object(text_page, i)
        if not handle:  # PDFium's own: a new line, a blank
            starts_word = True
            continue
        if code < 32 or code > 0xD7FF:
            if 0xD800 <= code < 0xDC00:  # half of a character
                high = code
                continue
            if 0xDC00 <= code < 0xE000:
                if not high:
                    continue
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
            if code in _HYPHENS:
                code = 0x2D
            elif code == 9:
                starts_word = True
                continue
            elif code in _UNMAPPED or code > 0x10FFFF:
                unmapped += 1
                starts_word = True
                continue
        high = 0
        if not get_box(text_page, i, to_rect):
            continue
        style = styles.get(handle)
        if style is None:
            style = styles[handle] = _style(handle)
        if upright:
            x0, y0, x1, y1 = rect.left - left, top - rect.top, rect.right - left, top - rect.bottom
        else:
            x0, y0, x1, y1 = box.shown(rect.left, rect.bottom, rect.right, rect.top)
        glyphs.append(Glyph(chr(code), x0, y0, x1, y1, style, starts_word))
        starts_word = False
        if len(glyphs) > most:
            break
    return glyphs, unmapped


_FLOATS = pdfium.Floats()
_INTEGERS = pdfium.Integers()
_MATRIX = raw.FS_MATRIX()


def _style(handle: int) -> TextStyle:
    pdfium.font_size(handle, _FLOATS.at[0])
    size = abs(_FLOATS.values[0])
    pdfium.object_matrix(handle, ctypes.addressof(_MATRIX))
    height = math.hypot(_MATRIX.c, _MATRIX.d)
    return TextStyle(handle, size * height, pdfium.render_mode(handle), fill_color(handle))


def fill_color(handle: int) -> tuple[int, int, int, int]:
    """Red, green, blue and opacity of an object's filling; black where the file does not say."""
    if not pdfium.fill_color(handle, *_INTEGERS.at):
        return 0, 0, 0, 255
    red, green, blue, opacity = _INTEGERS.values
    return red, green, blue, opacity


def words(glyphs: list[Glyph]) -> Iterator[list[Glyph]]:
    """Glyphs by word, in the order of the file."""
    word: list[Glyph] = []
    for glyph in glyphs:
        if glyph.starts_word and word:
            yield word
            word = []
        word.append(glyph)
    if word:
        yield word
