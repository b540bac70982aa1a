"""HTML: the text that a browser shows, by the rules of CSS that hide text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import tinycss2
from cssselect import SelectorError
from cssselect import parse as parse_selectors
from cssselect.xpath import ExpressionError, HTMLTranslator
from lxml import etree, html

from service.core.errors import DamagedDocumentError
from service.files.documents.colors import looks_like, opacity, rgb
from service.files.documents.containers import out_of_memory
from service.files.documents.invisible import without_zero_width
from service.files.documents.kinds import DocumentKind
from service.files.documents.parsed import (
    DocumentLimits,
    ParsedDocument,
    Warnings,
    check_length,
    counted,
)
from service.files.documents.plain_text import decode
from service.files.documents.text_blocks import TextBlocks, collapsed

_WHITE = (255, 255, 255)
_SMALLEST = 1.4
"""Pixels: type of a point or less is not for reading."""

_LEFT_OUT = frozenset(
    [
        "head",
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "canvas",
        "audio",
        "video",
        "iframe",
        "object",
        "embed",
        "map",
        "datalist",
        "select",
        "input",
        "textarea",
        "button[hidden]",
        "progress",
        "meter",
        "title",
    ]
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "search",
        "section",
        "summary",
        "ul",
    ]
)
_SPACED = frozenset(
    [
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "section",
        "article",
        "header",
        "footer",
        "ul",
        "ol",
        "table",
        "blockquote",
    ]
)
_PROPERTIES = frozenset(
    [
        "display",
        "visibility",
        "opacity",
        "color",
        "background",
        "background-color",
        "background-image",
        "font-size",
        "position",
        "left",
        "top",
        "right",
        "bottom",
        "text-indent",
        "clip",
        "clip-path",
        "width",
        "height",
        "overflow",
        "overflow-x",
        "overflow-y",
        "font",
    ]
)
_DEEPEST = 300
_MOST_RULES = 3_000
_NOT_NOW = re.compile(r"\bprint\b|\bmax-width|\bmin-width|\bprefers|\bspeech\b")
_LENGTH = re.compile(r"(-?[\d.]{1,12})(px|pt|em|rem|%|in|cm|mm|vw|vh|ch)?$")
_PIXELS = {
    "px": 1.0, "": 1.0, "pt": 4 / 3, "in": 96.0, "cm": 37.8, "mm": 3.78, "em": 16.0, "rem": 16.0, "ch": 8.0,
    "vw": 8.0, "vh": 6.0,
}  # fmt: skip
_FAR = -500.0
"""Pixels to the left of or above the page."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What text inherits. `ground`: None where it is no single color."""

    hidden: bool = False
    color: tuple[int, int, int] = (0, 0, 0)
    ground: tuple[int, int, int] | None = _WHITE
    pixels: float = 16.0
    gone: bool = False
    """By what no descendant can undo, unlike `visibility`."""


class HtmlParser:
    """One page. Nothing that it links to is fetched."""

    def parse(self, data: bytes, limits: DocumentLimits) -> ParsedDocument:
        """Raises `DamagedDocumentError` if there is no element in it."""
        warnings = Warnings()
        text = decode(data, warnings, declared=_declared(data))
        return parse_html(text, "html", limits, warnings)


def parse_html(markup: str, kind: DocumentKind, limits: DocumentLimits, warnings: Warnings) -> ParsedDocument:
    """The text that a browser would show of `markup`."""
    # What XML says of itself is no business of a parser that is given text.
    markup = re.sub(r"^\s*<\?xml[^>]{0,500}\?>", "", markup.replace("\0", " "))
    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = html.document_fromstring(markup, parser=parser) if markup.strip() else None
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        root = None
    if out_of_memory(parser):
        raise MemoryError
    if root is None:
        raise DamagedDocumentError("the document is damaged: it holds no element of HTML that can be read")
    blocks = TextBlocks()
    reader = _Reader(blocks, warnings, _declarations(root))
    reader.walk(root, _Look(), 0, False)
    shown = without_zero_width(blocks.text, warnings)
    return ParsedDocument(check_length(shown, limits), kind, None, counted(warnings))


def _declared(data: bytes) -> str | None:
    """The encoding that a page says it has."""
    match = re.search(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w.:-]{2,40})""", data[:4_096], re.IGNORECASE)
    if match is None:
        match = re.search(rb"""^\s*<\?xml[^>]{0,200}encoding\s*=\s*["']([\w.:-]{2,40})""", data[:512])
    return match[1].decode("ascii", "replace") if match else None


def _declarations(root: etree._Element) -> dict[etree._Element, dict[str, str]]:
    """What the style sheets within the page say of its elements; what a sheet says later counts more.

    Only rules of the kinds that can hide text are kept. Specificity is taken as order, with ids above
    classes above names.
    """
    rules: list[_Rule] = []
    for sheet in root.iter("style"):
        _collect(tinycss2.parse_stylesheet(sheet.text or "", skip_comments=True, skip_whitespace=True), rules)
    translator = HTMLTranslator()
    ranked: list[tuple[tuple[int, int, int], int, str, dict[str, str]]] = []
    for order, (selectors, declared) in enumerate(rules[:_MOST_RULES]):
        try:
            for one in parse_selectors(selectors):
                if one.pseudo_element is None:
                    ranked.append((one.specificity(), order, translator.selector_to_xpath(one), declared))
        except (SelectorError, ExpressionError, RecursionError):
            continue  # a selector of a newer CSS than is known here
    found: dict[etree._Element, dict[str, str]] = {}
    for _, _, path, declared in sorted(ranked, key=lambda rule: rule[:2]):
        try:
            elements = root.xpath(path)
        except etree.XPathError:
            continue
        for element in elements if isinstance(elements, list) else ():
            if isinstance(element, etree._Element):
                found.setdefault(element, {}).update(declared)
    return found


_Rule = tuple[str, dict[str, str]]
"""Selectors, and what they declare."""


def _collect(parsed: Iterable[Any], rules: list[_Rule]) -> None:
    for rule in parsed:
        if rule.type == "qualified-rule":
            declared = _kept(tinycss2.parse_blocks_contents(rule.content))
            if declared:
                rules.append((tinycss2.serialize(rule.prelude), declared))
        elif (
            rule.type == "at-rule"
            and rule.lower_at_keyword == "media"
            and rule.content
            and not _NOT_NOW.search(tinycss2.serialize(rule.prelude))
        ):
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            _collect(inner, rules)


def _kept(parsed: Iterable[Any]) -> dict[str, str]:
    return {
        one.lower_name: tinycss2.serialize(one.value).strip().lower()
        for one in parsed
        if one.type == "declaration" and one.lower_name in _PROPERTIES
    }


class _Reader:
    def __init__(
        self, blocks: TextBlocks, warnings: Warnings, sheets: Mapping[etree._Element, Mapping[str, str]]
    ) -> None:
        self._blocks = blocks
        self._warnings = warnings
        self._sheets = sheets

    def walk(self, element: etree._Element, look: _Look, depth: int, keeps_blanks: bool) -> None:
        name = element.tag if isinstance(element.tag, str) else ""
        if depth > _DEEPEST:
            raise DamagedDocumentError(
                f"the document is damaged: its parts are nested more than {_DEEPEST} deep"
            )
        look = self._look(element, look)
        is_block = name in _BLOCKS or name in ("li", "tr", "table")
        if is_block:
            self._blocks.line()
        if name in _SPACED:
            self._blocks.gap()
        if name == "li":
            self._blocks.bullet()
        elif name == "br":
            self._blocks.line()
        elif name == "table":
            self._warnings["tables"] += 1
        if name == "tr":
            self._row(element, look, depth)
        else:
            keeps_blanks = keeps_blanks or name in ("pre", "textarea")
            self._add(element.text, look, keeps_blanks)
            for child in element:
                if isinstance(child.tag, str) and child.tag not in _LEFT_OUT:
                    self.walk(child, look, depth + 1, keeps_blanks)
                self._add(child.tail, look, keeps_blanks)
        if name in ("th", "td", "dt"):
            self._blocks.add(" ")
        if is_block:
            self._blocks.paragraph()

    def _row(self, row: etree._Element, look: _Look, depth: int) -> None:
        outer = self._blocks
        cells: list[str] = []
        for cell in row:
            if isinstance(cell.tag, str) and cell.tag in ("td", "th"):
                self._blocks = TextBlocks()
                self.walk(cell, look, depth + 1, False)
                cells.append(self._blocks.text)
        self._blocks = outer
        self._blocks.cells(cells)

    def _add(self, text: str | None, look: _Look, keeps_blanks: bool) -> None:
        if not text:
            return
        if (
            look.gone
            or look.hidden
            or look.pixels <= _SMALLEST
            or (look.ground and looks_like(look.color, look.ground))
        ):
            self._warnings["hidden_text"] += len("".join(text.split()))
        elif keeps_blanks:
            for i, line in enumerate(text.split("\n")):
                if i:
                    self._blocks.line()
                self._blocks.add(line)
        else:
            self._blocks.add(collapsed(text))

    def _look(self, element: etree._Element, look: _Look) -> _Look:
        declared = dict(self._sheets.get(element, {}))
        if style := element.get("style"):
            declared |= _kept(tinycss2.parse_blocks_contents(style))
        if "bgcolor" in element.attrib:
            declared.setdefault("background-color", element.get("bgcolor", ""))
        if element.tag == "font" and "color" in element.attrib:
            declared.setdefault("color", element.get("color", ""))
        hidden, gone, color, ground, pixels = look.hidden, look.gone, look.color, look.ground, look.pixels
        if "hidden" in element.attrib and declared.get("display", "none") == "none":
            gone = True
        for name, value in declared.items():
            value = value.removesuffix("!important").strip()
            match name:
                case "display" if value == "none":
                    gone = True
                case "visibility":
                    hidden = value in ("hidden", "collapse")
                case "opacity":
                    gone = gone or _number(value) <= 0.05
                case "color":
                    color, hidden = _colored(value, color, hidden)
                case "background" | "background-color" | "background-image":
                    ground = _ground(value, ground)
                case "font-size":
                    pixels = _size(value, pixels)
                case "text-indent":
                    gone = gone or _pixels(value, 0.0) < _FAR
                case "left" | "top" | "right" | "bottom":
                    off = declared.get("position") in ("absolute", "fixed", "relative")
                    gone = gone or (off and _pixels(value, 0.0) < _FAR)
                case "clip" | "clip-path":
                    gone = gone or re.sub(r"[\s,]|px", "", value) in (
                        "rect(0000)", "rect(1111)", "inset(50%)", "inset(100%)", "circle(0)",
                    )  # fmt: skip
                case "width" | "height":
                    gone = gone or (_is_cut_off(declared) and _pixels(value, 99.0) <= 1)
        return _Look(hidden, color, ground, pixels, gone)


def _is_cut_off(declared: Mapping[str, str]) -> bool:
    overflow = (declared.get(name, "") for name in ("overflow", "overflow-x", "overflow-y"))
    return any(value.startswith(("hidden", "clip")) for value in overflow)


def _colored(value: str, color: tuple[int, int, int], hidden: bool) -> tuple[tuple[int, int, int], bool]:
    if opacity(value) <= 0.05:
        return color, True
    return rgb(value) or color, hidden


def _ground(value: str, ground: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
    """What is behind text: the last color said; None for an image, a gradient or a mixture."""
    if "url(" in value or "gradient(" in value or "var(" in value:
        return None
    for part in re.findall(r"rgba?\([^)]{0,60}\)|[#\w]{3,20}", value):
        share = opacity(part)
        color = rgb(part)
        if color is not None:
            return color if share >= 1 else ground if share <= 0.02 else None
    return ground


def _size(value: str, pixels: float) -> float:
    match = _LENGTH.match(value)
    if match is None:
        return (
            pixels
            if value not in ("medium", "large", "small", "x-small", "xx-small", "larger", "initial")
            else 16.0
        )
    if match[2] in ("em", "%"):
        share = _number(match[1]) / (100.0 if match[2] == "%" else 1.0)
        return pixels * share
    return _number(match[1]) * _PIXELS[match[2] or ""]


def _pixels(value: str, otherwise: float) -> float:
    match = _LENGTH.match(value)
    if match is None:
        return otherwise
    return _number(match[1]) * (8.0 if match[2] == "%" else _PIXELS[match[2] or ""])


def _number(written: str) -> float:
    try:
        return float(written)
    except ValueError:
        return 1.0
