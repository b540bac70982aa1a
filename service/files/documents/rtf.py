"""RTF by striprtf, after what a reader cannot see has been taken out of the source."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from striprtf.striprtf import rtf_to_text

from service.core.errors import DamagedDocumentError
from service.files.documents.colors import looks_like
from service.files.documents.invisible import without_zero_width
from service.files.documents.parsed import (
    DocumentLimits,
    DocumentWarning,
    ParsedDocument,
    Warnings,
    check_length,
    counted,
)

_TOKEN = re.compile(
    r"\\(?P<word>[a-z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<symbol>[^a-z'])"
    r"|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+|\\",
    re.IGNORECASE,
)
_COLOR_TABLE = re.compile(r"\{\\colortbl([^}]{0,20000})\}")
_PART = re.compile(r"\\(red|green|blue)(\d{1,3})")
_WHITE = (255, 255, 255)
_SMALLEST = 2
"""Half points."""

_SHORT_CELL = 80

_DEEPEST = 500
_NOT_TEXT = frozenset(
    [
        "fonttbl",
        "colortbl",
        "stylesheet",
        "info",
        "pict",
        "themedata",
        "colorschememapping",
        "latentstyles",
        "datastore",
        "rsidtbl",
        "generator",
        "listtable",
        "listoverridetable",
        "revtbl",
        "xmlnstbl",
        "fldinst",
        "object",
        "objdata",
        "filetbl",
        "bkmkstart",
        "bkmkend",
        "mmathpr",
        "wgrffmtfilter",
        "background",
        "shpinst",
        "nonshppict",
    ]
)


@dataclass(slots=True)
class _State:
    """What holds within a group."""

    hidden: bool = False
    deleted: bool = False
    color: int = 0
    ground: int = 0
    half_points: int = 24
    is_text: bool = True

    def copy(self) -> _State:
        return _State(self.hidden, self.deleted, self.color, self.ground, self.half_points, self.is_text)


class RtfParser:
    """The text, with hidden and deleted text left out."""

    def parse(self, data: bytes, limits: DocumentLimits) -> ParsedDocument:
        """Raises `DamagedDocumentError` and `DocumentTooLargeError`."""
        warnings = Warnings()
        source = _visible(data.decode("latin-1"), warnings)
        try:
            text = str(rtf_to_text(source, encoding="cp1252", errors="replace"))  # type: ignore[no-untyped-call]
        except (
            ValueError,
            IndexError,
            KeyError,
            LookupError,
            TypeError,
            RecursionError,
            OverflowError,
        ) as error:
            raise DamagedDocumentError(
                f"the document is damaged: it begins as RTF and cannot be read ({type(error).__name__})"
            ) from None
        text = text.replace("\t", "    ")
        text = re.sub(r"^([•·▪]) {2,}", "• ", text, flags=re.MULTILINE)
        text = re.sub(r"\n[ \n]*\n", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()
        text = without_zero_width(text, warnings)
        return ParsedDocument(check_length(text, limits), "rtf", None, counted(warnings))


def _visible(source: str, warnings: Warnings) -> str:
    """RTF without the text that is hidden, deleted, white on white, or of a point or less."""
    colors = _colors(source)
    stack: list[_State] = []
    state = _State()
    row = _Row()
    kept: list[str] = []
    for match in _TOKEN.finditer(source):
        token = match[0]
        if match["brace"] == "{":
            if len(stack) >= _DEEPEST:
                raise DamagedDocumentError(
                    f"the document is damaged: its groups are nested more than {_DEEPEST} deep"
                )
            stack.append(state.copy())
        elif match["brace"] == "}":
            state = stack.pop() if stack else _State()
        elif match["word"]:
            number = int(match["number"]) if match["number"] else None
            if match["word"] == "u" and _is_unseen(state, row, colors):
                warnings[_kind(state)] += 1
                continue
            _control(match["word"], number, state)
            if (instead := row.control(match["word"], number)) is not None:
                token = instead
        elif (match["text"] or match["hex"]) and state.is_text and _is_unseen(state, row, colors):
            warnings[_kind(state)] += len("".join(match["text"].split())) if match["text"] else 1
            continue
        elif match["text"] and state.is_text:
            row.written += len(match["text"])
        kept.append(token)
    return "".join(kept)


@dataclass(slots=True)
class _Row:
    """The cells of a table's row: their grounds, which one is being read, and what it holds so far."""

    grounds: list[int] = field(default_factory=list)
    ground: int = 0
    cell: int = 0
    written: int = 0
    has_lines: bool = False

    def control(self, word: str, number: int | None) -> str | None:
        """What to write instead of a control word: short cells stand side by side."""
        match word:
            case "trowd":
                self.grounds, self.ground, self.cell = [], 0, 0
            case "clcbpat":
                self.ground = number or 0
            case "cellx":
                self.grounds.append(self.ground)
                self.ground = 0
            case "par" | "line" | "sect":
                self.has_lines = True
            case "cell" | "nestcell":
                self.cell += 1
                is_short = self.written <= _SHORT_CELL and not self.has_lines
                self.written, self.has_lines = 0, False
                return "\\tab " if is_short else "\\par "
            case "row" | "nestrow":
                self.cell = 0
        return None

    @property
    def shade(self) -> int:
        return self.grounds[self.cell] if self.cell < len(self.grounds) else 0


def _kind(state: _State) -> DocumentWarning:
    return "tracked_deletions" if state.deleted else "hidden_text"


def _control(word: str, number: int | None, state: _State) -> None:
    on = number != 0
    match word:
        case "v" | "webhidden":
            state.hidden = on
        case "deleted":
            state.deleted = on
        case "cf":
            state.color = number or 0
        case "chcbpat" | "cb" | "highlight" | "cbpat":
            state.ground = number or 0
        case "fs":
            state.half_points = 24 if number is None else number
        case "plain":
            state.hidden, state.deleted, state.color, state.half_points = False, False, 0, 24
        case "pard":
            state.ground = 0
        case _ if word in _NOT_TEXT:
            state.is_text = False


def _is_unseen(state: _State, row: _Row, colors: list[tuple[int, int, int] | None]) -> bool:
    if state.hidden or state.deleted or state.half_points <= _SMALLEST:
        return True
    color = colors[state.color] if 0 < state.color < len(colors) else None
    shade = state.ground or row.shade
    ground = colors[shade] if 0 < shade < len(colors) else None
    return color is not None and looks_like(color, ground or _WHITE)


def _colors(source: str) -> list[tuple[int, int, int] | None]:
    """The table of colors; the first stands for the reader's own."""
    match = _COLOR_TABLE.search(source)
    found: list[tuple[int, int, int] | None] = []
    for entry in match[1].split(";") if match else ():
        parts = {name: min(255, int(value)) for name, value in _PART.findall(entry)}
        found.append((parts.get("red", 0), parts.get("green", 0), parts.get("blue", 0)) if parts else None)
    return found
