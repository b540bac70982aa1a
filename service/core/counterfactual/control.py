"""The control arm: benign edits, which say nothing about the person and show how far a score moves anyway."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from service.core.redaction.lexicon import short_table
from service.core.redaction.spans import Span

_SHORT = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONG = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MONTH_YEAR = re.compile(rf"\b({'|'.join(_LONG)}|{'|'.join(_SHORT)})\.? (?=(?:19|20)\d\d)")
_BULLET = re.compile(r"^([ \t]*)([-*•–])(?=[ \t]+\S)", re.MULTILINE)
_LIST_LINE = re.compile(
    r"^(?:[^\n:]{0,40}:[ ]*)?([^\n,.:;()|]{2,40}(?:,[ ][^\n,.:;()|]{2,40}){3,})\.?$", re.MULTILINE
)
_LINES = short_table("benign_lines.csv")
_LAST_LINES = [row["line"] for row in _LINES if row["place"] == "last"]
_FIRST_LINES = [row["line"] for row in _LINES if row["place"] == "first"]
_BULLETS = ("•", "*", "–", "-")


def _months(text: str, rng: random.Random) -> str:
    """January 2016 <-> Jan 2016, each the other way round."""

    def other(match: re.Match[str]) -> str:
        month = match[1]
        if month in _SHORT and month != "May":
            return _LONG[_SHORT.index(month)] + " "
        return _SHORT[_LONG.index(month)] + " "

    return _MONTH_YEAR.sub(other, text)


def _bullets(text: str, rng: random.Random) -> str:
    found = _BULLET.search(text)
    if found is None:
        return text
    new = rng.choice([bullet for bullet in _BULLETS if bullet != found[2]])
    return _BULLET.sub(lambda match: match[1] + new, text)


def _spacing(text: str, rng: random.Random) -> str:
    """A blank line more, or one less, between two paragraphs."""
    breaks = [match.start() for match in re.finditer(r"\n\n", text)]
    singles = [match.start() for match in re.finditer(r"(?<=[.!?])\n(?!\n)", text)]
    if singles and (not breaks or rng.random() < 0.5):
        at = rng.choice(singles)
        return text[:at] + "\n" + text[at:]
    if breaks:
        at = rng.choice(breaks)
        return text[:at] + text[at + 1 :]
    return text


def _skill_order(text: str, rng: random.Random) -> str:
    lists = list(_LIST_LINE.finditer(text))
    if not lists:
        return text
    chosen = rng.choice(lists)
    items = chosen[1].split(", ")
    shuffled = items[:]
    rng.shuffle(shuffled)
    return text[: chosen.start(1)] + ", ".join(shuffled) + text[chosen.end(1) :]


def _sentence(text: str, rng: random.Random) -> str:
    return f"{text}\n{rng.choice(_LAST_LINES)}"


def _top_line(text: str, rng: random.Random) -> str:
    """A heading above everything: it shifts where passages end, as a longer name does."""
    return f"{rng.choice(_FIRST_LINES)}\n{text}"


CONTROL_EDITS: dict[str, Callable[[str, random.Random], str]] = {
    "month_format": _months,
    "bullet_style": _bullets,
    "spacing": _spacing,
    "skill_order": _skill_order,
    "neutral_sentence": _sentence,
    "top_line": _top_line,
}


def control_variants(
    text: str, hidden: Sequence[Span], rng: random.Random, count: int
) -> list[tuple[str, str]]:
    """Up to `count` different edits of `text` as (kind, edited text), kinds in turn.

    `hidden` are the spans that redaction would hide: an edit that touches one of them is dropped, so the
    control arm never changes a name, a school or anything else that says who the person is.
    """
    hidden_texts = sorted({text[span.start : span.end] for span in hidden})
    variants: dict[str, str] = {}
    kinds = list(CONTROL_EDITS)
    for attempt in range(count * len(kinds)):
        kind = kinds[attempt % len(kinds)]
        edited = CONTROL_EDITS[kind](text, rng)
        if edited != text and edited not in variants and all(part in edited for part in hidden_texts):
            variants[edited] = kind
        if len(variants) == count:
            break
    return [(kind, edited) for edited, kind in variants.items()]
