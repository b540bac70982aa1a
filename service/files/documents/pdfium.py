"""PDFium's functions that are called for each character or object of a page, with plain numbers as handles.

pypdfium2's own declarations make a new Python object of every handle, and comparing two of them takes a
cast. With numbers the calls for each character take less than half the time (docs/adr/0019-documents.md).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import c_float, c_int, c_uint, c_void_p
from typing import Any

import pypdfium2.raw as raw

_POINTER = c_void_p


def _function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    address = ctypes.cast(getattr(raw, name), c_void_p).value
    assert address is not None
    return ctypes.CFUNCTYPE(result, *arguments)(address)


def address(handle: object) -> int:
    """A handle of pypdfium2 as a number."""
    return ctypes.cast(handle, c_void_p).value or 0  # type: ignore[arg-type]


text_count = _function("FPDFText_CountChars", c_int, c_void_p)
text_unicode = _function("FPDFText_GetUnicode", c_uint, c_void_p, c_int)
text_object = _function("FPDFText_GetTextObject", c_void_p, c_void_p, c_int)
text_box = _function("FPDFText_GetLooseCharBox", c_int, c_void_p, c_int, _POINTER)
font_size = _function("FPDFTextObj_GetFontSize", c_int, c_void_p, _POINTER)
render_mode = _function("FPDFTextObj_GetTextRenderMode", c_int, c_void_p)
set_render_mode = _function("FPDFTextObj_SetTextRenderMode", c_int, c_void_p, c_int)
object_count = _function("FPDFPage_CountObjects", c_int, c_void_p)
object_at = _function("FPDFPage_GetObject", c_void_p, c_void_p, c_int)
object_type = _function("FPDFPageObj_GetType", c_int, c_void_p)
object_matrix = _function("FPDFPageObj_GetMatrix", c_int, c_void_p, _POINTER)
object_bounds = _function("FPDFPageObj_GetBounds", c_int, c_void_p, *[_POINTER] * 4)
object_is_transparent = _function("FPDFPageObj_HasTransparency", c_int, c_void_p)
fill_color = _function("FPDFPageObj_GetFillColor", c_int, c_void_p, *[_POINTER] * 4)
form_count = _function("FPDFFormObj_CountObjects", c_int, c_void_p)
form_object = _function("FPDFFormObj_GetObject", c_void_p, c_void_p, c_int)
draw_mode = _function("FPDFPath_GetDrawMode", c_int, c_void_p, _POINTER, _POINTER)
segment_count = _function("FPDFPath_CountSegments", c_int, c_void_p)
segment_at = _function("FPDFPath_GetPathSegment", c_void_p, c_void_p, c_int)
segment_type = _function("FPDFPathSegment_GetType", c_int, c_void_p)
segment_point = _function("FPDFPathSegment_GetPoint", c_int, c_void_p, _POINTER, _POINTER)
clip_of = _function("FPDFPageObj_GetClipPath", c_void_p, c_void_p)
clip_count = _function("FPDFClipPath_CountPaths", c_int, c_void_p)
clip_segment_count = _function("FPDFClipPath_CountPathSegments", c_int, c_void_p, c_int)
clip_segment = _function("FPDFClipPath_GetPathSegment", c_void_p, c_void_p, c_int, c_int)


class Floats:
    """Four numbers that functions write to, used again and again."""

    def __init__(self) -> None:
        self.values = (c_float * 4)()
        self.at = tuple(ctypes.addressof(self.values) + i * ctypes.sizeof(c_float) for i in range(4))


class Integers:
    """As `Floats`, of unsigned integers."""

    def __init__(self) -> None:
        self.values = (c_uint * 4)()
        self.at = tuple(ctypes.addressof(self.values) + i * ctypes.sizeof(c_uint) for i in range(4))
