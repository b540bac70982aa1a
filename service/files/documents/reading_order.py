"""From pieces of lines with their places on a page to lines in the order in which a person reads them.

Files mostly hold their text in this order already, but not always: a program may write a page from top to
bottom, across its columns, or a sidebar first or last. So a page is cut into columns where an empty strip
runs down between texts that do not belong together line by line; within a column the file's order holds
unless it jumps about. Dates at the right of a line and labels at the left of a paragraph are no columns:
they are read with their lines.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

_GUTTER = 0.6
"""Least width of the strip between columns, in sizes of the page's type."""

_NARROWEST = 5.0
_ALIGNED = 0.7
"""Share of blocks that begin beside a line of the other side at least, if they are labels or dates."""

_LABELS = 0.4
"""Share of the characters at most."""

_LABEL = 34
"""Characters of one line of a label or date at most, on average."""

_STICK_OUT = 0.1
"""Share of the pieces of the left column at most that reach into the strip between columns."""

_LEAST_RUN = 4
"""Pieces between two steps back up a page at least, on average, if the file's order has a meaning."""

_APART = 2
"""Changes of the file from one side to the other at most, if it holds each by itself, but for a heading."""

_CELL = 3
"""Lines of a cell at least, on average, if a grid is to be read row by row."""

_BLOCK_GAP = 0.9
"""Space between two lines of different blocks at least, in sizes of type."""


@dataclass(slots=True)
class Piece:
    """A part of a line without wide gaps, in points from the upper left corner.

    `order`: its place in the file.
    """

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    order: int

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2


@dataclass(slots=True)
class Line:
    """Pieces side by side, from left to right."""

    pieces: list[Piece]

    @property
    def x0(self) -> float:
        return self.pieces[0].x0

    @property
    def x1(self) -> float:
        return self.pieces[-1].x1

    @property
    def y0(self) -> float:
        return min(piece.y0 for piece in self.pieces)

    @property
    def y1(self) -> float:
        return max(piece.y1 for piece in self.pieces)

    @property
    def size(self) -> float:
        return max(piece.size for piece in self.pieces)

    @property
    def text(self) -> str:
        """Pieces far apart with four blanks between them, which redaction and passages take for a gap."""
        written = self.pieces[0].text
        for before, piece in pairwise(self.pieces):
            gap = (piece.x0 - before.x1) / max(piece.size, 1.0)
            written += ("    " if gap > 1.2 else " " if gap > 0.12 else "") + piece.text
        return written


@dataclass(slots=True)
class Region:
    """Lines in order, or two columns at the sides of `gutter`.

    `first`: which one is read first, 0 for the left. `is_row`: cells of one row of a grid, which end with it.
    """

    lines: list[Line]
    gutter: float = 0.0
    columns: tuple[list[Region], list[Region]] | None = None
    first: int = 0
    is_row: bool = False

    @property
    def all_lines(self) -> list[Line]:
        if self.columns is None:
            return self.lines
        sides = self.columns if self.first == 0 else self.columns[::-1]
        return [line for side in sides for region in side for line in region.all_lines]


def regions(pieces: Sequence[Piece]) -> list[Region]:
    """What stands on a page, from above to below; columns side by side are one region."""
    if not pieces:
        return []
    size = statistics.median(piece.size for piece in pieces)
    found = _cut(with_their_lines(pieces), max(_NARROWEST, _GUTTER * size), 0)
    for one, other in pairwise(found):
        other.is_row |= one.is_row and other.columns is not None and abs(one.gutter - other.gutter) < 1
    return found


_DATE = re.compile(
    r"(?:[\s\d./,\u2013\u2014-]|to\b|until\b|since\b|present|current|now\b|today"
    r"|(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?)+",
    re.IGNORECASE,
)
_BESIDE = 3.0
"""Space between a bullet and its line at most, in sizes of type."""


def with_their_lines(pieces: Sequence[Piece]) -> list[Piece]:
    """`pieces` in the order of the file, but bullets and dates with the lines beside which they stand.

    Browsers and what works like them paint floats before the text around them, and others paint bullets
    last, so that the file holds these far from their lines.
    """
    ordered = sorted(pieces, key=lambda piece: piece.order)
    keys: dict[int, tuple[float, int]] = {}
    for i, piece in enumerate(ordered):
        if piece.text == "•":
            line = _right_of(piece, ordered, _BESIDE * piece.size)
            if line is not None and line.order != piece.order + 1:
                keys[id(piece)] = (line.order, -1)
        elif _is_date(piece.text) and not _is_in_column(i, ordered):
            line = _left_of(piece, ordered)
            if line is not None and abs(line.order - piece.order) > 1:
                keys[id(piece)] = (line.order, 1)
    if keys:
        ordered.sort(key=lambda piece: keys.get(id(piece), (piece.order, 0)))
        for i, piece in enumerate(ordered):
            piece.order = i
    return ordered


def _is_date(text: str) -> bool:
    return len(text) <= _LABEL and any(map(str.isdigit, text)) and _DATE.fullmatch(text) is not None


def _is_in_column(i: int, ordered: Sequence[Piece]) -> bool:
    """True if the file holds a line right above or below a piece next to it."""
    piece = ordered[i]
    return any(
        other.x0 < piece.x1
        and other.x1 > piece.x0
        and max(other.y0 - piece.y1, piece.y0 - other.y1) < piece.size
        and not _is_date(other.text)
        for other in ordered[max(0, i - 1) : i + 2]
        if other is not piece
    )


def _right_of(piece: Piece, others: Iterable[Piece], most: float) -> Piece | None:
    beside = [one for one in others if 0 < one.x0 - piece.x0 <= most + 1 and _at_height(piece, one)]
    return min(beside, key=lambda one: one.x0, default=None)


def _left_of(piece: Piece, others: Iterable[Piece]) -> Piece | None:
    beside = [one for one in others if one.x1 <= piece.x0 + 1 and _at_height(piece, one)]
    return max(beside, key=lambda one: one.x1, default=None)


def _at_height(piece: Piece, other: Piece) -> bool:
    return abs(piece.middle - other.middle) <= 0.35 * max(piece.size, other.size)


def _cut(pieces: list[Piece], gutter: float, depth: int) -> list[Region]:
    if depth < 6 and len(pieces) >= 4:
        best = _best_columns(pieces, gutter)
        if best is not None:
            above, left, right, below, x, is_row = best
            first = 0 if _reads_left_first(left, right) else 1
            columns = _cut(left, gutter, depth + 1), _cut(right, gutter, depth + 1)
            return [
                *(_cut(above, gutter, depth + 1) if above else []),
                Region([], x, columns, first, is_row),
                *(_cut(below, gutter, depth + 1) if below else []),
            ]
    return [Region(lines_of(pieces))]


def _best_columns(
    pieces: list[Piece], gutter: float
) -> tuple[list[Piece], list[Piece], list[Piece], list[Piece], float, bool] | None:
    """The pieces above, left, right and below of the tallest columns.

    Also where the right one begins, and whether they are the first of several rows.
    """
    best = None
    best_height = 0.0
    for x in _candidates(pieces):
        left_edge = x - gutter
        crossing = sorted((p.y0, p.y1) for p in pieces if p.x0 < x - 1 and p.x1 > x - 1)
        for above_all, bottom in _bands(crossing):
            top = _below_paragraph(pieces, above_all, bottom)
            inside = [p for p in pieces if top < p.middle < bottom]
            left = [p for p in inside if p.x1 <= x - 1]
            right = [p for p in inside if p.x0 >= x - 1]
            if len(left) < 2 or len(right) < 2 or len(left) + len(right) < len(inside):
                continue
            # An address may stick out of its column, almost to the next one.
            if sum(p.x1 > left_edge for p in left) > _STICK_OUT * len(left):
                continue
            shared = min(max(p.y1 for p in left), max(p.y1 for p in right)) - max(
                min(p.y0 for p in left), min(p.y0 for p in right)
            )
            if shared <= best_height:
                continue
            end = _end_of_row(left, right)
            if end is not None:
                bottom = min(bottom, end)
                left, right = ([p for p in side if p.middle < end] for side in (left, right))
            if not _are_columns(left, right):
                continue
            best_height = shared
            above = [p for p in pieces if p.middle <= top]
            below = [p for p in pieces if p.middle >= bottom]
            best = above, left, right, below, x, end is not None
    return best


def _below_paragraph(pieces: list[Piece], top: float, bottom: float) -> float:
    """`top`, or where a paragraph ends that begins above it: its last line may be short and cross nothing."""
    for before, piece in pairwise(pieces):  # they are in the file's order
        if before.middle <= top < piece.middle < bottom and _follows(before, piece):
            top = piece.y1 - 0.3 * (piece.y1 - piece.y0)
    return top


def _follows(before: Piece, piece: Piece) -> bool:
    """True for two lines of one paragraph."""
    is_close = -0.5 * piece.size < piece.y0 - before.y1 < (_BLOCK_GAP - 0.35) * piece.size
    is_like = abs(piece.size - before.size) <= 0.05 * before.size
    return is_close and is_like and abs(piece.x0 - before.x0) <= 1 and piece.x1 < before.x1


def _candidates(pieces: list[Piece]) -> Iterable[float]:
    """Where several pieces begin one below the other."""
    edges = sorted(piece.x0 for piece in pieces)
    found: list[float] = []
    i = 0
    while i < len(edges):
        j = i
        while j + 1 < len(edges) and edges[j + 1] - edges[i] <= 2:
            j += 1
        if j > i or len(edges) < 40:
            found.append(edges[i])
        i = j + 1
    return found[1:61]  # nothing is left of the first


def _bands(crossing: list[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    """The heights at which nothing crosses, from above to below."""
    top = -1e9
    for y0, y1 in crossing:
        if (y0 + y1) / 2 > top:
            yield top, y0 + 0.3 * (y1 - y0)
        top = max(top, y1 - 0.3 * (y1 - y0))
    yield top, 1e9


def _are_columns(left: list[Piece], right: list[Piece]) -> bool:
    """False for what belongs together line by line: labels, dates, cells of a table."""
    if _changes(left, right) <= _APART:
        return True
    few, many = (left, right) if _letters(left) <= _letters(right) else (right, left)
    blocks = _blocks(few)
    beside = sum(_is_beside(block[0], many) for block in blocks)
    average = _letters(few) / sum(len(block) for block in blocks)
    share = _letters(few) / (_letters(few) + _letters(many))
    if beside >= _ALIGNED * len(blocks) and share <= _LABELS and average <= _LABEL:
        return False
    return not (
        len(blocks) >= 2 and _keeps_blocks(few, many, blocks) and _keeps_blocks(many, few, _blocks(many))
    )


def _end_of_row(left: list[Piece], right: list[Piece]) -> float | None:
    """Where the first row of a grid ends, whose cells of several lines the file holds row by row; else None.

    Then each row begins below both cells of the one before.
    """
    sides = sorted([(p.order, 0, p) for p in left] + [(p.order, 1, p) for p in right], key=_first_of)
    cells = [[one[2] for one in cell] for _, cell in groupby(sides, key=lambda one: one[1])]
    if len(cells) < 3 or len(sides) < _CELL * len(cells):
        return None
    rows = [[*a, *b] for a, b in zip(cells[::2], [*cells[1::2], []], strict=False)]
    extents = [(min(p.y0 for p in row), max(p.y1 for p in row)) for row in rows]
    if any(before[1] > after[0] + 1 for before, after in pairwise(extents)):
        return None
    return (extents[0][1] + extents[1][0]) / 2


def _first_of(one: tuple[int, int, Piece]) -> int:
    return one[0]


def _changes(left: list[Piece], right: list[Piece]) -> int:
    """How often the file goes over from one side to the other."""
    sides = [side for _, side in sorted([(p.order, 0) for p in left] + [(p.order, 1) for p in right])]
    return sum(a != b for a, b in pairwise(sides))


def _keeps_blocks(side: list[Piece], other: list[Piece], blocks: list[list[Line]]) -> bool:
    """True if the file goes over to the other side only between blocks, as with cells of a table."""
    orders = sorted(piece.order for piece in other)
    for block in blocks:
        of_block = [piece.order for line in block for piece in line.pieces]
        low, high = min(of_block), max(of_block)
        if any(low < order < high for order in orders):
            return False
    tops = [block[0] for block in blocks]
    return sum(_is_beside(line, other) for line in tops) >= _ALIGNED * len(tops)


def _reads_left_first(left: list[Piece], right: list[Piece]) -> bool:
    if _changes(left, right) <= _APART:
        return statistics.median(p.order for p in left) < statistics.median(p.order for p in right)
    return True


def _letters(pieces: Iterable[Piece]) -> int:
    return sum(len(piece.text) for piece in pieces)


def _is_beside(line: Line, others: Iterable[Piece]) -> bool:
    """True if a line of the other side stands at the same height."""
    middle = (line.y0 + line.y1) / 2
    return any(abs(middle - other.middle) <= 0.25 * line.size for other in others)


def _blocks(pieces: list[Piece]) -> list[list[Line]]:
    """Lines close to each other, from above to below."""
    blocks: list[list[Line]] = []
    for line in _rows(sorted(pieces, key=lambda piece: piece.middle)):
        if (
            blocks
            and line.y0 - blocks[-1][-1].y1
            < _BLOCK_GAP * min(line.size, blocks[-1][-1].size) - 0.35 * line.size
        ):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks


def lines_of(pieces: Sequence[Piece]) -> list[Line]:
    """The lines of one column: in the file's order if that makes sense, else from above to below."""
    in_file = sorted(pieces, key=lambda piece: piece.order)
    if _goes_down(in_file) or _goes_down_in_columns(in_file):
        return _rows(in_file)
    return _rows(sorted(pieces, key=lambda piece: (piece.middle, piece.x0)))


def _goes_down_in_columns(pieces: Sequence[Piece]) -> bool:
    """True if the file steps back up seldom, and never above what it had there before."""
    steps = [i for i, (a, b) in enumerate(pairwise(pieces), 1) if b.middle < a.y0 - 0.1 * a.size]
    if len(steps) * _LEAST_RUN > len(pieces):
        return False
    return not any(
        earlier.y0 > pieces[i].y1 and earlier.x0 < pieces[i].x1 and earlier.x1 > pieces[i].x0
        for i in steps
        for earlier in pieces[:i]
    )


def _goes_down(pieces: Sequence[Piece]) -> bool:
    """True if each step back up leads beside what was just read, and not above where that began.

    What was just read is all since the last step, or the lines close to each other that end there.
    """
    run: _Extent | None = None
    block: _Extent | None = None
    before: Piece | None = None
    for piece in pieces:
        if before is None or run is None or block is None:
            run, block = _Extent(piece), _Extent(piece)
        elif piece.middle < before.y0 - 0.1 * before.size:
            if not (run.is_left_for(piece) or block.is_left_for(piece)):
                return False
            run, block = _Extent(piece), _Extent(piece)
        else:
            run.add(piece)
            if piece.y0 - before.y1 > (_BLOCK_GAP - 0.35) * piece.size:
                block = _Extent(piece)
            else:
                block.add(piece)
        before = piece
    return True


class _Extent:
    """From where to where some pieces reach, and where they begin."""

    def __init__(self, first: Piece) -> None:
        self.top, self.x0, self.x1 = first.y0, first.x0, first.x1

    def add(self, piece: Piece) -> None:
        self.x0, self.x1 = min(self.x0, piece.x0), max(self.x1, piece.x1)

    def is_left_for(self, piece: Piece) -> bool:
        """True if `piece` stands beside, and not above where this begins."""
        is_beside = piece.x0 >= self.x1 - 1 or piece.x1 <= self.x0 + 1
        return is_beside and piece.middle >= self.top - piece.size


def _rows(pieces: Sequence[Piece]) -> list[Line]:
    """Neighbours in `pieces` that stand at the same height become one line."""
    lines: list[Line] = []
    for piece in pieces:
        if lines and _same_height(lines[-1], piece):
            lines[-1].pieces.append(piece)
        else:
            lines.append(Line([piece]))
    for line in lines:
        line.pieces.sort(key=lambda piece: piece.x0)
    return lines


def _same_height(line: Line, piece: Piece) -> bool:
    last = line.pieces[-1]
    shared = min(last.y1, piece.y1) - max(last.y0, piece.y0)
    if shared < 0.55 * min(last.y1 - last.y0, piece.y1 - piece.y0):
        return False
    return all(
        piece.x0 >= one.x1 - 0.5 * one.size or piece.x1 <= one.x0 + 0.5 * one.size for one in line.pieces
    )
