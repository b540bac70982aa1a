"""Patterns that are found fast in long texts: `re` is asked only where one of their beginnings stands.

`re` tries a pattern at every character unless it begins with a plain letter or a class of letters, and most patterns
of redaction begin with a word boundary, with an optional word or with words in any case. Here the first few
characters that a pattern can begin with are read from the pattern itself; a small pattern of these, which begins
with a class, says where to try the whole one. What is found is the same (a test compares both for every pattern).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_DEPTHS = (4, 3, 2, 1)
"""How many characters of a beginning are looked at: the most for which there are not too many beginnings."""

_MOST_BEGINNINGS = 700
_END = ""
"""Ends a beginning behind which anything may stand."""

_CATEGORIES = {
    c.CATEGORY_DIGIT: r"\d",
    c.CATEGORY_NOT_DIGIT: r"\D",
    c.CATEGORY_SPACE: r"\s",
    c.CATEGORY_NOT_SPACE: r"\S",
    c.CATEGORY_WORD: r"\w",
    c.CATEGORY_NOT_WORD: r"\W",
}

_Beginning = tuple[str, ...]
"""What a class holds of each of the first characters: "aA", "0-9"; `_END` may stand last."""

_Tree = dict[str, Any]
"""Beginnings by their first class, then by their second one. An empty tree is followed by anything."""


class Scan:
    """A compiled pattern, with `finditer`, `search` and `match` as `re.Pattern` has them."""

    __slots__ = ("match", "pattern", "starts")

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern
        self.match = pattern.match
        self.starts = _starts_of(pattern)
        """Finds the first character of whatever `pattern` finds. None if that is no faster."""

    def finditer(self, text: str, start: int = 0) -> Iterator[re.Match[str]]:
        """As `re.Pattern.finditer`: matches from `start` on, in order and apart."""
        if self.starts is None:
            return self.pattern.finditer(text, start)
        return self._from(map(re.Match.start, self.starts.finditer(text, start)), text)

    def finditer_in(self, text: str, windows: Iterable[tuple[int, int]]) -> Iterator[re.Match[str]]:
        """The matches in `text` that begin in one of `windows`, which are in order and apart, if there are no others."""
        if self.starts is None:
            return self.pattern.finditer(text)
        # The last beginning of a window must be seen whole.
        finditer, more = self.starts.finditer, _DEPTHS[0]
        return self._from(
            (found.start() for first, stop in windows for found in finditer(text, first, stop + more)), text
        )

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """As `re.Pattern.search`."""
        if self.starts is None:
            return self.pattern.search(text, start)
        return next(self.finditer(text, start), None)

    def _from(self, starts: Iterable[int], text: str) -> Iterator[re.Match[str]]:
        match, done = self.match, -1
        for start in starts:
            if start >= done:
                found = match(text, start)
                if found is not None:
                    done = found.end()
                    yield found


def scan(pattern: str, flags: int = 0) -> Scan:
    """As `re.compile`."""
    return Scan(re.compile(pattern, flags))


def _starts_of(pattern: re.Pattern[str]) -> re.Pattern[str] | None:
    parsed = parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    ignore_case = bool(pattern.flags & re.IGNORECASE)
    for depth in _DEPTHS:
        by_lead: dict[str, set[_Beginning]] = {}
        try:
            for lead, items in _alternatives(parsed, "", ignore_case=ignore_case):
                by_lead.setdefault(lead, set()).update(_beginnings(items, depth, ignore_case))
        except _TooManyError:
            continue
        trees = {lead: _tree_of(beginnings) for lead, beginnings in by_lead.items()}
        firsts = dict.fromkeys(first for tree in trees.values() for first in tree)
        if not all(trees.values()) or any(first.startswith("^") for first in firsts):
            return None  # it may be empty, or begin with nearly any character
        starts = "|".join(f"{lead}(?={_pattern_of(tree)})" for lead, tree in trees.items())
        # The class comes first and is all that is taken, for which `re` has a fast loop; then one step back.
        return re.compile(
            f"[{''.join(firsts)}](?<=(?:{starts}).)", re.DOTALL | (pattern.flags & re.MULTILINE)
        )
    return None


def _alternatives(items: Iterable[Any], lead: str, *, ignore_case: bool) -> Iterator[tuple[str, list[Any]]]:
    """The branches of a parsed pattern: what must hold where one begins, as a pattern, and the rest of it."""
    items = list(items)
    while items:
        kind, value = items[0]
        if kind is c.BRANCH:
            for branch in value[1]:
                yield from _alternatives([*branch, *items[1:]], lead, ignore_case=ignore_case)
            return
        if kind is c.SUBPATTERN and not value[1] and not value[2]:
            items = [*value[3], *items[1:]]
        elif held := _lead_of(kind, value, ignore_case=ignore_case):
            lead, items = lead + held, items[1:]
        else:
            break
    yield lead, items


def _lead_of(kind: Any, value: Any, *, ignore_case: bool) -> str:
    """What must hold where a pattern begins, as a pattern; empty if the item takes characters or is too involved."""
    if kind is c.AT:
        return {c.AT_BOUNDARY: r"\b", c.AT_BEGINNING: "^"}.get(value, "")
    if kind is c.ASSERT_NOT and value[0] < 0 and len(value[1]) == 1 and value[1][0][0] is c.IN:
        return f"(?<![{_written(value[1][0][1])}])"
    if kind is c.ASSERT and value[0] > 0:
        written = [_simple(item, ignore_case=ignore_case) for item in value[1]]
        return f"(?={''.join(written)})" if all(written) else ""
    return ""


def _simple(item: Any, *, ignore_case: bool) -> str:
    """A character, a class or a repeat of these as a pattern of just this; empty for anything else."""
    kind, value = item
    if kind is c.LITERAL:
        return f"[{_any_case(_in_class(chr(value))) if ignore_case else _in_class(chr(value))}]"
    if kind is c.IN and value[0][0] is not c.NEGATE:
        return f"[{_class_of(value, ignore_case=ignore_case)}]"
    if kind in (c.MAX_REPEAT, c.POSSESSIVE_REPEAT) and len(value[2]) == 1:
        least, most, inside = value
        repeated = _simple(inside[0], ignore_case=ignore_case)
        limit = "" if most is c.MAXREPEAT else most
        return repeated and f"{repeated}{{{least},{limit}}}{'+' if kind is c.POSSESSIVE_REPEAT else ''}"
    return ""


class _TooManyError(Exception):
    """There are more beginnings than it pays to look for."""


def _beginnings(items: Iterable[Any], depth: int, ignore_case: bool) -> set[_Beginning]:
    """The beginnings, of `depth` classes at most, of what a sequence of a parsed pattern matches."""
    found: set[_Beginning] = {()}
    for item in items:
        open_ones = {one for one in found if len(one) < depth and _END not in one}
        if not open_ones:
            break
        behind = _of_item(item, depth, ignore_case)
        found -= open_ones
        found |= {(one + more)[:depth] for one in open_ones for more in behind}
        if len(found) > _MOST_BEGINNINGS:
            raise _TooManyError
    return found


def _of_item(item: Any, depth: int, ignore_case: bool) -> set[_Beginning]:
    kind, value = item
    if kind in (c.AT, c.ASSERT, c.ASSERT_NOT):
        return {()}
    if kind is c.LITERAL:
        return {(_any_case(_in_class(chr(value))) if ignore_case else _in_class(chr(value)),)}
    if kind is c.IN:
        return {(_class_of(value, ignore_case=ignore_case),)}
    if kind is c.BRANCH:
        return set().union(*(_beginnings(branch, depth, ignore_case) for branch in value[1]))
    if kind is c.SUBPATTERN:
        _, added, removed, inside = value
        ignored = (ignore_case or bool(added & re.IGNORECASE)) and not removed & re.IGNORECASE
        return _beginnings(inside, depth, ignored)
    if kind is c.ATOMIC_GROUP:
        return _beginnings(value, depth, ignore_case)
    if kind in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
        least, most, inside = value
        once = _beginnings(inside, depth, ignore_case)
        found: set[_Beginning] = set()
        times: set[_Beginning] = {()}
        for count in range(min(most, least + depth) + 1):
            if count >= least:
                found |= times
            times = {(one + more)[:depth] if _END not in one else one for one in times for more in once}
            if len(times) + len(found) > _MOST_BEGINNINGS:
                raise _TooManyError
        return found
    return {(_END,)}  # anything else may be anything


def _in_class(character: str) -> str:
    """A character as it is written in a class."""
    return "\\" + character if character in r"\]^-[&~|" else character


def _class_of(items: Iterable[Any], *, ignore_case: bool) -> str:
    """The inside of a class that holds at least `items`."""
    written = _written(items)
    if written.startswith("^"):
        # What else is left out of the class does not matter here: more is let through.
        return next((other for held, other in ((r"\w", r"\W"), (r"\s", r"\S")) if held in written), r"\d\D")
    return _any_case(written) if ignore_case else written


def _written(items: Iterable[Any]) -> str:
    """The inside of a class, "^" first if it is negated."""
    written = ""
    for kind, value in items:
        if kind is c.NEGATE:
            written += "^"
        elif kind is c.LITERAL:
            written += _in_class(chr(value))
        elif kind is c.RANGE:
            written += f"{_in_class(chr(value[0]))}-{_in_class(chr(value[1]))}"
        else:
            written += _CATEGORIES[value]
    return written


@cache
def _any_case(written: str) -> str:
    """A class with what `re` takes for the same letters in another case."""
    return written + "".join(
        _in_class(letter)
        for letter in re.findall(f"(?i:[{written}])", _cased())
        if not re.match(f"[{written}]", letter)
    )


@cache
def _cased() -> str:
    """Every letter that has another case."""
    return "".join(ch for ch in map(chr, range(0x1E944)) if ch.lower() != ch or ch.upper() != ch)


def _tree_of(beginnings: Iterable[_Beginning]) -> _Tree:
    """Empty if one of the beginnings is empty."""
    by_first: dict[str, list[_Beginning]] = {}
    for beginning in beginnings:
        if not beginning or beginning[0] == _END:
            return {}
        by_first.setdefault(beginning[0], []).append(beginning[1:])
    return {first: _tree_of(rest) for first, rest in by_first.items()}


def _pattern_of(tree: _Tree) -> str:
    """A pattern of the beginnings in `tree`. Classes with the same behind them are one."""
    classes: dict[str, list[str]] = {}
    for first, rest in sorted(tree.items()):
        classes.setdefault(_pattern_of(rest) if rest else "", []).append(first)
    branches = []
    for behind, written in classes.items():
        negated = [one for one in written if one.startswith("^")]
        plain = "".join(one for one in written if not one.startswith("^"))
        branches += [f"[{one}]{behind}" for one in (*negated, *((plain,) if plain else ()))]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
