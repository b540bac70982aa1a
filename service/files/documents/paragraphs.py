"""From the lines of pages to one text: repeated headers once, columns on over pages, wrapped lines joined."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.files.documents.reading_order import Line, Region

_MARGIN = 0.13
"""Share of the page's height at its ends in which headers and footers stand."""

_SAME_PLACE = 4.0
_SAME_GUTTER = 8.0
_EQUAL = 0.88
"""Share of the wider column that the other one has at least, if a text runs on from one to the other."""

_RAGGED = 6.0
"""Sizes of type by which such columns may end at different heights: a heading stays with its text."""

_PAGE_NUMBER = re.compile(
    r"(?:\b(?:page|seite|p\.)\s{0,3})?\b\d{1,4}(?:\s{0,3}(?:/|of|von|de)\s{0,3}\d{1,4})?\s*$|^\d{1,4}$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"\s*(?:[•*‣▪\u2013\u2014·-]|\(?\d{1,2}[.)])\s")
_HYPHENATED = re.compile(r"([^\W\d_]+)-$")
_KEEPS_HYPHEN = frozenset(
    [
        "self",
        "co",
        "non",
        "well",
        "multi",
        "cross",
        "end",
        "real",
        "long",
        "short",
        "full",
        "part",
        "high",
        "low",
        "third",
        "pre",
        "post",
        "semi",
        "anti",
        "inter",
        "intra",
        "over",
        "under",
        "in",
        "on",
        "off",
        "e",
        "re",
        "ex",
        "mid",
        "all",
        "day",
        "hands",
        "problem",
        "data",
        "user",
        "customer",
        "test",
        "open",
        "state",
        "time",
        "decision",
    ]
)
_LONG_LINE = 40
"""Characters of a line at least, if the next one is to go on with it though it begins with a capital
letter."""


@dataclass(frozen=True, slots=True)
class Page:
    """Regions of a page of `width` x `height` points."""

    regions: Sequence[Region]
    width: float
    height: float


def text_of_pages(pages: Sequence[Page]) -> tuple[str, int]:
    """The text, and how many lines were left out since they repeat on every page."""
    repeated = _drop_repeated(pages)
    flow = _joined(pages)
    paragraphs: list[str] = []
    for region in flow:
        paragraphs += _paragraphs(region)
    text = "\n".join(paragraphs)
    text = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip(), repeated


def _drop_repeated(pages: Sequence[Page]) -> int:
    """Take out of all pages but the first what stands at the same place at the ends of each."""
    if len(pages) < 2:
        return 0
    seen: list[dict[str, list[float]]] = []
    for number, page in enumerate(pages, 1):
        keys: dict[str, list[float]] = {}
        for line in _at_ends(page):
            keys.setdefault(_key(line, number, len(pages)), []).append(line.y0)
        seen.append(keys)
    count = Counter(key for keys in seen for key in keys)
    # What is on all pages but one is repeated too: a first page often has a larger head of its own.
    needed = len(pages) if len(pages) < 4 else len(pages) - 1
    repeated = {
        key
        for key, n in count.items()
        if n >= needed and _is_steady([keys[key][0] for keys in seen if key in keys])
    }
    if not repeated:
        return 0
    dropped = 0
    known: set[str] = set()
    for number, page in enumerate(pages, 1):
        ends = {id(line): _key(line, number, len(pages)) for line in _at_ends(page)}
        here: set[str] = set()
        for region in page.regions:
            dropped += _drop(region, ends, repeated, known, here)
        known |= here
    return dropped


def _drop(region: Region, ends: dict[int, str], repeated: set[str], known: set[str], here: set[str]) -> int:
    if region.columns is not None:
        return sum(_drop(one, ends, repeated, known, here) for side in region.columns for one in side)
    kept = []
    for line in region.lines:
        key = ends.get(id(line))
        if key in repeated and key in known:
            continue
        if key is not None:
            here.add(key)
        kept.append(line)
    dropped = len(region.lines) - len(kept)
    region.lines = kept
    return dropped


def _at_ends(page: Page) -> Iterator[Line]:
    for region in page.regions:
        for line in region.all_lines:
            if line.y1 < _MARGIN * page.height or line.y0 > (1 - _MARGIN) * page.height:
                yield line


def _key(line: Line, number: int, pages: int) -> str:
    """A line without its own page's number."""
    text = " ".join(line.text.split())
    match = _PAGE_NUMBER.search(text)
    if (
        match
        and str(number) in re.findall(r"\d+", match[0])
        and set(re.findall(r"\d+", match[0])) <= {str(number), str(pages)}
    ):
        return text[: match.start()] + "\0"
    return text


def _is_steady(heights: Sequence[float]) -> bool:
    return max(heights) - min(heights) <= _SAME_PLACE


def _joined(pages: Sequence[Page]) -> list[Region]:
    """Columns that go on over a page, read on without the other column between."""
    joined: list[Region] = []
    for page in pages:
        for place, region in enumerate(page.regions):
            last = joined[-1] if joined and place == 0 else None
            if last is None or last.columns is None or last.is_row or region.is_row:
                joined.append(region)
            elif region.columns is not None and abs(region.gutter - last.gutter) < _SAME_GUTTER:
                if _is_newspaper(last, region):
                    joined.append(region)
                    continue
                for side, more in zip(last.columns, region.columns, strict=True):
                    side.extend(more)
            elif region.columns is None and region.lines and not _is_newspaper(last, region):
                side_of, count = _of_one_side(region.lines, last.gutter)
                if count:
                    last.columns[side_of].append(Region(region.lines[:count]))
                if region.lines[count:]:
                    joined.append(Region(region.lines[count:]))
            else:
                joined.append(region)
    return joined


def _is_newspaper(region: Region, next_region: Region) -> bool:
    """True if the left column goes on in the right one: both are equally wide and both are full.

    Columns that each go on at their own on the next page are told by a sentence that does.
    """
    if region.columns is None:
        return False
    left, right = ([line for one in side for line in one.all_lines] for side in region.columns)
    if not left or not right:
        return False
    widths = [max(line.x1 for line in side) - min(line.x0 for line in side) for side in (left, right)]
    ends = [max(line.y1 for line in side) for side in (left, right)]
    size = max(line.size for line in (left[-1], right[-1]))
    if min(widths) < _EQUAL * max(widths) or abs(ends[0] - ends[1]) > _RAGGED * size:
        return False
    after = next_region.columns[0][0].all_lines if next_region.columns else next_region.lines
    goes_on = bool(after) and after[0].text[:1].islower() and left[-1].text[-1:] not in ".:;!?"
    return not goes_on or right[0].text[:1].islower()


def _of_one_side(lines: Sequence[Line], gutter: float) -> tuple[int, int]:
    """The side of `gutter` at which the first of `lines` stand, 0 or 1, and how many of them do."""
    left = next((i for i, line in enumerate(lines) if line.x1 > gutter), len(lines))
    right = next((i for i, line in enumerate(lines) if line.x0 < gutter - 3), len(lines))
    return (0, left) if left >= right else (1, right)


def _paragraphs(region: Region) -> Iterator[str]:
    if region.columns is not None:
        sides = region.columns if region.first == 0 else region.columns[::-1]
        for side in sides:
            for lines in _runs(side):
                yield from _text_of_lines(lines)
            yield ""
        return
    yield from _text_of_lines(region.lines)
    yield ""


def _runs(side: Sequence[Region]) -> Iterator[list[Line]]:
    """Lines of one column, over pages; columns within it by themselves."""
    lines: list[Line] = []
    for region in side:
        if region.columns is None:
            lines += region.lines
            continue
        if lines:
            yield lines
            lines = []
        yield region.all_lines
    if lines:
        yield lines


def _text_of_lines(lines: Sequence[Line]) -> Iterator[str]:
    text = ""
    before: Line | None = None
    right = max((line.x1 for line in lines), default=0.0)
    words = {word for line in lines for word in re.findall(r"[^\W\d_]+-[^\W\d_]+", line.text.casefold())}
    for line in lines:
        if before is None:
            text = line.text
        elif _goes_on(before, line, text, right):
            text = _appended(text, line.text, words)
        else:
            yield text
            if _gap(before, line) > 0.9:
                yield ""
            text = line.text
        before = line
    if before is not None:
        yield text


def _gap(before: Line, line: Line) -> float:
    """Space between two lines in sizes of type; a line that stands higher begins a new block."""
    gap = (line.y0 - before.y1) / max(1.0, min(line.size, before.size))
    return gap if gap > -0.8 else 1.0


def _goes_on(before: Line, line: Line, text: str, right: float) -> bool:
    """True if `line` is where the sentence of `before` was wrapped."""
    if len(line.pieces) > 1 and _has_gap(line):
        return False
    if _has_gap(before) or _BULLET.match(line.text) or abs(before.size - line.size) > 0.12 * before.size:
        return False
    # A page may end in the midst of a sentence; on one page lines of a paragraph are close.
    if (line.y0 - before.y1) / max(1.0, line.size) >= -0.8 and _gap(before, line) > 0.75:
        return False
    hangs = 0 < line.x0 - before.x0 < 3 * line.size and _BULLET.match(text) is not None
    if abs(line.x0 - before.x0) > 2 and not hangs:
        return False
    first_word = line.text.split(" ", 1)[0]
    width = (line.x1 - line.x0) * len(first_word) / max(1, len(line.text))
    if before.x1 + width + 0.2 * line.size < right - 1:
        return False  # the word would have had room
    if text.endswith((".", ":", ";", "!", "?")) and not line.text[:1].islower():
        return before.x1 > right - width and len(before.text) >= _LONG_LINE
    return line.text[:1].islower() or len(before.text) >= _LONG_LINE


def _has_gap(line: Line) -> bool:
    return any(
        b.x0 - a.x1 > 1.5 * line.size and not _BULLET.match(a.text + " ")
        for a, b in zip(line.pieces, line.pieces[1:], strict=False)
    )


def _appended(text: str, more: str, words: set[str]) -> str:
    """`text` and the line after it: a word that was broken at its end is put together."""
    match = _HYPHENATED.search(text)
    if match is None or not more[:1].islower():
        return f"{text} {more}" if not text.endswith("\u00ad") else text[:-1] + more
    rest = re.match(r"[^\W\d_]+", more)
    whole = f"{match[1]}-{rest[0] if rest else ''}".casefold()
    if match[1].casefold() in _KEEPS_HYPHEN or whole in words:
        return text + more
    return text[:-1] + more
