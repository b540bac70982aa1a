"""Plain text in the encodings that people's programs write."""

from __future__ import annotations

import codecs
import re

from service.core.encodings import encoding_of_mark, wide_encoding
from service.files.documents.invisible import without_zero_width
from service.files.documents.parsed import (
    DocumentLimits,
    ParsedDocument,
    Warnings,
    check_length,
    counted,
)

_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_OVERSTRIKE = re.compile(".\x08")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")


class TextParser:
    """A text as it stands, with line ends of one kind."""

    def parse(self, data: bytes, limits: DocumentLimits) -> ParsedDocument:
        """Raises `DocumentTooLargeError`. Any bytes are a text: Windows-1252 takes nearly all."""
        warnings = Warnings()
        text = decode(data, warnings)
        text = _OVERSTRIKE.sub("", text)
        text = _CONTROLS.sub(" ", _LINE_ENDS.sub("\n", text)).strip()
        text = without_zero_width(text, warnings)
        return ParsedDocument(check_length(text, limits), "text", None, counted(warnings))


def decode(data: bytes, warnings: Warnings, declared: str | None = None) -> str:
    """Bytes as text: by a mark, as UTF-8, as UTF-16 without a mark, as `declared`, or else as Windows-1252.

    A guess counts as `guessed_encoding`. The mark itself is no part of the text.
    """
    marked = encoding_of_mark(data)
    if marked is not None:
        return data.decode(marked, "replace").removeprefix("\ufeff")
    wide = wide_encoding(data)
    if wide is not None:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if declared is not None:
        try:
            return data.decode(codecs.lookup(declared).name, "replace")
        except (LookupError, UnicodeError):
            pass
    warnings["guessed_encoding"] += 1
    if _is_utf8_cut_short(data):
        return data.decode("utf-8", "replace")
    # Five bytes mean nothing in Windows-1252; browsers, too, read them as control characters.
    return data.decode("cp1252", "replace")


def _is_utf8_cut_short(data: bytes) -> bool:
    """True if hardly anything but a few damaged bytes speaks against UTF-8."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(1 for ch in text if ord(ch) > 127) - broken
    return whole > 4 * broken
