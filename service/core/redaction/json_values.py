"""A tolerant reader of JSON: every value with its path and its place in the text.

The standard library's reader tells no places and refuses a text that is cut off, has a comma too many, an
unescaped quotation mark or single quotes. Here nothing is refused: what cannot be read is skipped. Work grows with
the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field

_START = re.compile(r"\s*(?:```(?:json)?\s*)?(?:\{\s*[\"'}]|\[\s*[\"'{\[])")
_OTHER_TEXT = re.compile(r"\s*[^\s,:\[\]{}`]")
_TOKEN = re.compile(r"[\"'{}\[\]:,]|[^\s\"'{}\[\]:,]{1,100}")
_AFTER_STRING = re.compile(r"[ \t]*(?:[,:}\]\n]|$)")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|(.)|$)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\n", "b": " ", "f": "\n"}
_LITERALS = frozenset({"true", "false", "null", "None", "True", "False"})
_DEEPEST = 8
"""Keys of a path beyond so many are left out: no resume nests as deep."""

_MOST_BLANKS = 128
_MOST_MARKS = 30


@dataclass(slots=True)
class Container:
    """An object or a list, and the keys that lead to it (`path`).

    `items`: for each list on the way, from the outside in, which of its items this is or stands in. `keys`: those of an
    object; `plain_keys` is for who reads them, to keep their folded form.
    """

    is_object: bool
    path: tuple[str, ...]
    items: tuple[int, ...]
    keys: list[str] = field(default_factory=list)
    plain_keys: frozenset[str] | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A string or number at [start, end) of the text, without its quotation marks if it is `quoted`.

    `path`: the keys that lead to it, its own last; `items`: its place in each list on the way; `parent`: the object or
    list that holds it.
    """

    start: int
    end: int
    quoted: bool
    path: tuple[str, ...]
    items: tuple[int, ...]
    parent: Container


def looks_like_json(text: str) -> bool:
    """True if `text` begins as an object or a list does."""
    return _START.match(text) is not None


def read_values(text: str) -> tuple[list[JsonValue], list[str], int]:
    """Every string and number of `text` that is no key, in order, the keys of the outermost object, and where it ends.

    What follows the outermost object or list and is no more of it is not read.
    """
    root = Container(is_object=False, path=(), items=())
    stack = [root]
    values: list[JsonValue] = []
    top_keys: list[str] = []
    open_objects = open_lists = 0
    key: str | None = None
    pending: tuple[int, int, bool] | None = (
        None  # a string or word of which it is not yet known whether it is a key
    )

    def close_pending() -> None:
        nonlocal pending, key
        if pending is None:
            return
        start, end, quoted = pending
        pending = None
        parent = stack[-1]
        if (quoted or text[start:end] not in _LITERALS) and end > start:
            path = _with(parent.path, key) if parent.is_object else parent.path
            values.append(JsonValue(start, end, quoted, path, _items(stack), parent))

    position = 0
    read_to = len(text)
    while (match := _TOKEN.search(text, position)) is not None:
        token, position = match[0], match.end()
        parent = stack[-1]
        if token in "\"'":
            close_pending()
            end, position = _string_end(text, position, token)
            pending = (match.end(), end, True)
        elif token == ":":
            if pending is not None:
                key = text[pending[0] : pending[1]]
                pending = None
                parent.keys.append(key)
                if len(stack) == 2:
                    top_keys.append(key)
        elif token == ",":
            close_pending()
            parent.count += 1
            key = None
        elif token in "{[":
            close_pending()
            path = _with(parent.path, key) if parent.is_object else parent.path
            stack.append(Container(token == "{", path, _items(stack)))
            open_objects += token == "{"
            open_lists += token == "["
            key = None
        elif token in "}]":
            close_pending()
            is_object = token == "}"
            while len(stack) > 1 and (open_objects if is_object else open_lists):
                closed = stack.pop()
                open_objects -= closed.is_object
                open_lists -= not closed.is_object
                if closed.is_object == is_object:
                    break
            key = None
            if len(stack) == 1 and _OTHER_TEXT.match(text, position):
                read_to = position
                break
        elif pending is None:
            pending = (match.start(), match.end(), False)
        elif not pending[2]:
            pending = (pending[0], match.end(), False)
    close_pending()
    return values, top_keys, read_to


def _with(path: tuple[str, ...], key: str | None) -> tuple[str, ...]:
    return path if key is None or len(path) >= _DEEPEST else (*path, key)


def _items(stack: list[Container]) -> tuple[int, ...]:
    parent = stack[-1]
    if parent.is_object or len(stack) == 1 or len(parent.items) >= _DEEPEST:
        return parent.items
    return (*parent.items, parent.count)


def _string_end(text: str, start: int, quote: str) -> tuple[int, int]:
    """Where the string that begins at `start` ends, and where to read on.

    A quotation mark ends it if what follows can follow a string: others belong to it, as people forget to escape them.
    """
    at = start
    while (end := text.find(quote, at)) >= 0:
        slashes = end
        while slashes > at and text[slashes - 1] == "\\":
            slashes -= 1
        if (end - slashes) % 2 == 0 and _AFTER_STRING.match(text, end + 1):
            return end, end + 1
        at = end + 1
    return len(text), len(text)


class Rendering:
    """A text put together from pieces of a source, which knows where in the source each character stands."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._parts: list[str] = []
        self._length = 0
        self._starts: list[int] = []  # of runs, in the rendered text
        self._runs: list[tuple[int, int, int, int]] = []  # rendered start, end; source start, end
        self._blanks = self._marks = 0

    @property
    def text(self) -> str:
        """What was put together so far."""
        return "".join(self._parts)

    @property
    def length(self) -> int:
        return self._length

    def add_text(self, text: str) -> None:
        """Characters that do not stand in the source."""
        self._parts.append(text)
        self._length += len(text)
        self._blanks = self._marks = 0

    def add_string(self, start: int, end: int) -> None:
        """The characters of the source's string at [start, end), escapes resolved.

        What escapes hide of long runs of blanks, breaks and combining marks is cut as `documents.normalise` does.
        """
        source = self._source
        position = start
        while position < end:
            slash = source.find("\\", position, end)
            stop = end if slash < 0 else slash
            if stop > position:
                self._add(source[position:stop], position, stop)
                self._blanks = self._marks = 0
            if slash < 0:
                break
            match = _ESCAPE.match(source, slash, end)
            assert match is not None  # a slash is there, and anything may follow it
            self._add_escaped(_resolved(match), slash, match.end())
            position = match.end()

    def add_plain(self, start: int, end: int) -> None:
        """The characters of the source at [start, end) as they are."""
        self._add(self._source[start:end], start, end)

    def to_source(self, start: int, end: int) -> tuple[int, int] | None:
        """The part of the source that shows in [start, end) of this text, or None if nothing of it does."""
        first = max(0, bisect_right(self._starts, start) - 1)
        low = high = None
        for i in range(first, len(self._runs)):
            run_start, run_end, source_start, source_end = self._runs[i]
            if run_start >= end:
                break
            if run_end <= start:
                continue
            whole = run_end - run_start == source_end - source_start
            if low is None:
                low = source_start + (max(0, start - run_start) if whole else 0)
            high = source_end - (max(0, run_end - end) if whole else 0)
        return None if low is None or high is None else (low, high)

    def _add(self, text: str, start: int, end: int) -> None:
        self._starts.append(self._length)
        self._runs.append((self._length, self._length + len(text), start, end))
        self._parts.append(text)
        self._length += len(text)

    def _add_escaped(self, ch: str, start: int, end: int) -> None:
        if not ch:
            return
        if ch in " \n\t":
            self._blanks += 1
            if self._blanks > (_MOST_BLANKS if ch != "\n" else 2):
                return
        else:
            self._blanks = 0
        self._marks = self._marks + 1 if unicodedata.combining(ch[0]) else 0
        if self._marks <= _MOST_MARKS:
            self._add(ch, start, end)


def _resolved(match: re.Match[str]) -> str:
    if match[3] is not None:
        return _PLAIN.get(match[3], match[3])
    if match[1] is None:
        return ""
    code = int(match[1], 16)
    if 0xD800 <= code < 0xDC00 and match[2] is not None:
        return chr(0x10000 + ((code - 0xD800) << 10) + (int(match[2], 16) - 0xDC00))
    if match[2] is not None or 0xD800 <= code < 0xE000:
        return " "
    ch = chr(code)
    match unicodedata.category(ch):
        case "Cf":
            return ""
        case "Cc" | "Zs" | "Cn" | "Zl" | "Zp":
            return "\n" if ch in "\n\r\x0b\x0c\x85\u2028\u2029" else " "
        case _:
            return ch
