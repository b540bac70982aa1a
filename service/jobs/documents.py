"""What the worker needs of whoever reads documents (PDF, Word, ...); the parsers are not of this room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from service.core.errors import RowError
from service.jobs.rows import DocumentFile


class ParsedDocument(Protocol):
    """What was read of a file. `warnings`: counts by code, never text."""

    @property
    def text(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def pages(self) -> int | None: ...

    @property
    def characters(self) -> int: ...

    @property
    def warnings(self) -> Mapping[str, int]: ...


class DocumentReader(Protocol):
    """Reads one file, in a process of its own with limits; called in a thread, several at a time."""

    def __call__(self, name: str, content: bytes, /) -> ParsedDocument:
        """Raises an `InputError` if the file cannot be read, a `CapacityError` if it cannot be now."""


def text_of(file: DocumentFile, read: DocumentReader | None, field: str) -> ParsedDocument:
    """Raises what reading raises, and `RowError` for a file that never came or that nothing here reads."""
    if file.content is None:
        raise RowError(f"{field} names a file that was not uploaded", field=field)
    if read is None:
        raise RowError(f"{field} is a file, and this service reads texts only", field=field)
    return read(file.name, file.content)
