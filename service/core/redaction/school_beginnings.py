"""What stands in front of a school's name and is none of it: a degree, in letters or in words."""

from __future__ import annotations

import re

from service.core.redaction.words import Words

_DEGREE_INITIALS = re.compile(
    r"(?:[BM]\.?[EAS]|Ph\.?D|LL\.?[BM]|[BM]\.?C\.?A|M\.?D)\.?[ ](?=\w{3})(?!(?:Ramaiah|RAMAIAH|Univ))"
)
"""Initials that begin a cell are those of a degree: "B.E Anna University"; M.S. Ramaiah is a founder."""

_WRITTEN_DEGREE = re.compile(
    r"(?<![\w.])(?:[BM]\.[ ]?(?:Com|Sc|Tech|Ed|Phil|Pharm|Arch|Lib|Des|Voc)|Ph\.[ ]?D)\b\.?", re.IGNORECASE
)
"""A degree whose words no name holds: "B.Com Anna University"."""


DEGREE_BEHIND = re.compile(
    r"(?:\b(?:[Bb]achelor|[Mm]aster|[Dd]iploma|[Cc]ertificate|[Cc]ertification|[Dd]egree|[Aa]ssociate|[Dd]octor)\w{0,3}(?:['’]s)?(?: of \w{3,14})?|\bGED|\b[BMP][\w.]{1,7}) (?:in|of) $",
)


def behind_degree(text: str, words: Words, first: int, key: int) -> int:
    """The first word of the name that words `first` to `key` hold, once a degree is taken from it: "B.Com Anna University"."""
    for degree in _WRITTEN_DEGREE.finditer(text, max(0, words.starts[first] - 3), words.starts[key]):
        while first < key and words.starts[first] < degree.end():
            first += 1
    return first


def initials_of_degree(found: str) -> int:
    """How many characters the initials of a degree take at the beginning of `found`, which begins a cell; 0 if none."""
    match = _DEGREE_INITIALS.match(found)
    return match.end() if match else 0
