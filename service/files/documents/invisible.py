"""Characters without any width, by which words can be hidden in a text or from a search."""

from __future__ import annotations

import re

_JOINERS = "\u200c\u200d"
_ZERO_WIDTH = re.compile(
    "[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u180e\u115f\u1160\u3164\uffa0"
    "\U000e0000-\U000e007f\ufff9-\ufffb]"
)
_USELESS_JOINER = re.compile(
    f"(?<=[\\x00-\\u024f])[{_JOINERS}]+|^[{_JOINERS}]+|[{_JOINERS}]+(?=[\\x00-\\u024f])"
)
"""Joiners are letters' business in Persian, Indic scripts and emoji; beside Latin letters they do nothing."""


def without_zero_width(text: str) -> tuple[str, int]:
    """`text` without characters that have no width, and how many there were."""
    if text.isascii():
        return text, 0
    shown = _USELESS_JOINER.sub("", _ZERO_WIDTH.sub("", text))
    return shown, len(text) - len(shown)
