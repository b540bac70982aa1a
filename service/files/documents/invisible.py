"""Characters without any width, by which words can be hidden in a text or from a search."""

from __future__ import annotations

import re

from service.core.stuffing import hidden_characters
from service.files.documents.parsed import Warnings

_JOINERS = "\u200c\u200d"
_ZERO_WIDTH = re.compile(
    "[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u180e\u115f\u1160\u3164\uffa0"
    "\U000e0000-\U000e007f\ufff9-\ufffb]"
)
_USELESS_JOINER = re.compile(
    f"(?<=[\\x00-\\u024f])[{_JOINERS}]+|^[{_JOINERS}]+|[{_JOINERS}]+(?=[\\x00-\\u024f])"
)
"""Joiners are letters' business in Persian, Indic scripts and emoji; beside Latin letters they do nothing."""


def without_zero_width(text: str, warnings: Warnings) -> str:
    """`text` without characters that have no width.

    Counts them in `warnings`; those that are no accident of layout are `hidden_text`, too.
    """
    if text.isascii():
        return text
    shown = _USELESS_JOINER.sub("", _ZERO_WIDTH.sub("", text))
    warnings["zero_width_characters"] += len(text) - len(shown)
    if len(shown) < len(text):
        warnings["hidden_text"] += hidden_characters(text)
    return shown
