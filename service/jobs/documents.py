"""The text of a file that stands in a row's or a posting's place."""

from __future__ import annotations

from service.core.errors import RowError
from service.files.documents.parsed import ParsedDocument, require_text
from service.files.documents.pool import DocumentReader
from service.jobs.rows import DocumentFile


def read_file(file: DocumentFile, reader: DocumentReader, field: str) -> ParsedDocument:
    """What a person sees in it.

    Raises what `DocumentReader.read` raises, `NoTextLayerError` for a scan, `RowError` for a file that never
    came.
    """
    if file.content is None:
        raise RowError(f"{field} names a file that was not uploaded", field=field)
    document = reader.read(file.content, field=field)
    require_text(document, field)
    return document
