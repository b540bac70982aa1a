"""`multipart/form-data` as it arrives: which part begins, its bytes, and its end. Nothing is held back.

Starlette's own parser puts parts into temporary files, as they are: resumes do not belong there.
"""

from __future__ import annotations

from dataclasses import dataclass

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

from service.core.errors import UploadError

_MAX_HEADER_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class PartBegins:
    name: str
    filename: str
    media_type: str


@dataclass(frozen=True, slots=True)
class PartData:
    content: bytes


@dataclass(frozen=True, slots=True)
class PartEnds:
    pass


Event = PartBegins | PartData | PartEnds


class MultipartReader:
    """Raises `UploadError` for a body that is not what its content type says."""

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if not boundary:
            raise UploadError("multipart/form-data without a boundary", field="content-type")
        self._events: list[Event] = []
        self._headers: dict[bytes, bytes] = {}
        self._field, self._value = bytearray(), bytearray()
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": lambda data, start, end: self._grow(self._field, data[start:end]),
                "on_header_value": lambda data, start, end: self._grow(self._value, data[start:end]),
                "on_header_end": self._header_ends,
                "on_headers_finished": self._part_begins,
                "on_part_data": lambda data, start, end: self._events.append(PartData(data[start:end])),
                "on_part_end": lambda: self._events.append(PartEnds()),
                "on_end": self._ends,
            },
        )

    def feed(self, part: bytes) -> list[Event]:
        """What this part of the body brings."""
        try:
            self._parser.write(part)
        except MultipartParseError:
            raise UploadError("the body is not multipart/form-data as its boundary says") from None
        events, self._events = self._events, []
        return events

    def finish(self) -> None:
        """Raises `UploadError` if the body ended in the middle."""
        if not self._complete:
            raise UploadError("the body ends before its last boundary")

    def _grow(self, to: bytearray, part: bytes) -> None:
        to += part
        if len(to) > _MAX_HEADER_BYTES:
            raise UploadError("a part of the body has a header that is too long", limit=_MAX_HEADER_BYTES)

    def _header_ends(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _part_begins(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition"))
        if disposition != b"form-data" or b"name" not in options:
            raise UploadError("a part of the body has no name")
        self._events.append(
            PartBegins(
                options[b"name"].decode("utf-8", "replace"),
                options.get(b"filename", b"").decode("utf-8", "replace"),
                self._headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower(),
            )
        )

    def _ends(self) -> None:
        self._complete = True
