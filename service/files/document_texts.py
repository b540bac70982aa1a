"""Documents -> texts: plain text in this process, whatever needs a parser in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType

from service.core.errors import DocumentError, NestedArchiveError
from service.core.resume_warnings import ResumeWarning
from service.files.documents.kinds import DocumentKind, kind_of_document
from service.files.documents.parsed import (
    DocumentLimits,
    DocumentWarning,
    ParsedDocument,
    Warnings,
    about_text,
    counted,
    require_text,
)
from service.files.documents.parsers import check_size
from service.files.documents.plain_text import decode
from service.files.documents.pool import DocumentReader, about_field
from service.files.text_files import decoded

_CONTAINERS = (b"PK", b"\xd0\xcf\x11\xe0")
"""Beginnings of what has to be unpacked before anybody knows what it is."""

DOCUMENT_NOTES: Mapping[DocumentWarning, str] = {
    "images_only": "pages without text",
    "unmapped_glyphs": "characters that the file does not name",
    "guessed_encoding": "encoding guessed",
}
"""Warnings of documents as notes; the others are of no weight to who looks at a ranking."""


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """What was read, beside its text. `pages`: None where a format has none before it is laid out."""

    kind: DocumentKind
    pages: int | None
    characters: int
    warnings: Mapping[DocumentWarning, int] = field(default_factory=dict)
    of_text: Mapping[ResumeWarning, int] = field(default_factory=dict)
    """What that says of the text, as warnings of a resume."""

    @property
    def notes(self) -> list[str]:
        """What a person who looks at a ranking should know."""
        return [note for code, note in DOCUMENT_NOTES.items() if code in self.warnings]


class DocumentTexts:
    """Reads documents. `processes`: how many at a time. `encoding`: of texts, if a caller knows it.

    Used as a context manager; the processes start when the first document needs one. Thread-safe.
    """

    def __init__(self, limits: DocumentLimits, *, encoding: str | None = None, processes: int = 1) -> None:
        """Raises `ConfigurationError` if OCR is on and its program is not there."""
        self._reader = DocumentReader(limits, size=processes)
        self.encoding = encoding
        self.limits = limits
        self.processes = processes

    def __enter__(self) -> DocumentTexts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the processes; nothing can be read afterwards."""
        self._reader.stop()

    def read(self, data: bytes, *, field: str) -> tuple[str, DocumentSummary]:
        """The text of a document, and what it is. `field` names it in errors.

        Raises a `DocumentError` that says what is wrong with it (`NoTextLayerError` for a scan),
        `NestedArchiveError` for an archive, `UndecodableTextError` for bytes of another encoding than the one
        that was named, and `ReaderDownError`.
        """
        if self._is_plain(data, field):
            text, summary = self._plain_text(data, field)
            if summary.kind != "text":
                return text, summary
            read, found = self.read_text(text, field=field)
            return read, summary if found is None else replace(
                found, warnings={**summary.warnings, **found.warnings}
            )
        document = self._reader.read(data, field=field)
        return require_text(document, field), _summary(document)

    def read_text(self, text: str, *, field: str) -> tuple[str, DocumentSummary | None]:
        """A text as a reader sees it, and what it was if it was really HTML, RTF, Markdown or JSON.

        Raises as `read`.
        """
        document = self._reader.read_text(text, field=field)
        return (text, None) if document is None else (document.text, _summary(document))

    def _is_plain(self, data: bytes, field: str) -> bool:
        """Whether it is text as it stands. Only what has to be unpacked or parsed goes to a process."""
        try:
            check_size(data, self.limits)
            if data.startswith(_CONTAINERS):
                return False
            return kind_of_document(data) in ("text", "json_resume")
        except (DocumentError, NestedArchiveError) as error:
            raise about_field(error, field) from None

    def _plain_text(self, data: bytes, field: str) -> tuple[str, DocumentSummary]:
        warnings = Warnings()
        given = self.encoding
        text = decode(data, warnings) if given is None else decoded(data, field, given)
        kind = kind_of_document(data)
        return text, DocumentSummary(kind, None, len(text), counted(warnings))


def _summary(document: ParsedDocument) -> DocumentSummary:
    return DocumentSummary(
        document.kind, document.pages, document.characters, document.warnings, about_text(document)
    )
