"""Which encoding a file of text has: by its mark, by where its null bytes are, or by what its bytes can be.

What is certain is decoded strictly. Windows-1252 is a guess, made only for a file in which nothing speaks for
UTF-8: a file that mixes both has lines that would come out wrong either way.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import BinaryIO, Literal

UTF8_WITH_MARK = "utf-8-sig"
WINDOWS = "cp1252"
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, UTF8_WITH_MARK),
)
_START = 65_536
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Encoding:
    """`name` as Python knows it. `guessed`: nothing says so, it is only likely."""

    name: str = "utf-8"
    guessed: bool = False

    @property
    def is_utf8(self) -> bool:
        return self.name in ("utf-8", UTF8_WITH_MARK)

    @property
    def errors(self) -> Literal["strict", "replace"]:
        """How to decode: five bytes mean nothing in Windows-1252."""
        return "replace" if self.guessed else "strict"


UTF8 = Encoding()


def encoding_of_mark(data: bytes) -> str | None:
    """The encoding that a byte-order mark tells."""
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 without a mark, told by which bytes are null. A text that is hardly ASCII is not recognised."""
    start = data[: _START & ~1]
    if len(start) < 8:
        return None
    even, odd = start[::2].count(0), start[1::2].count(0)
    half = len(start) // 2
    if odd > 0.4 * half and even < 0.05 * half:
        encoding = "utf-16-le"
    elif even > 0.4 * half and odd < 0.05 * half:
        encoding = "utf-16-be"
    else:
        return None
    text = start.decode(encoding, "replace")
    controls = sum(ch < " " and ch not in "\t\n\r\f" for ch in text)
    return encoding if controls <= len(text) // 100 else None


def encoding_of_lines(stream: BinaryIO) -> Encoding:
    """The encoding of a file of lines, of which all are looked at; `stream` is at its start again after it.

    Windows-1252 where some bytes cannot be UTF-8 and no line holds a character that UTF-8 has more than one
    byte for. A file with both kinds of lines is UTF-8, and reading it will say which line is not.
    """
    start = stream.read(_START)
    sure = encoding_of_mark(start) or wide_encoding(start)
    stream.seek(0)
    if sure is not None:
        return Encoding(sure)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        stream.seek(0)
        mixed = any(_is_wider_utf8(line) for line in stream)
        return UTF8 if mixed else Encoding(WINDOWS, guessed=True)
    finally:
        stream.seek(0)
    return UTF8


def _is_wider_utf8(line: bytes) -> bool:
    try:
        return not line.isascii() and bool(line.decode("utf-8"))
    except UnicodeDecodeError:
        return False
