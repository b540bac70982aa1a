"""A document as passages: the unit of encoding, caching and explaining.

Passages are about `words` words long and end at sentence or line boundaries where they can. Every
word of the document stands in exactly one passage, in order: nothing is truncated. A passage with
more tokens than the model takes is halved until it fits (`tokenization.py`).

With `layout`, blank lines end passages, the short lines on top (name, title, contact) are passages of
their own, and list marks are dropped. So a name or a heading does not colour the sentences after it,
and an edit moves the ends of passages in its own paragraph only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

# A sentence end followed by space, a line break, a bullet, or a gap as tables have.
_BOUNDARY = re.compile(r"(?<=[.!?;:\u3002\uff01\uff1f\uff1b])\s+|\n+|\s*[•●▪◦‣■►]\s*|\s\*\s|\s{3,}")
_PARAGRAPH = re.compile(r"\n\n+")
_LIST_MARK = re.compile(r"^[ \t]*[-*\u2013\u2014•●▪◦‣■►➢✓][ \t]+(?=\S)", re.MULTILINE)
_HEAD_LINES = 4
_HEAD_WORDS = 8


class PassagePolicy(BaseModel):
    """How documents are cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: int = Field(
        default=40, ge=5, le=400, description="Most words in a passage (white-space separated)."
    )
    layout: bool = Field(
        default=False, description="Heed blank lines, the short lines on top and list marks."
    )


def split_passages(text: str, policy: PassagePolicy) -> list[str]:
    """Cut normalised `text` into passages of at most `policy.words` words, in order."""
    parts = _laid_out(text) if policy.layout else [text]
    return [passage for part in parts for passage in _pack(part, policy.words)]


def halve(passage: str) -> list[str]:
    """Cut a passage of two characters or more in two: between words if it has several, else inside."""
    words = passage.split()
    if len(words) > 1:
        half = len(words) // 2
        return [" ".join(words[:half]), " ".join(words[half:])]
    half = len(passage) // 2
    return [passage[:half], passage[half:]]


def _laid_out(text: str) -> list[str]:
    """The lines of the head, then the paragraphs, without list marks."""
    lines = _LIST_MARK.sub("", text).split("\n")
    head: list[str] = []
    while lines and len(head) < _HEAD_LINES and len(lines[0].split()) <= _HEAD_WORDS:
        line = lines.pop(0)
        if line.strip():
            head.append(line)
    return head + _PARAGRAPH.split("\n".join(lines))


def _pack(text: str, limit: int) -> Iterator[str]:
    open_words: list[str] = []
    for segment in _BOUNDARY.split(text):
        words = segment.split()
        if open_words and len(open_words) + len(words) > limit:
            yield " ".join(open_words)
            open_words = []
        rest = 0  # the first word that is not handed out
        while len(words) - rest > limit:
            yield " ".join(words[rest : rest + limit])
            rest += limit
        open_words += words[rest:]
    if open_words:
        yield " ".join(open_words)
