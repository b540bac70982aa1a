"""Raw text -> normalised and redacted text, behind a protocol: where that runs is the caller's choice.

Reading is Python's own `re` and `unicodedata`, which hold the interpreter's lock while they run. A service
has long texts read by another process (`service.runtime.reader_pool`); commands read them in their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from service.core.documents import Document, read_document
from service.core.redaction.policy import Category
from service.core.redaction.redactor import Redacted, Redactor

Cancelled = Callable[[], bool]


def never() -> bool:
    """For callers who wait until the end."""
    return False


@dataclass(frozen=True, slots=True)
class ReadText:
    """`document` is normalised and not redacted. `redacted` is None if nothing was asked to be hidden."""

    document: Document
    redacted: Redacted | None


class TextReader(Protocol):
    """Reads one text. Thread-safe."""

    def read(
        self,
        text: str,
        *,
        field: str,
        max_characters: int,
        categories: Collection[Category] | None,
        cancelled: Cancelled = never,
    ) -> ReadText:
        """Normalise `text`, and redact `categories` unless they are None.

        `cancelled` is asked now and then while another process reads: once it says so, nobody waits any
        more, and `CallerGoneError` is raised. Raises an `InputError` that names `field` if the text is
        empty, too long or unreadable, and a `CapacityError` if it cannot be read now.
        """


class InProcessReader:
    """Reads in the caller's thread, by `redactor`'s rules."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def read(
        self,
        text: str,
        *,
        field: str,
        max_characters: int,
        categories: Collection[Category] | None,
        cancelled: Cancelled = never,
    ) -> ReadText:
        document = read_document(text, field=field, max_characters=max_characters)
        if categories is None:
            return ReadText(document, None)
        redactor = self._redactor.with_categories(categories)
        return ReadText(document, redactor.redact(document.text, field=field))
