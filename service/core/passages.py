"""A document as passages: the unit of encoding, caching and explaining.

Passages are about `words` words long and end at sentence or line boundaries where they can. Every
word of the document stands in exactly one passage, in order: nothing is truncated. A passage with
more tokens than the model takes is halved until it fits (`tokenization.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

# A sentence end followed by space, a line break, a bullet, or a gap as tables have.
_BOUNDARY = re.compile(r"(?<=[.!?;:\u3002\uff01\uff1f\uff1b])\s+|\n+|\s*[•●▪◦‣■►]\s*|\s\*\s|\s{3,}")


class PassagePolicy(BaseModel):
    """How documents are cut. `words`: most words in a passage (white-space separated)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: int = Field(default=40, ge=5, le=400)


def split_passages(text: str, policy: PassagePolicy) -> list[str]:
    """Cut normalised `text` into passages of at most `policy.words` words, in order."""
    return list(_pack(text, policy.words))


def halve(passage: str) -> list[str]:
    """Cut a passage of two characters or more in two: between words if it has several, else inside."""
    words = passage.split()
    if len(words) > 1:
        half = len(words) // 2
        return [" ".join(words[:half]), " ".join(words[half:])]
    half = len(passage) // 2
    return [passage[:half], passage[half:]]


def _pack(text: str, limit: int) -> Iterator[str]:
    open_words: list[str] = []
    for segment in _BOUNDARY.split(text):
        words = segment.split()
        if open_words and len(open_words) + len(words) > limit:
            yield " ".join(open_words)
            open_words = []
        while len(words) > limit:
            yield " ".join(words[:limit])
            words = words[limit:]
        open_words += words
    if open_words:
        yield " ".join(open_words)
