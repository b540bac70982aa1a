"""ODT: the text of an OpenDocument text with its tables, frames, headers and footers, as a reader sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from service.core.errors import DamagedDocumentError, EncryptedDocumentError
from service.files.documents.colors import looks_like, rgb
from service.files.documents.containers import Container, all_text, local
from service.files.documents.invisible import without_zero_width
from service.files.documents.parsed import DocumentLimits, ParsedDocument, Warnings, check_length, counted
from service.files.documents.text_blocks import TextBlocks, collapsed

_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_MANIFEST = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}"
_WHITE = (255, 255, 255)
_SMALLEST = 1.05
_DEEPEST = 200
_LEFT_OUT = frozenset(
    [
        "tracked-changes",
        "annotation",
        "annotation-end",
        "sequence-decls",
        "forms",
        "scripts",
        "font-face-decls",
        "automatic-styles",
        "variable-decls",
        "user-field-decls",
        "note-citation",
        "bibliography-mark-ref",
        "image",
        "object",
        "object-ole",
        "title",
        "desc",
        "event-listeners",
        "binary-data",
        "settings",
        "meta",
    ]
)


@dataclass(frozen=True, slots=True)
class _Look:
    hidden: bool | None = None
    color: str | None = None
    points: float | None = None
    shade: str | None = None

    def under(self, other: _Look) -> _Look:
        return _Look(
            self.hidden if other.hidden is None else other.hidden,
            self.color if other.color is None else other.color,
            self.points if other.points is None else other.points,
            self.shade if other.shade is None else other.shade,
        )


_PLAIN = _Look()


@dataclass(slots=True)
class _Story:
    looks: dict[str, tuple[_Look, str | None]]
    warnings: Warnings
    blocks: TextBlocks = field(default_factory=TextBlocks)


class OdtParser:
    """The headers, the text, the footers."""

    def parse(self, data: bytes, limits: DocumentLimits) -> ParsedDocument:
        """Raises what `Container` and `parse_xml` do."""
        container = Container(data, limits)
        manifest = container.xml("META-INF/manifest.xml")
        if manifest is not None and next(manifest.iter(f"{_MANIFEST}encryption-data"), None) is not None:
            raise EncryptedDocumentError("the document is encrypted: it asks for a password")
        content, styles = container.xml("content.xml"), container.xml("styles.xml")
        if content is None:
            raise DamagedDocumentError("the document is damaged: it has no content")
        warnings = Warnings()
        if any(
            name.startswith(("Basic/", "Scripts/")) and not name.endswith("/") for name in container.names
        ):
            warnings["macros_ignored"] += 1
        looks: dict[str, tuple[_Look, str | None]] = {}
        for root in (styles, content):
            if root is not None:
                _read_styles(root, looks)
        heads: list[str] = []
        feet: list[str] = []
        for root in (styles,) if styles is not None else ():
            for part in root.iter(
                f"{_STYLE}header", f"{_STYLE}header-first", f"{_STYLE}footer", f"{_STYLE}footer-first"
            ):
                (heads if "header" in local(part) else feet).append(_text(part, looks, warnings))
        body = next((part for part in content.iter() if local(part) == "body"), content)
        deleted = sum(
            len("".join(all_text(part).split()))
            for changes in content.iter(f"{_TEXT}deletion")
            for part in changes
            if local(part) in ("p", "h")
        )
        warnings["tracked_deletions"] += deleted
        text = "\n\n".join(
            dict.fromkeys(part for part in (*heads, _text(body, looks, warnings), *feet) if part)
        )
        text = without_zero_width(text, warnings)
        has_images = any(name.startswith("Pictures/") for name in container.names)
        if has_images and not text and not warnings["hidden_text"]:
            warnings["no_text_layer"] += 1
        return ParsedDocument(check_length(text, limits), "odt", None, counted(warnings))


def _text(root: etree._Element, looks: dict[str, tuple[_Look, str | None]], warnings: Warnings) -> str:
    story = _Story(looks, warnings)
    _walk(root, story, _PLAIN, 0)
    return story.blocks.text


def _walk(element: etree._Element, story: _Story, look: _Look, depth: int) -> None:
    if depth > _DEEPEST:
        raise DamagedDocumentError(f"the document is damaged: its parts are nested more than {_DEEPEST} deep")
    _add(story, look, element.text)
    for child in element:
        _element(child, story, look, depth)
        _add(story, look, child.tail)


def _element(child: etree._Element, story: _Story, look: _Look, depth: int) -> None:
    name = local(child)
    if name in _LEFT_OUT or not name:
        return
    if child.get(f"{_TEXT}display") in ("none", "condition") and name in (
        "section",
        "hidden-text",
        "hidden-paragraph",
    ):
        story.warnings["hidden_text"] += len("".join(all_text(child).split()))
        return
    inner = look.under(_of_style(_style_of(child), story.looks))
    match name:
        case "p" | "h":
            story.blocks.line()
            _walk(child, story, inner, depth + 1)
            story.blocks.paragraph()
        case "list-item":
            story.blocks.bullet()
            _walk(child, story, inner, depth + 1)
            story.blocks.paragraph()
        case "tab":
            _add(story, inner, "\t")
        case "line-break":
            story.blocks.line()
        case "s":
            count = child.get(f"{_TEXT}c", "1")
            _add(story, inner, " " * min(int(count) if count.isdigit() else 1, 128))
        case "table":
            story.warnings["tables"] += 1
            story.blocks.paragraph()
            _walk(child, story, inner, depth + 1)
            story.blocks.paragraph()
        case "table-row":
            _row(child, story, inner, depth + 1)
        case "text-box":
            story.warnings["text_boxes"] += 1
            outer = story.blocks
            story.blocks = TextBlocks()
            _walk(child, story, inner, depth + 1)
            outer.aside(story.blocks.text)
            story.blocks = outer
        case _:
            _walk(child, story, inner, depth + 1)


def _row(row: etree._Element, story: _Story, look: _Look, depth: int) -> None:
    outer = story.blocks
    cells: list[str] = []
    for cell in row:
        if local(cell) == "table-cell":
            story.blocks = TextBlocks()
            _walk(cell, story, look.under(_of_style(_style_of(cell), story.looks)), depth)
            cells.append(story.blocks.text)
    story.blocks = outer
    story.blocks.cells(cells)


def _add(story: _Story, look: _Look, text: str | None) -> None:
    if not text:
        return
    if _is_hidden(look):
        story.warnings["hidden_text"] += len("".join(text.split()))
    else:
        story.blocks.add(text if text == "\t" or not text.strip(" ") else collapsed(text))


def _is_hidden(look: _Look) -> bool:
    if look.hidden or (look.points is not None and look.points <= _SMALLEST):
        return True
    if look.color is None or look.shade == "image":
        return False
    color, ground = rgb(look.color), rgb(look.shade) if look.shade else _WHITE
    return color is not None and ground is not None and looks_like(color, ground)


def _style_of(element: etree._Element) -> str:
    for space in (_TEXT, _TABLE, _DRAW):
        if (name := element.get(f"{space}style-name")) is not None:
            return name
    return ""


def _read_styles(root: etree._Element, looks: dict[str, tuple[_Look, str | None]]) -> None:
    for style in root.iter(f"{_STYLE}style"):
        name = style.get(f"{_STYLE}name")
        if name is None:
            continue
        look = _PLAIN
        for properties in style:
            look = look.under(_look(properties))
        looks[name] = look, style.get(f"{_STYLE}parent-style-name")


def _look(properties: etree._Element) -> _Look:
    size = properties.get(f"{_FO}font-size", "")
    shade = properties.get(f"{_FO}background-color") or properties.get(f"{_DRAW}fill-color")
    if properties.get(f"{_DRAW}fill") in ("gradient", "bitmap", "hatch"):
        shade = "image"
    if local(properties) == "text-properties" or shade not in (None, "transparent"):
        return _Look(
            True if properties.get(f"{_TEXT}display") == "none" else None,
            properties.get(f"{_FO}color"),
            _points(size),
            None if shade == "transparent" else shade,
        )
    return _PLAIN


def _points(size: str) -> float | None:
    """A size in points. None for a share of another size, and for what is no size."""
    for unit, factor in (("pt", 1.0), ("in", 72.0), ("cm", 28.35), ("mm", 2.835)):
        if size.endswith(unit):
            try:
                return float(size.removesuffix(unit)) * factor
            except ValueError:
                return None
    return None


def _of_style(name: str, looks: dict[str, tuple[_Look, str | None]]) -> _Look:
    chain: list[_Look] = []
    current: str | None = name
    while current is not None and current in looks and len(chain) < 20:
        look, current = looks[current]
        chain.append(look)
    found = _PLAIN
    for look in reversed(chain):
        found = found.under(look)
    return found
