"""Resumes with annotated spans: JSON Lines of `{"id", "text", "spans": [{"label", "start", "end"}]}`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from service.core.errors import TableError, UndecodableTextError
from service.core.tables import JsonObject, json_rows
from training.data.example import DataFormatError

Half = Literal["first", "second"]

_LONGEST_LABEL = 64
"""Labels stand in the report: a column of texts that was taken for labels must not."""


@dataclass(frozen=True, slots=True)
class AnnotatedSpan:
    """Characters [start, end) of the text as it came."""

    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AnnotatedResume:
    id: str
    text: str
    spans: tuple[AnnotatedSpan, ...]


def read_annotated(path: Path) -> list[AnnotatedResume]:
    """Every resume of the file.

    Raises `DataFormatError` that names file, line and field, never a text: for a file that cannot be read or
    is empty, a field that is missing or of another type, a span outside its text, and an id that stands there
    twice.
    """
    found: dict[str, AnnotatedResume] = {}
    try:
        with path.open("rb") as stream:
            for row, line in json_rows(path, stream):
                resume = _resume(row, f"{path} line {line}")
                if resume.id in found:
                    raise DataFormatError(f"{path} line {line}: its id stands in another line too")
                found[resume.id] = resume
    except OSError as error:
        raise DataFormatError(f"{path} cannot be read: {error.strerror}") from None
    except (TableError, UndecodableTextError) as error:
        raise DataFormatError(error.message) from None
    if not found:
        raise DataFormatError(f"{path} holds no resumes")
    return list(found.values())


def half_of(resumes: Sequence[AnnotatedResume], half: Half, seed: int) -> list[AnnotatedResume]:
    """The resumes whose id falls into that half by a hash with `seed`: whatever else stands in the file."""
    wanted = 0 if half == "first" else 1
    return [
        r
        for r in resumes
        if hashlib.sha256(f"{seed}:{r.id}".encode(errors="surrogatepass")).digest()[0] % 2 == wanted
    ]


def _resume(row: JsonObject, place: str) -> AnnotatedResume:
    name, text, spans = row.get("id"), row.get("text"), row.get("spans")
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise DataFormatError(f"{place}: `id` must be a string or a whole number")
    if not isinstance(text, str):
        raise DataFormatError(f"{place}: `text` must be a string")
    if not isinstance(spans, list):
        raise DataFormatError(f"{place}: `spans` must be a list")
    return AnnotatedResume(
        str(name), text, tuple(_span(s, len(text), f"{place}: spans[{i}]") for i, s in enumerate(spans))
    )


def _span(span: object, length: int, place: str) -> AnnotatedSpan:
    if not isinstance(span, dict):
        raise DataFormatError(f"{place} must be an object")
    label, start, end = span.get("label"), span.get("start"), span.get("end")
    if not isinstance(label, str) or not 0 < len(label) <= _LONGEST_LABEL:
        raise DataFormatError(f"{place}.label must be a string of 1 to {_LONGEST_LABEL} characters")
    if not isinstance(start, int) or not isinstance(end, int) or bool in (type(start), type(end)):
        raise DataFormatError(f"{place}.start and .end must be whole numbers")
    if not 0 <= start < end <= length:
        raise DataFormatError(f"{place}: [{start}, {end}) is no span of a text of {length:,} characters")
    return AnnotatedSpan(label, start, end)
