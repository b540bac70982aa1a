"""Text as it grows while a document is walked over: lines, paragraphs, items of lists, rows of tables."""

from __future__ import annotations

import re

_BLANKS = re.compile(r"[ \t\r\n\f\v\u00a0]+")
_IN_LINE = re.compile(r" ?\t[ \t]*")
_SHORT = 80
"""Characters of a cell at most that shares a line with its neighbours."""


class TextBlocks:
    """Paragraphs on lines of their own."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._open: list[str] = []
        self._asides: list[str] = []
        self._is_item = False

    def add(self, text: str) -> None:
        """Text of the current line. A tab is a gap, as between a title and its date."""
        self._open.append(text)

    def line(self) -> None:
        """End the current line."""
        line = _IN_LINE.sub("    ", "".join(self._open)).strip()
        self._open.clear()
        if line:
            self._lines.append(f"• {line}" if self._is_item and not line.startswith("•") else line)
            self._is_item = False

    def bullet(self) -> None:
        """The next line is an item of a list."""
        self.line()
        self._is_item = True

    def paragraph(self) -> None:
        """End the current paragraph; text boxes anchored in it follow."""
        self.line()
        self._is_item = False
        asides, self._asides = self._asides, []
        for text in asides:
            self._lines += ["", *text.split("\n"), ""]

    def gap(self) -> None:
        """An empty line."""
        self.paragraph()
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def aside(self, text: str) -> None:
        """A block that belongs after the current paragraph."""
        if text:
            self._asides.append(text)

    def cells(self, cells: list[str]) -> None:
        """One row of a table: short cells side by side, long ones one below the other."""
        self.paragraph()
        filled = [cell for cell in cells if cell]
        if all("\n" not in cell and len(cell) <= _SHORT for cell in filled):
            if filled:
                self._lines.append("    ".join(filled))
            return
        for cell in filled:
            self._lines += [*cell.split("\n"), ""]

    @property
    def text(self) -> str:
        """Everything so far."""
        self.paragraph()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip()


def collapsed(text: str) -> str:
    """Each run of white space as one blank, as browsers show it."""
    return _BLANKS.sub(" ", text)
