"""HTML that comes as a text: whether a text is markup, or a text in which tags are named.

A posting from an applicant tracking system is `<p>...</p>`; a front-end developer's resume says "HTML (<div>,
<span>)", and others hold `List<String>`, `a < b` or `<jane@example.org>`. Markup is told by how it is used:
by elements with words between their tags, and breaks between words. Whatever else begins with `<` stays text.
All of it takes time that grows with the length of the text: no pattern reads beyond the next `<`.
"""

from __future__ import annotations

import html
import html.entities
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_BLOCKS = frozenset(
    """address article aside blockquote body center dd details div dl dt fieldset figure footer form
    h1 h2 h3 h4 h5 h6 head header html li main nav ol p pre section summary table tbody td tfoot th
    thead tr ul""".split()
)
_INLINE = frozenset(
    """a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd label mark nobr q s samp
    small span strike strong sub sup tt u var""".split()
)
_VOID = frozenset(
    ["br", "hr", "img", "wbr", "input", "meta", "link", "col", "area", "base", "embed", "source"]
)
_OTHER = frozenset(
    """button caption canvas colgroup datalist iframe legend map marquee noscript object optgroup
    option picture script select style svg textarea time title video audio template""".split()
)
_KNOWN = _BLOCKS | _INLINE | _VOID | _OTHER
_OPTIONAL_END = frozenset(["p", "li", "td", "th", "tr", "dt", "dd"])
_BREAKS = frozenset(["br", "hr", *_OPTIONAL_END])

_TAG = re.compile(
    r"<(?P<end>/)?(?P<name>[A-Za-z][A-Za-z0-9]{0,20}(?:[:-][A-Za-z][\w-]{0,40})?)"
    r"(?P<attributes>(?:[\s/](?:[^<>\"']|\"[^\"<]{0,4000}\"|'[^'<]{0,4000}'){0,4000}+)?)>"
)
_PREAMBLE = re.compile(
    r"\s{0,40}(?:<!doctype html|<\?xml[^<>]{0,200}\?>\s{0,20}<(?:!doctype )?html|<html[\s>]|<!--)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[ \t]{0,3}(?:[,;/|)\]]|&(?![#\w]))")
_NAMING_WORD = re.compile(r"[ \t]{1,3}(?:and|or|und|et|y|tags?|elements?|is|are|in|for|to)\b", re.IGNORECASE)
_QUOTES = "`'\"“”‘’«»"  # noqa: RUF001
_CODE_ATTRIBUTE = re.compile(r"\bclassName=|\bon[A-Z]\w{0,20}=|=\{|\bv-\w|\*ng|\[\(ng|@\w{1,20}=|\bng-\w")
_WORDS = re.compile(r"[^\W\d_]+(?:\W+[^\W\d_]+){2}")
_LETTER = re.compile(r"[^\W_]")
_NEXT_WORD = re.compile(r"[ \t]{0,8}\r?\n?[ \t]{0,8}\w")
_OWN_LINES = re.compile(r"\S[ \t]{0,80}\r?\n[ \t]{0,80}\r?\n\s{0,80}\S|\n[ \t]{0,80}[-*•][ \t]{1,8}\S")
"""In a block: blank lines between words, or items of lists. Whoever wraps a source writes neither."""

_GENERIC = re.compile(r"\w\Z")
_BLANK_LINE = re.compile(r"[ \t]*\r?\n[ \t]*(?:\r?\n[ \t]*)++")
_GAP = re.compile(r"(?<=\S)(?:[ \t]{2,}|\t)(?=\S)")
_FENCE = re.compile(r"```|`[^`\n]{1,200}`")

PARAGRAPH = "\ue000"
"""Stands for a blank line of the text, until its markup is read."""

GAP = "\ue001"
"""Stands for the gap between columns."""

_LONGEST_SAMPLE = 300


@dataclass(slots=True)
class _Tag:
    start: int
    end: int
    name: str
    is_end: bool
    has_attributes: bool
    is_named: bool
    """It is spoken of, and no markup: "the <div> tag"."""
    partner: _Tag | None = field(default=None, repr=False)


def is_element_of_html(name: str) -> bool:
    """Whether HTML has an element of that name."""
    return name.lower() in _KNOWN


def is_html(text: str) -> bool:
    """Whether `text` is HTML, or a text with HTML in it."""
    if "<" not in text or ">" not in text:
        return False
    return _is_html(text, _tags(text))


def html_of(text: str) -> str | None:
    """`text` as HTML for a parser, or None if it is none.

    What begins with `<` and is no tag is escaped. Where line breaks of the text lie outside of blocks they
    are the writer's, and become breaks.
    """
    tags = _tags(text)
    if not _is_html(text, tags):
        return None
    kept = [tag for tag in tags if not tag.is_named]
    blocks = _blocks(kept, len(text))
    breaks = sum(tag.name == "br" for tag in kept)
    lines = sum(text.count("\n", start, end) for start, end in _outside(blocks, len(text)))
    keeps_lines = lines > breaks
    parts: list[str] = []
    position = 0
    outside = iter(_outside(blocks, len(text)))
    area = next(outside, None)
    for tag in [*kept, None]:
        end = len(text) if tag is None else tag.start
        while area is not None and area[1] <= position:
            area = next(outside, None)
        is_outside = area is not None and area[0] <= position
        written = _escaped(text[position:end])
        if (is_outside and keeps_lines) or _OWN_LINES.search(written):
            written = _with_lines(written)
        parts.append(written)
        if tag is not None:
            parts.append(text[tag.start : tag.end])
            position = tag.end
    return "".join(parts)


def restored(read: str) -> str:
    """What was read of `html_of`, with the text's own blank lines and gaps."""
    if PARAGRAPH not in read and GAP not in read:
        return read
    lines = ["" if line == PARAGRAPH else line.replace(PARAGRAPH, "") for line in read.split("\n")]
    whole = "\n".join(lines).replace(GAP, "    ")
    return re.sub(r"\n{3,}+", "\n\n", whole).strip()


def _with_lines(written: str) -> str:
    written = _GAP.sub(GAP, written)
    written = _BLANK_LINE.sub(f"<br>{PARAGRAPH}<br>", written)
    return written.replace("\n", "<br>")


def _escaped(written: str) -> str:
    """Text between tags. Comments and the like stay for the parser to drop."""
    if "<" not in written:
        return written
    return re.sub(r"<(?!!--|!doctype|\?xml|!\[)", "&lt;", written, flags=re.IGNORECASE)


def _tags(text: str) -> list[_Tag]:
    """The tags of a text that may be markup, with what belongs together."""
    fenced = _fenced(text)
    found: list[_Tag] = []
    code_end = 0
    code = next(fenced, None)
    for match in _TAG.finditer(text):
        while code is not None and code[1] <= match.start():
            code = next(fenced, None)
        code_end = code[0] if code is not None else len(text) + 1
        name = match["name"].lower()
        attributes = match["attributes"].strip(" /\t\r\n")
        is_named = (
            match.start() >= code_end
            or (name not in _KNOWN and ":" not in name and "-" not in name)
            or ("@" in match["name"])
            or _CODE_ATTRIBUTE.search(attributes[:400]) is not None
            or (match["end"] is None and _is_spoken_of(text, match.start(), match.end()))
        )
        found.append(
            _Tag(match.start(), match.end(), name, match["end"] is not None, "=" in attributes, is_named)
        )
    _pair(found)
    for tag in found:
        # `Array<i>`: an inline element without an end, right behind a word, is the argument of a type.
        if tag.partner is None and not tag.is_end and tag.name in _INLINE and not tag.has_attributes:
            tag.is_named = (
                tag.is_named or _GENERIC.search(text[max(0, tag.start - 1) : tag.start]) is not None
            )
        if tag.partner is not None and tag.partner.is_named:
            tag.is_named = True
    return found


def _pair(tags: Sequence[_Tag]) -> None:
    """Unknown elements count only with their end tags, as `<o:p></o:p>` of Word."""
    opened: dict[str, list[_Tag]] = {}
    for tag in tags:
        if tag.name in _VOID:
            continue
        if not tag.is_end:
            opened.setdefault(tag.name, []).append(tag)
        elif opened.get(tag.name):
            start = opened[tag.name].pop()
            start.partner, tag.partner = tag, start


def _is_spoken_of(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    if before and before in _QUOTES and after and after in _QUOTES:
        return True
    if _SEPARATOR.match(text, end, end + 4) is not None:
        return True
    return before in (" ", "(") and _NAMING_WORD.match(text, end, end + 14) is not None


def _is_html(text: str, tags: Sequence[_Tag]) -> bool:
    if _PREAMBLE.match(text) and any(not tag.is_named for tag in tags):
        return True
    used = [tag for tag in tags if not tag.is_named]
    if not used:
        return False
    pairs = wide = lone = 0
    for tag in used:
        if not tag.is_end and tag.partner is not None:
            within = text[tag.end : min(tag.partner.start, tag.end + _LONGEST_SAMPLE)]
            if _LETTER.search(within):
                pairs += 1
                wide += tag.has_attributes or _WORDS.search(within) is not None
        elif tag.partner is None and tag.name in _BREAKS:
            lone += _separates(text, tag)
    if not text[: used[0].start].strip() and pairs + lone:
        return True
    return bool(pairs >= 2 or wide or lone >= 2 or (lone and _is_between_words(text, used)))


def _separates(text: str, tag: _Tag) -> bool:
    """A tag without a partner that stands at the end or the beginning of words, not amid a sentence."""
    before = text[max(0, tag.start - 1) : tag.start]
    after = text[tag.end : tag.end + 1]
    if tag.name == "br":
        return bool(before.strip() or after.strip()) or _NEXT_WORD.match(text, tag.end) is not None
    return (not before or before in "\n>" or not before.isspace()) and bool(after.strip())


def _is_between_words(text: str, used: Sequence[_Tag]) -> bool:
    return any(
        tag.name in _BREAKS
        and tag.partner is None
        and (
            (text[max(0, tag.start - 1) : tag.start].strip() and text[tag.end : tag.end + 1].strip())
            or (
                text[max(0, tag.start - 1) : tag.start] == "\n"
                and text[tag.end : tag.end + 1] in ("\r", "\n")
            )
        )
        for tag in used
    )


def _fenced(text: str) -> Iterator[tuple[int, int]]:
    """Where code stands between backticks."""
    opened = -1
    for match in _FENCE.finditer(text):
        if match[0] != "```":
            if opened < 0:
                yield match.start(), match.end()
        elif opened < 0:
            opened = match.start()
        else:
            yield opened, match.end()
            opened = -1


def _blocks(tags: Sequence[_Tag], length: int) -> list[tuple[int, int]]:
    """Where blocks stand, those within others left out."""
    areas: list[tuple[int, int]] = []
    covered = 0
    for tag in tags:
        if tag.is_end or tag.name not in _BLOCKS or tag.start < covered:
            continue
        end = tag.partner.end if tag.partner is not None else length if tag.name in _OPTIONAL_END else tag.end
        areas.append((tag.start, end))
        covered = end
    return areas


def _outside(areas: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    position = 0
    for start, end in areas:
        if position < start:
            yield position, start
        position = end
    if position < length:
        yield position, length


_ENTITY = re.compile(r"&(?:amp;){0,20}(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def without_entities(text: str) -> str:
    """`text` with `&amp;`, `&nbsp;`, `&#39;` as characters, however often they were escaped.

    A name without its semicolon, or that no standard knows, stays: "R&D; AT&T".
    """
    return _ENTITY.sub(_character, text) if "&" in text and ";" in text else text


def _character(match: re.Match[str]) -> str:
    name = match[1]
    if name[0] != "#" and f"{name};" not in html.entities.html5:
        return match[0]
    character = html.unescape(f"&{name};")
    return " " if character == "\xa0" else character
