"""Raw text -> normalised and redacted text, behind a protocol: where that runs is the caller's choice.

Reading is Python's own `re` and `unicodedata`, which hold the interpreter's lock while they run. A service
has long texts read by another process (`service.runtime.reader_pool`); commands read them in their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from service.core.documents import Document, read_document
from service.core.redaction.given import GivenSpan, find_given
from service.core.redaction.policy import Category
from service.core.redaction.redactor import Redacted, Redactor
from service.core.resume_warnings import Findings, findings_of

Cancelled = Callable[[], bool]


def never() -> bool:
    """For callers who wait until the end."""
    return False


@dataclass(frozen=True, slots=True)
class ReadText:
    """`document` is normalised and not redacted. `redacted` is None if nothing was asked to be hidden.

    `without_names`: the text with names alone hidden, None if that was not asked for.

    `findings`: why a person should look at it if it is meant to be a resume, but for those of its language.
    """

    document: Document
    redacted: Redacted | None
    findings: Findings = field(default_factory=Findings)
    without_names: str | None = None


class TextReader(Protocol):
    """Reads one text. Thread-safe."""

    def read(
        self,
        text: str,
        *,
        field: str,
        max_characters: int,
        categories: Collection[Category] | None,
        given: Sequence[GivenSpan] = (),
        names_alone: bool = False,
        cancelled: Cancelled = never,
    ) -> ReadText:
        """Normalise `text`, and redact `categories`, and the spans `given`, unless `categories` is None.

        `names_alone`: hide names (`redaction.name_places`) where `categories` is None.

        `cancelled` is asked now and then while another process reads: once it says so, nobody waits any
        more, and `CallerGoneError` is raised. Raises an `InputError` that names `field` if the text is
        empty, too long or unreadable, `SpanNotFoundError`s with the fields of spans that do not stand in it,
        and a `CapacityError` if it cannot be read now.
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
        given: Sequence[GivenSpan] = (),
        names_alone: bool = False,
        cancelled: Cancelled = never,
    ) -> ReadText:
        document = read_document(text, field=field, max_characters=max_characters)
        places = find_given(document.text, given)
        if categories is None:
            nameless = None
            if names_alone:
                nameless = self._redactor.of_names_alone().redact(document.text, field=field).text
            return ReadText(document, None, findings_of(text, document.text), nameless)
        redacted = self._redactor.with_categories(categories).redact(document.text, field=field, given=places)
        names = redacted if "name" in categories else None
        return ReadText(document, redacted, findings_of(text, document.text, names))
