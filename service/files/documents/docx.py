"""DOCX: the text of a Word document with its tables, text boxes, headers and footers, as a reader sees it.

Walked over as XML: python-docx knows neither text boxes nor what is hidden, and takes deleted text for text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from lxml import etree

from service.core.errors import DamagedDocumentError
from service.files.documents.colors import looks_like, rgb
from service.files.documents.containers import Container, local
from service.files.documents.invisible import without_zero_width
from service.files.documents.parsed import DocumentLimits, ParsedDocument, Warnings, check_length, counted
from service.files.documents.text_blocks import TextBlocks

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_W_STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
_MAIN = "word/document.xml"
_SMALLEST = 2
"""Half points: type of one point or less is not for reading."""

_WHITE = (255, 255, 255)
_THEME_WHITE = frozenset({"background1", "light1"})
_LEFT_OUT = frozenset(
    [
        "del",
        "moveFrom",
        "instrText",
        "delInstrText",
        "fldData",
        "annotationRef",
        "pict_fallback",
        "Fallback",
        "commentReference",
        "footnoteRef",
        "endnoteRef",
        "sectPr",
        "pPr",
        "tblPr",
        "tblGrid",
        "trPr",
        "tcPr",
        "rPr",
        "sdtPr",
        "sdtEndPr",
        "proofErr",
        "bookmarkStart",
        "bookmarkEnd",
        "numPr",
        "ruby_rt",
        "txbxContent_fallback",
    ]
)
"""Elements without text of their own, or with what was deleted."""

_SYMBOLS = {"f0b7": "•", "f0a7": "•", "f0fc": "•", "f0d8": "•", "f0e0": "", "f028": "", "f02a": ""}
_DEEPEST = 200


@dataclass(frozen=True, slots=True)
class _Look:
    """How a run looks. None where nothing is said."""

    hidden: bool | None = None
    color: str | None = None
    half_points: float | None = None
    shade: str | None = None

    def under(self, other: _Look) -> _Look:
        """This look with what `other`, which is closer to the text, says."""
        return _Look(
            self.hidden if other.hidden is None else other.hidden,
            self.color if other.color is None else other.color,
            self.half_points if other.half_points is None else other.half_points,
            self.shade if other.shade is None else other.shade,
        )


_PLAIN = _Look()


@dataclass(slots=True)
class _Story:
    """What is being read, and what came of it."""

    styles: dict[str, tuple[_Look, str | None]]
    shaded_tables: frozenset[str]
    warnings: Warnings
    blocks: TextBlocks = field(default_factory=TextBlocks)


class DocxParser:
    """The body, with headers before it and footers after it, each text once."""

    def parse(self, data: bytes, limits: DocumentLimits) -> ParsedDocument:
        """Raises what `Container` and `parse_xml` do."""
        container = Container(data, limits)
        main = _main_part(container)
        root = container.xml(main)
        if root is None:
            raise DamagedDocumentError("the document is damaged: it has no main part")
        warnings = Warnings()
        if any(name.lower().endswith(("vbaproject.bin", "vbadata.xml")) for name in container.names):
            warnings["macros_ignored"] += 1
        styles = container.xml(f"{main.rpartition('/')[0]}/styles.xml")
        looks, shaded = _read_styles(styles) if styles is not None else ({}, frozenset())
        folder = main.rpartition("/")[0]
        heads = _of_parts(container, f"{folder}/header", looks, shaded, warnings)
        body = _text(root, looks, shaded, warnings)
        feet = _of_parts(container, f"{folder}/footer", looks, shaded, warnings)
        notes = _of_parts(container, f"{folder}/footnotes", looks, shaded, warnings)
        text = "\n\n".join(dict.fromkeys(part for part in (*heads, body, *notes, *feet) if part))
        text = without_zero_width(text, warnings)
        _note_images(container, text, warnings)
        return ParsedDocument(check_length(text, limits), "docx", None, counted(warnings))


def _note_images(container: Container, text: str, warnings: Warnings) -> None:
    if not text and not warnings["hidden_text"] and any("/media/" in name for name in container.names):
        warnings["no_text_layer"] += 1


def _main_part(container: Container) -> str:
    relations = container.xml("_rels/.rels")
    for relation in relations if relations is not None else ():
        if relation.get("Type", "").endswith("/officeDocument"):
            return relation.get("Target", _MAIN).lstrip("/")
    return _MAIN


def _of_parts(
    container: Container,
    prefix: str,
    looks: dict[str, tuple[_Look, str | None]],
    shaded: frozenset[str],
    warnings: Warnings,
) -> Iterator[str]:
    for name in sorted(name for name in container.names if name.startswith(prefix) and name.endswith(".xml")):
        root = container.xml(name)
        if root is not None:
            yield _text(root, looks, shaded, warnings)


def _text(
    root: etree._Element,
    looks: dict[str, tuple[_Look, str | None]],
    shaded: frozenset[str],
    warnings: Warnings,
) -> str:
    story = _Story(looks, shaded, warnings)
    _walk(root, story, _PLAIN, 0)
    return story.blocks.text


def _walk(element: etree._Element, story: _Story, look: _Look, depth: int) -> None:
    if depth > _DEEPEST:
        raise DamagedDocumentError(f"the document is damaged: its parts are nested more than {_DEEPEST} deep")
    for child in element:
        name = local(child)
        match name:
            case "p":
                _paragraph(child, story, look, depth + 1)
            case "tbl":
                story.warnings["tables"] += 1
                style = _value(_find(_find(child, "tblPr"), "tblStyle"))
                of_table = _shade(_find(child, "tblPr"))
                inner = look.under(_Look(shade="dark" if style in story.shaded_tables else of_table))
                story.blocks.paragraph()
                _walk(child, story, inner, depth + 1)
                story.blocks.paragraph()
            case "tr":
                _row(child, story, look, depth + 1)
            case "r":
                _run(child, story, look, depth + 1)
            case "del" | "moveFrom":
                story.warnings["tracked_deletions"] += sum(
                    len(part.text or "") for part in child.iter() if local(part) in ("delText", "t")
                )
            case "br" | "cr":
                story.blocks.line()
            case "footnote" | "endnote" if child.get(f"{_W}type") is not None:
                continue  # rules between the text and its notes
            case "AlternateContent":
                _alternate(child, story, look, depth + 1)
            case "txbxContent":
                _box(child, story, look, depth + 1)
            case _ if name not in _LEFT_OUT:
                _walk(child, story, look, depth + 1)


def _alternate(element: etree._Element, story: _Story, look: _Look, depth: int) -> None:
    """A drawing as Word has it now, or else its fallback for older versions; not both."""
    choice = next((child for child in element if local(child) == "Choice"), None)
    chosen = choice if choice is not None else next(iter(element), None)
    if chosen is not None:
        _walk(chosen, story, look, depth)


def _box(element: etree._Element, story: _Story, look: _Look, depth: int) -> None:
    """A text box, apart from the paragraph that it is anchored in."""
    story.warnings["text_boxes"] += 1
    filled = _Look(shade=_fill_of_shape(element) or look.shade)
    outer = story.blocks
    story.blocks = TextBlocks()
    _walk(element, story, _PLAIN.under(filled), depth)
    outer.aside(story.blocks.text)
    story.blocks = outer


def _fill_of_shape(element: etree._Element) -> str | None:
    """The color of the shape around a text box; "dark" where it is no single color."""
    parent = element.getparent()
    for _ in range(4):
        if parent is None:
            return None
        for child in parent:
            if local(child) == "spPr":
                for fill in child:
                    if local(fill) == "solidFill":
                        color = next((part.get("val") for part in fill if local(part) == "srgbClr"), None)
                        return color or "dark"
                    if local(fill) in ("gradFill", "blipFill", "pattFill"):
                        return "dark"
        if parent.get("fillcolor"):
            return parent.get("fillcolor")
        parent = parent.getparent()
    return None


def _row(row: etree._Element, story: _Story, look: _Look, depth: int) -> None:
    """Short cells of a row stand on one line, as a label and its value; long ones below each other."""
    cells: list[str] = []
    outer = story.blocks
    for cell in _cells(row):
        story.blocks = TextBlocks()
        shade = _shade(_find(cell, "tcPr"))
        _walk(cell, story, look.under(_Look(shade=shade)), depth)
        cells.append(story.blocks.text)
    story.blocks = outer
    story.blocks.cells(cells)


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    for child in row:
        if local(child) == "tc":
            yield child
        elif local(child) in ("sdt", "sdtContent", "ins", "customXml"):
            yield from _cells(child)


def _paragraph(element: etree._Element, story: _Story, look: _Look, depth: int) -> None:
    properties = _find(element, "pPr")
    own = _PLAIN
    if properties is not None:
        own = _of_style(_value(_find(properties, "pStyle")) or "", story.styles)
        own = own.under(_Look(shade=_shade(properties)))
        if (_value(_find(_find(properties, "numPr"), "numId")) or "0") != "0":
            story.blocks.bullet()
    else:
        own = _of_style("", story.styles)
    # The paragraph's style stands above what the table says, but a table's shade goes on under it.
    _walk(element, story, look.under(own), depth)
    story.blocks.paragraph()


def _run(run: etree._Element, story: _Story, look: _Look, depth: int) -> None:
    properties = _find(run, "rPr")
    if properties is not None:
        style = _value(_find(properties, "rStyle"))
        if style:
            look = look.under(_of_style(style, story.styles))
        look = look.under(_look(properties))
    hidden = _is_hidden(look)
    for part in run:
        match local(part):
            case "t":
                if hidden:
                    story.warnings["hidden_text"] += len("".join((part.text or "").split()))
                else:
                    story.blocks.add(part.text or "")
            case "tab" | "ptab":
                story.blocks.add("\t")
            case "br" | "cr":
                story.blocks.line()
            case "noBreakHyphen":
                story.blocks.add("-")
            case "softHyphen" | "instrText" | "delText" | "rPr":
                continue
            case "sym":
                if not hidden:
                    story.blocks.add(_SYMBOLS.get(part.get(f"{_W}char", "").lower(), ""))
            case _:
                _walk_into(part, story, look, depth)


def _walk_into(part: etree._Element, story: _Story, look: _Look, depth: int) -> None:
    """Drawings in a run: only their text boxes hold text."""
    if local(part) in ("AlternateContent", "drawing", "pict", "object"):
        if local(part) == "AlternateContent":
            _alternate(part, story, look, depth)
        else:
            _walk(part, story, look, depth)


def _is_hidden(look: _Look) -> bool:
    if look.hidden or (look.half_points is not None and look.half_points <= _SMALLEST):
        return True
    if look.color is None or look.color == "auto":
        return False
    color = _WHITE if look.color in _THEME_WHITE else rgb(look.color)
    if look.shade == "dark":
        return False  # on a ground of which the color is not known
    ground = rgb(look.shade) if look.shade else _WHITE
    return color is not None and ground is not None and looks_like(color, ground)


def _read_styles(root: etree._Element) -> tuple[dict[str, tuple[_Look, str | None]], frozenset[str]]:
    """Looks by style with the style that each is based on, and the table styles that put color under text."""
    looks: dict[str, tuple[_Look, str | None]] = {}
    shaded: set[str] = set()
    for style in root:
        if local(style) == "docDefaults":
            continue
        if local(style) != "style":
            continue
        name = _attribute(style, "styleId")
        properties = _find(style, "rPr")
        look = _look(properties) if properties is not None else _PLAIN
        paragraph = _find(style, "pPr")
        if paragraph is not None and look.shade is None:
            look = look.under(_Look(shade=_shade(paragraph)))
        looks[name] = look, _value(_find(style, "basedOn"))
        if _attribute(style, "default") in ("1", "true") and _attribute(style, "type") == "paragraph":
            looks[""] = looks[name]
        if _attribute(style, "type") == "table" and any(
            local(part) == "shd"
            and (_attribute(part, "fill") not in ("auto", "", "FFFFFF") or _attribute(part, "themeFill"))
            for part in style.iter()
        ):
            shaded.add(name)
    return looks, frozenset(shaded)


def _of_style(name: str, styles: dict[str, tuple[_Look, str | None]]) -> _Look:
    chain: list[_Look] = []
    current: str | None = name
    while current is not None and current in styles and len(chain) < 20:
        look, current = styles[current]
        chain.append(look)
    found = _PLAIN
    for look in reversed(chain):
        found = found.under(look)
    return found


def _look(properties: etree._Element) -> _Look:
    hidden: bool | None = None
    color: str | None = None
    size: float | None = None
    for child in properties:
        match local(child):
            case "vanish" | "specVanish":
                hidden = _attribute(child, "val") not in ("0", "false", "off")
            case "color":
                theme = _attribute(child, "themeColor")
                tinted = _attribute(child, "themeShade") or _attribute(child, "themeTint")
                color = theme if theme in _THEME_WHITE and not tinted else _attribute(child, "val") or None
            case "sz":
                try:
                    size = float(_attribute(child, "val"))
                except ValueError:
                    size = None
    return _Look(hidden, color, size, _shade(properties))


_HIGHLIGHTS = frozenset({"", "none", "white"})


def _shade(properties: etree._Element | None) -> str | None:
    """The color under text, "dark" where it is a theme's or a pattern, None where nothing is said."""
    if properties is None:
        return None
    shade = _find(properties, "shd")
    highlight = _value(_find(properties, "highlight")) or ""
    if highlight not in _HIGHLIGHTS:
        return "dark"
    if shade is None:
        return None
    if _attribute(shade, "themeFill") or _attribute(shade, "val") not in ("clear", "nil", ""):
        return "dark"
    fill = _attribute(shade, "fill")
    return None if fill in ("", "auto") else fill


@cache
def _names(name: str) -> tuple[str, str]:
    return _W + name, _W_STRICT + name


def _find(element: etree._Element | None, name: str) -> etree._Element | None:
    if element is None:
        return None
    usual, strict = _names(name)
    found = element.find(usual)
    return element.find(strict) if found is None else found


def _attribute(element: etree._Element, name: str) -> str:
    usual, strict = _names(name)
    return element.get(usual) or element.get(strict) or ""


def _value(element: etree._Element | None) -> str | None:
    return None if element is None else _attribute(element, "val") or None
