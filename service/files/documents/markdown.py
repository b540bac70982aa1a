"""Markdown by markdown-it: what it shows, without its marks."""

from __future__ import annotations

from markdown_it import MarkdownIt

from service.files.documents.html import parse_html
from service.files.documents.parsed import DocumentLimits, ParsedDocument, Warnings
from service.files.documents.plain_text import decode


class MarkdownParser:
    """CommonMark with tables and struck text; HTML in it counts as in a page."""

    def __init__(self) -> None:
        self._markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

    def parse(self, data: bytes, limits: DocumentLimits) -> ParsedDocument:
        """Raises `DocumentTooLargeError`."""
        warnings = Warnings()
        text = decode(data, warnings)
        return parse_html(f"<body>{self._markdown.render(text)}</body>", "markdown", limits, warnings)
