"""Which text of a PDF page a reader cannot see.

Text without ink, of a point or less, or outside the page is told from the file. Most other text is certain
to be seen, as dark type on paper and white type on a dark bar are. The rest (in the color of what is below
it, over images and gradients, under something painted later, clipped, transparent) is judged by painting the
page twice, with this text and without it: text that makes no difference cannot be seen, whatever the trick.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import sub

import numpy as np
import pypdfium2.raw as raw

from service.files.documents import pdfium
from service.files.documents.pdf_glyphs import Glyph, PageBox, TextStyle, fill_color, words

SMALLEST = 1.05
"""Points. Type of one point or less is not for reading."""

LEAST_CONTRAST = 16
"""Of 255, in red, green or blue: what differs less from its background cannot be told from it."""

_INVISIBLE = frozenset({3, 7})
"""Render modes that put no ink on the page."""

_FILLING = frozenset({0, 2, 4, 6})
_SCALE = 1.5
"""Pixels for each point when a page is painted: a thin stroke of small type still leaves a mark."""

_MOST_PIXELS = 6_000_000
_MOST_AREAS = 400
"""Areas that are compared with each text. A page with more of them is judged by painting it."""

_MOST_COLORS = 32

_NEAR = 2.0
"""Points between the edges of a text and of its copy at most."""

_DEEPEST = 8
_SCAN = 0.8
"""Share of the page that images cover at least, if the text with them is to be taken for a scanner's."""

_OF_SCAN = 0.8
"""Share of a page's characters that are invisible at least, if they are to be taken for a scanner's."""

_STAMP = 100
"""Characters that can be seen on a scan beside its image at most: a page number, a stamp. A resume with
more of its own is no scan, however much is hidden in it."""

Box = tuple[float, float, float, float]
Color = tuple[int, int, int]

_WHITE: Color = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class _Area:
    """Something painted that is no text.

    `color`: None if it is not one color. `covers`: whether it fills its whole box, so that nothing below
    shows.
    """

    order: int
    box: Box
    color: Color | None
    opacity: int
    covers: bool
    is_image: bool = False


@dataclass(frozen=True, slots=True)
class Painted:
    """What of a page is painted beside its text. `images`: the share that they cover, at most 1."""

    areas: Sequence[_Area]
    images: float
    text_orders: Mapping[int, int]
    """The place of each text object among all that is painted, from below; -1 if it is mixed with it."""


def painted(page: object, box: PageBox) -> Painted:
    """Look through the objects of a page, from below to above."""
    areas: list[_Area] = []
    text_orders: dict[int, int] = {}
    inner = raw.FS_MATRIX()

    def visit(handle: int, matrices: tuple[_Matrix, ...], is_mixed: bool) -> None:
        order = len(text_orders) + len(areas)
        match pdfium.object_type(handle):
            case raw.FPDF_PAGEOBJ_TEXT:
                text_orders[handle] = -1 if is_mixed else order
            case raw.FPDF_PAGEOBJ_FORM if len(matrices) < _DEEPEST:
                pdfium.object_matrix(handle, ctypes.addressof(inner))
                mixes = is_mixed or bool(pdfium.object_is_transparent(handle))
                turned = (inner.a, inner.b, inner.c, inner.d, inner.e, inner.f)
                for i in range(pdfium.form_count(handle)):
                    visit(pdfium.form_object(handle, i), (turned, *matrices), mixes)
            case raw.FPDF_PAGEOBJ_PATH:
                area = _path(handle, matrices, box, order)
                if area is not None:
                    areas.append(area)
            case kind:
                place = _place(handle, matrices, box)
                if place is not None:
                    areas.append(_Area(order, place, None, 255, False, kind == raw.FPDF_PAGEOBJ_IMAGE))

    address = pdfium.address(page)
    for i in range(pdfium.object_count(address)):
        visit(pdfium.object_at(address, i), (), False)
    images = sum(_surface(area.box, box) for area in areas if area.is_image)
    return Painted(areas, min(1.0, images / (box.width * box.height)), text_orders)


_Matrix = tuple[float, float, float, float, float, float]
_FLOATS = pdfium.Floats()
_INTEGERS = pdfium.Integers()


def _path(handle: int, matrices: tuple[_Matrix, ...], box: PageBox, order: int) -> _Area | None:
    pdfium.draw_mode(handle, _INTEGERS.at[0], _INTEGERS.at[1])
    if not _INTEGERS.values[0]:
        return None
    red, green, blue, opacity = fill_color(handle)
    place = _place(handle, matrices, box) if opacity else None
    clip = _clip(handle, matrices, box)
    if place is not None and clip is not None:
        place = _common(place, clip)
    if place is None:
        return None
    covers = opacity == 255 and _is_rectangle(handle)
    # PDFium calls it transparent for its opacity, too, which the color tells.
    mixes = opacity == 255 and pdfium.object_is_transparent(handle)
    return _Area(order, place, None if mixes else (red, green, blue), opacity, covers and not mixes)


def _is_rectangle(handle: int) -> bool:
    count = pdfium.segment_count(handle)
    if not 4 <= count <= 6:
        return False
    points: list[tuple[float, float]] = []
    for i in range(count):
        segment = pdfium.segment_at(handle, i)
        if pdfium.segment_type(segment) == raw.FPDF_SEGMENT_BEZIERTO:
            return False
        points.append(_point(segment))
    sides = pairwise(points)
    return all(abs(a[0] - b[0]) < 0.05 or abs(a[1] - b[1]) < 0.05 for a, b in sides)


def _point(segment: int) -> tuple[float, float]:
    pdfium.segment_point(segment, _FLOATS.at[0], _FLOATS.at[1])
    return _FLOATS.values[0], _FLOATS.values[1]


def _clip(handle: int, matrices: tuple[_Matrix, ...], box: PageBox) -> Box | None:
    """The box around what an object's clip lets through; None without a clip."""
    clip = pdfium.clip_of(handle)
    through: Box | None = None
    for i in range(min(pdfium.clip_count(clip), 16) if clip else 0):
        segments = range(min(pdfium.clip_segment_count(clip, i), 64))
        points = [_point(pdfium.clip_segment(clip, i, j)) for j in segments]
        if points:
            xs, ys = zip(*points, strict=True)
            place = _shown((min(xs), min(ys), max(xs), max(ys)), matrices, box)
            through = place if through is None else _common(through, place) or (0.0, 0.0, 0.0, 0.0)
    return through


def _place(handle: int, matrices: tuple[_Matrix, ...], box: PageBox) -> Box | None:
    if not pdfium.object_bounds(handle, *_FLOATS.at):
        return None
    left, bottom, right, top = _FLOATS.values
    return _shown((left, bottom, right, top), matrices, box)


def _shown(bounds: Box, matrices: tuple[_Matrix, ...], box: PageBox) -> Box:
    left, bottom, right, top = bounds
    if not matrices:
        return box.shown(left, bottom, right, top)
    corners = [(left, bottom), (right, bottom), (left, top), (right, top)]
    for a, b, c, d, e, f in matrices:
        corners = [(a * x + c * y + e, b * x + d * y + f) for x, y in corners]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return box.shown(min(xs), min(ys), max(xs), max(ys))


def _common(a: Box, b: Box) -> Box | None:
    common = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return common if common[0] < common[2] and common[1] < common[3] else None


def _surface(place: Box, box: PageBox) -> float:
    seen = _common(place, (0.0, 0.0, box.width, box.height))
    return (seen[2] - seen[0]) * (seen[3] - seen[1]) if seen else 0.0


def hide_unseen(page: object, box: PageBox, glyphs: list[Glyph], background: Painted) -> bool:
    """Mark the glyphs that a reader cannot see. True if all are what a scanner put over its image."""
    unsure: list[list[Glyph]] = []
    for of_object in _by_object(glyphs):
        style = of_object[0].style
        place = _around(of_object)
        is_off = place[0] < 0 or place[1] < 0 or place[2] > box.width or place[3] > box.height
        for glyph in of_object if is_off else ():
            glyph.is_hidden = _is_off(glyph, box)
        if style.size <= SMALLEST or style.mode in _INVISIBLE:
            for glyph in of_object:
                glyph.is_hidden = True
        elif not _is_surely_seen(style, place, background, box):
            unsure.append([glyph for glyph in of_object if not glyph.is_hidden])
    unsure = [of_object for of_object in unsure if of_object]
    if unsure:
        _compare(page, box, unsure, _twins(unsure, glyphs, background))
    hidden = sum(glyph.is_hidden for glyph in glyphs)
    is_stamp = len(glyphs) - hidden <= _STAMP
    if background.images >= _SCAN and is_stamp and hidden >= _OF_SCAN * len(glyphs) > 0:
        for glyph in glyphs:
            glyph.is_hidden = _is_off(glyph, box) or glyph.style.size <= SMALLEST
        return True
    return False


def _by_object(glyphs: Sequence[Glyph]) -> Iterable[list[Glyph]]:
    found: dict[int, list[Glyph]] = {}
    for glyph in glyphs:
        found.setdefault(glyph.style.handle, []).append(glyph)
    return found.values()


def _twins(unsure: Sequence[list[Glyph]], glyphs: Sequence[Glyph], background: Painted) -> list[int]:
    """Text objects of which PDFium gives no character, since one in `unsure` has the same at the same place.

    So a browser prints text with a shadow: once transparent, and once to be seen.
    """
    others = background.text_orders.keys() - {glyph.style.handle for glyph in glyphs}
    if not others:
        return []
    places = [_bounds(of_object[0].style.handle) for of_object in unsure]
    return [handle for handle in others if (bounds := _bounds(handle)) and _is_near(bounds, places)]


def _bounds(handle: int) -> Box | None:
    if not pdfium.object_bounds(handle, *_FLOATS.at):
        return None
    left, bottom, right, top = _FLOATS.values
    return None if left == right else (left, bottom, right, top)


def _is_near(bounds: Box, places: Sequence[Box | None]) -> bool:
    return any(place and max(map(abs, map(sub, bounds, place))) <= _NEAR for place in places)


def _around(glyphs: Sequence[Glyph]) -> Box:
    if len(glyphs) == 1:
        only = glyphs[0]
        return only.x0, only.y0, only.x1, only.y1
    return (
        min([glyph.x0 for glyph in glyphs]),
        min([glyph.y0 for glyph in glyphs]),
        max([glyph.x1 for glyph in glyphs]),
        max([glyph.y1 for glyph in glyphs]),
    )


def _is_off(glyph: Glyph, box: PageBox) -> bool:
    x, y = (glyph.x0 + glyph.x1) / 2, (glyph.y0 + glyph.y1) / 2
    return not (0 <= x <= box.width and 0 <= y <= box.height)


def _is_surely_seen(style: TextStyle, place: Box, background: Painted, box: PageBox) -> bool:
    """False: only painting the page can tell."""
    order = background.text_orders.get(style.handle, -1)
    if style.mode not in _FILLING or order < 0 or len(background.areas) > _MOST_AREAS:
        return False
    x0, y0, x1, y1 = _core(place)
    below: list[Color] = [_WHITE]  # what may be right below some of it
    for area in background.areas:
        left, top, right, bottom = area.box
        if right <= x0 or left >= x1 or bottom <= y0 or top >= y1:
            continue
        if area.order > order or area.color is None:
            return False
        mixed = (
            [_mixed(area.color, color, area.opacity) for color in below]
            if area.opacity < 255
            else [area.color]
        )
        whole = left <= x0 + 1 and top <= y0 + 1 and right >= x1 - 1 and bottom >= y1 - 1
        below = mixed if area.covers and whole else [*below, *mixed]
        if len(below) > _MOST_COLORS:
            return False
    clip = _clip(style.handle, (), box)
    if clip is not None and not (
        clip[0] <= x0 + 1 and clip[1] <= y0 + 1 and clip[2] >= x1 - 1 and clip[3] >= y1 - 1
    ):
        return False
    return all(_contrast(color, style.color) * style.color[3] >= 255 * LEAST_CONTRAST for color in below)


def _mixed(above: Color, below: Color, opacity: int) -> Color:
    red, green, blue = (below[i] + (above[i] - below[i]) * opacity // 255 for i in range(3))
    return red, green, blue


def _core(place: Box) -> Box:
    """The middle of a line's height, since boxes of lines overlap those of their neighbours."""
    quarter = (place[3] - place[1]) / 4
    return place[0] + 0.1, place[1] + quarter, max(place[0] + 0.2, place[2] - 0.1), place[3] - quarter


def _contrast(a: Sequence[int], b: Sequence[int]) -> int:
    return max(abs(x - y) for x, y in zip(a[:3], b[:3], strict=True))


def _compare(page: object, box: PageBox, unsure: Sequence[list[Glyph]], twins: Sequence[int]) -> None:
    """Paint the page with and without some text, and mark the words that make no difference.

    `twins`: text objects that are left out with it.
    """
    scale = min(_SCALE, (_MOST_PIXELS / (box.width * box.height)) ** 0.5)
    width, height = max(1, round(box.width * scale)), max(1, round(box.height * scale))
    with_text = paint(page, width, height)
    handles = [*(glyphs[0].style.handle for glyphs in unsure), *twins]
    modes = [pdfium.render_mode(handle) for handle in handles]
    for handle in handles:
        pdfium.set_render_mode(handle, raw.FPDF_TEXTRENDERMODE_INVISIBLE)
    without = paint(page, width, height)
    for handle, mode in zip(handles, modes, strict=True):
        pdfium.set_render_mode(handle, mode)
    colors = np.maximum(with_text, without) - np.minimum(with_text, without) >= LEAST_CONTRAST
    differs = colors[:, :, 0] | colors[:, :, 1] | colors[:, :, 2]  # (height, width)
    for glyphs in unsure:
        for word in words(glyphs):
            x0, y0, x1, y1 = (value * scale for value in _around(word))
            if not differs[
                max(0, int(y0)) : max(0, int(y1) + 1), max(0, int(x0)) : max(0, int(x1) + 1)
            ].any():
                for glyph in word:
                    glyph.is_hidden = True


def paint(page: object, width: int, height: int) -> np.ndarray:
    """The page as pixels of blue, green and red: (height, width, 3)."""
    bitmap = raw.FPDFBitmap_CreateEx(width, height, raw.FPDFBitmap_BGR, None, 0)
    if not bitmap:
        raise MemoryError
    try:
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, 0)
        stride = raw.FPDFBitmap_GetStride(bitmap)
        buffer = ctypes.cast(
            raw.FPDFBitmap_GetBuffer(bitmap), ctypes.POINTER(ctypes.c_ubyte * (stride * height))
        ).contents
        rows = np.frombuffer(buffer, np.uint8).reshape(height, stride)
        return rows[:, : 3 * width].reshape(height, width, 3).copy()
    finally:
        raw.FPDFBitmap_Destroy(bitmap)
