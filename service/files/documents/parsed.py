"""What a parser makes of a document, and within which limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from pydantic import BaseModel, ConfigDict, Field

from service.core.errors import DocumentTooLargeError, NoTextLayerError
from service.core.resume_warnings import ResumeWarning
from service.files.documents.kinds import DocumentKind

DocumentWarning = Literal[
    "hidden_text",
    "zero_width_characters",
    "two_columns",
    "images_only",
    "no_text_layer",
    "ocr",
    "ocr_layer",
    "unmapped_glyphs",
    "repeated_lines",
    "tables",
    "text_boxes",
    "tracked_deletions",
    "macros_ignored",
    "guessed_encoding",
    "markup_read",
]
"""What a person should know of a reading; each comes with a count.

- `hidden_text`: characters that a reader cannot see; they are not in the text.
- `zero_width_characters`: characters without any width, taken out of the text.
- `two_columns`: pages with columns that are read one after the other.
- `images_only`: pages that show an image and no text.
- `no_text_layer`: pages of a document that has no text at all, as a scan. The text is empty.
- `ocr`: pages whose text was read from their image.
- `ocr_layer`: characters of an invisible text over a scan, as scanners put it there. They are in the text.
- `unmapped_glyphs`: glyphs of which the file does not say which characters they are.
- `repeated_lines`: headers and footers of later pages that were left out.
- `tables`, `text_boxes`: how many were read.
- `tracked_deletions`: characters that somebody deleted with changes being tracked; they are not in the text.
- `macros_ignored`: programs in the document, which nobody runs.
- `guessed_encoding`: 1 if the encoding of a plain text is not certain.
- `markup_read`: characters of a text that was really HTML, RTF, Markdown or JSON, by which it is longer than
  what was read of it; 1 at least.
"""
DOCUMENT_WARNINGS: tuple[DocumentWarning, ...] = get_args(DocumentWarning)


class DocumentLimits(BaseModel):
    """How much one document may hold, and how much reading it may take."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_document_bytes: int = Field(10 * 2**20, ge=1_024, le=2**30, description="Largest document, in bytes.")
    max_unpacked_bytes: int = Field(
        100 * 2**20,
        ge=1_024,
        le=2**32,
        description="Most bytes that the parts of one document unpack to.",
    )
    max_document_pages: int = Field(50, ge=1, le=10_000, description="Most pages of one document.")
    max_document_characters: int = Field(
        400_000, ge=1_000, description="Most characters that are read from one document."
    )
    document_cpu_seconds: float = Field(
        10.0, gt=0, le=600, description="CPU time to read one document; the kernel ends what takes more."
    )
    document_memory_mib: int = Field(
        512, ge=64, le=65_536, description="Memory to read one document, beside what the reader itself takes."
    )
    ocr: bool = Field(
        False, description="Read scans with the program `tesseract`, if it is there; slow, and not exact."
    )
    ocr_languages: str = Field(
        "eng", pattern=r"^[A-Za-z_]+(\+[A-Za-z_]+)*$", description="Tesseract's languages, as `eng+deu`."
    )
    ocr_cpu_seconds: float = Field(60.0, gt=0, le=3_600, description="CPU time for one document's OCR.")


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """The text that a reader sees. `pages`: None where a format has none before it is laid out."""

    text: str
    kind: DocumentKind
    pages: int | None = None
    warnings: Mapping[DocumentWarning, int] = field(default_factory=dict)

    @property
    def characters(self) -> int:
        return len(self.text)

    def __repr__(self) -> str:
        return f"ParsedDocument(kind={self.kind!r}, pages={self.pages}, characters={self.characters})"


class Parser(Protocol):
    """Reads documents of one kind."""

    def parse(self, data: bytes, limits: DocumentLimits) -> ParsedDocument:
        """Raises a `DocumentError` that says what is wrong with the document."""


Warnings = Counter[DocumentWarning]
"""Counts while a document is read."""


def counted(warnings: Warnings) -> dict[DocumentWarning, int]:
    """Those that occurred, in the order in which they are documented."""
    return {code: warnings[code] for code in DOCUMENT_WARNINGS if warnings[code] > 0}


def check_length(text: str, limits: DocumentLimits) -> str:
    """`text`. Raises `DocumentTooLargeError` if it has more characters than the limit."""
    if len(text) > limits.max_document_characters:
        raise DocumentTooLargeError(
            f"the document holds {len(text):,} characters; the limit is {limits.max_document_characters:,}",
            limit=limits.max_document_characters,
            actual=len(text),
        )
    return text


def about_text(document: ParsedDocument | None) -> dict[ResumeWarning, int]:
    """What a document says of the text that was read of it, as warnings of a resume, in characters."""
    if document is None:
        return {}
    found = document.warnings
    of_scan = document.characters if found.get("ocr", 0) else found.get("ocr_layer", 0)
    return {"hidden_text": found.get("hidden_text", 0), "text_of_scan": of_scan}


def require_text(document: ParsedDocument, field: str) -> str:
    """The text of a document that is to be scored. Raises `NoTextLayerError` if it is a scan without text."""
    if pages := document.warnings.get("no_text_layer", 0):
        raise NoTextLayerError(
            f"{field} has no text layer: {pages} of its pages show images only, as a scan does; "
            "run OCR on it first, or set EVENMATCH_OCR",
            field=field,
        )
    return document.text
