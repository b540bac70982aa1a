"""JSON that comes as a text: the text that it holds, or the record that it is.

A JSON Resume stays JSON, and so does any other record of a person, since redaction knows by their keys what
is personal (`service.core.redaction.json_resume`); their values are read one by one. What is an envelope
around a text (`{"text": "..."}`, an array of paragraphs, the document of an editor) is that text.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from service.core.redaction.json_resume import is_json_resume

ReadValue = Callable[[str], str]
"""What a text within JSON is read as."""

_TEXT_KEYS = frozenset(
    """text plaintext fulltext rawtext html body content contents markdown md value insert resume
    resumetext cv cvtext description jobdescription descriptionhtml descriptionplain descriptiontext
    data result results output parsedtext extractedtext document pagecontent pages page paragraphs
    paragraph lines line blocks block children sections section ops root doc items elements nodes
    message response payload lists additional additionalplain opening openingplain
    raw posting job jd attachment file rendered""".split()
)
"""Keys under which an envelope holds a text or a part of one, without separators and in small letters."""

_CONTENT_KEYS = frozenset(
    """title jobtitle headline heading header subject name label summary requirements
    responsibilities qualifications skills benefits about duties intro introduction overview list
    caption""".split()
)
"""Keys of what belongs to a text beside its body. What else stands in an envelope is about it."""

_INLINE_TYPES = frozenset(
    """text span link a bold strong italic em code mention emoji linebreak hardbreak hard_break br
    inlinecode mark autolink""".split()
)
_OF_MACHINES = frozenset(
    ["type", "format", "mode", "style", "version", "id", "key", "uuid", "url", "href", "schema", "context"]
)
_OF_INLINE_TEXTS = frozenset(
    ["text", "marks", "bold", "italic", "underline", "format", "detail", "mode", "style", "version"]
)
_SETTINGS = frozenset(
    [
        "attributes",
        "attrs",
        "meta",
        "metadata",
        "marks",
        "entitymap",
        "inlinestyleranges",
        "styles",
        "styling",
        "tunes",
    ]
)
"""Keys of objects that say how a text looks."""

_LONG = 60
_LEAST_SHARE = 0.8
_FENCE = re.compile(r"\A```(?:json)?\s{0,10}|\s{0,10}```\Z")
_DEEPEST = 60
_MOST_RECORDS = 3


def text_of_json(text: str, read_value: ReadValue) -> str | None:
    """What a JSON `text` is read as, or None if it is no JSON or holds no text.

    `read_value` reads each text in it.
    """
    given = _loaded(_FENCE.sub("", text.strip()))
    if given is None:
        return None
    if isinstance(given, str):
        return given
    read_value = cache(read_value)  # each once: what is hidden in it is counted
    resume = _resume_within(given)
    if resume is not None:
        return _dumped(_with_values(resume, read_value, 0))
    envelope = _Envelope(read_value)
    envelope.walk(given, "", 0, True)
    if not envelope.letters:
        return None
    if envelope.texts == 1:
        return envelope.only
    if envelope.of_text >= _LEAST_SHARE * envelope.letters:
        return envelope.text
    record = _dumped(_with_values(given, read_value, 0))
    return None if _same(record, given) else record


def _loaded(text: str) -> Any:
    """JSON, or what Python prints of the same. None for anything else, and for numbers and the like."""
    given: Any
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        try:
            given = _as_json(ast.literal_eval(text))
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
    return given if isinstance(given, str | dict | list) else None


def _as_json(given: object, depth: int = 0) -> object:
    """A value of Python as JSON would have it. Raises `ValueError` for what JSON cannot say without loss."""
    if isinstance(given, bytes):
        return given.decode("utf-8", "replace")
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(given, dict):
        plain = {_key(key): _as_json(value, depth + 1) for key, value in given.items()}
        if len(plain) < len(given):
            raise ValueError("two keys are one")
        return plain
    if isinstance(given, set | frozenset):
        given = sorted(given, key=repr)  # a set's own order differs from one process to the next
    if isinstance(given, list | tuple):
        return [_as_json(value, depth + 1) for value in given]
    if given is None or isinstance(given, str | bool | int | float):
        return given
    raise ValueError("no value of JSON")


def _key(key: object) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)


def _resume_within(given: object, depth: int = 0) -> object | None:
    """The JSON Resume that something is, or that it holds."""
    if not isinstance(given, dict):
        if isinstance(given, list) and len(given) == 1 and depth < _MOST_RECORDS:
            return _resume_within(given[0], depth + 1)
        return None
    if is_json_resume(_dumped(given)):
        return given
    if depth == _MOST_RECORDS or len(given) > 8:
        return None
    return next(
        (found for one in given.values() if (found := _resume_within(one, depth + 1)) is not None), None
    )


def _with_values(given: object, read_value: ReadValue, depth: int) -> object:
    if isinstance(given, str):
        return read_value(given)
    if depth > _DEEPEST:
        return given
    if isinstance(given, dict):
        return {key: _with_values(value, read_value, depth + 1) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [_with_values(value, read_value, depth + 1) for value in given]
    return given


def _dumped(given: object) -> str:
    return json.dumps(given, ensure_ascii=False, indent=1)


def _same(record: str, given: object) -> bool:
    return bool(json.loads(record) == given)


@dataclass(slots=True)
class _Envelope:
    """Gathers what is text in JSON. `letters`: of all `texts`, `of_text`: of those under keys of texts."""

    read_value: ReadValue
    letters: int = 0
    texts: int = 0
    only: str = ""
    of_text: int = 0
    _parts: list[str] = field(default_factory=list)
    _long: set[str] = field(default_factory=set)

    def walk(self, given: object, key: str, depth: int, is_text: bool) -> None:
        """`is_text`: all keys on the way are those of texts."""
        if isinstance(given, str):
            self._add(given, key, is_text)
        elif depth > _DEEPEST or key in _SETTINGS:
            return
        elif isinstance(given, dict):
            for name, value in given.items():
                plain = _plain(str(name))
                self.walk(value, plain, depth + 1, is_text and plain in _TEXT_KEYS)
            kind = given.get("type")
            if not (isinstance(kind, str) and kind.lower() in _INLINE_TYPES) and "insert" not in given:
                # An item of text without a type ends no line: Slate's {"text": "..."} beside another.
                if not _OF_INLINE_TEXTS.issuperset(map(str, given)):
                    self._break()
            elif isinstance(kind, str) and "break" in kind.lower():
                self._break()
        elif isinstance(given, list | tuple):
            is_list_of_texts = all(isinstance(one, str) for one in given)
            for one in given:
                self.walk(one, key, depth + 1, is_text)
                if is_list_of_texts:
                    self._break()

    def _add(self, given: str, key: str, is_text: bool) -> None:
        if key in _OF_MACHINES:
            return
        letters = sum(map(str.isalpha, given))
        self.letters += letters
        if letters:
            self.texts += 1
            self.only = given if self.texts > 1 else self.read_value(given)
        if not is_text and key not in _CONTENT_KEYS:
            return
        self.of_text += letters
        read = self.read_value(given)
        words = "".join(filter(str.isalnum, read))
        if len(words) >= _LONG and words in self._long:
            return  # the same as HTML and as plain text
        if len(words) >= _LONG:
            self._long.add(words)
        if not is_text:
            self._break()
        self._parts.append(read if is_text else f"{read}\n")

    def _break(self) -> None:
        if self._parts and not self._parts[-1].endswith("\n"):
            self._parts.append("\n")

    @property
    def text(self) -> str:
        return "".join(self._parts).strip()


def _plain(key: str) -> str:
    return "".join(filter(str.isalnum, key)).lower()
