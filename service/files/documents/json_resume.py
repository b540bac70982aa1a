"""JSON Resume: it stays JSON, since redaction and scoring read it by its schema."""

from __future__ import annotations

from service.files.documents.invisible import without_zero_width
from service.files.documents.parsed import (
    DocumentLimits,
    ParsedDocument,
    Warnings,
    check_length,
    counted,
)
from service.files.documents.plain_text import decode


class JsonResumeParser:
    """The JSON text as it is: `service.core.redaction.json_resume` knows which of its values are personal."""

    def parse(self, data: bytes, limits: DocumentLimits) -> ParsedDocument:
        """Raises `DocumentTooLargeError`."""
        warnings = Warnings()
        text = without_zero_width(decode(data, warnings).strip(), warnings)
        return ParsedDocument(check_length(text, limits), "json_resume", None, counted(warnings))
