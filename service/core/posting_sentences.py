"""The sentences of a job posting, also of one that lost its line breaks on its way.

Job boards hand postings on as one line, in which "...communication skillsBachelor's degree requiredBenefits:5 weeks
off" were list items and a heading. So a sentence ends at a line break, a mark, a bullet or a wide gap, and where
a word is stuck to the next one; a label ("Location:") is a sentence of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_END = re.compile(
    r"""
      \n\s*
    | (?<=[.!?;…])["”’)]?\s+(?=\S)
    | (?<=[a-z)]{2}[.!?])(?=[A-Z][A-Za-z’']{1,20}[ ,:.\d])      # "on site.The next"
    | \s*[•●▪◦‣■►➢✓·�§][ \t]*                                   # list marks
    | \s+[-–—*o]\s+(?=[A-Z]) | (?<=[a-z.)])\*\s?(?=[A-Z])
    | \s{3,}
    | (?<=[a-z]{2}\ )\ (?=[A-Z])                                # a wide gap before a capital letter
    | (?<=[a-z.)]\ )(?=(?:[A-Z][A-Za-z]{1,15}[ /&]{1,3}){0,2}(?:Duties|Responsibilities|Requirements|Qualifications|Skills
        |Summary|Benefits|Location|Salary|Rate|Compensation|Schedule|Hours|Shift|Description|Education|Experience)\s?:)
    | (?<=[a-z]{3})(?=[A-Z](?:[a-z]{2}|[a-z]\b|\ [a-z])) | (?<=[a-z]{3})(?=[A-Z]{2,12}\b)
    | (?<=[a-z.)]\ )(?=(?:For\ (?:more|additional|further|immediate)\ |If\ (?:you\ are\ )?interested|To\ (?:apply|learn\ more)\b
        |Please\ (?:apply|call|visit|contact|e-?mail|send|submit)|Apply\ (?:now|today|online|here)\b|We\ (?:also\ )?offer\b
        |Reasonable\ accommodation))
    | (?<=[a-z.)]\ )(?<!\b[Aa]n\ )(?<!\ba\ )(?<!\bthe\ )(?<!\band\ )(?<!\bof\ )(?=(?:An\ )?Equal\ Opportunity|EEO\b|EOE\b)
    | (?<=\bUs)(?=[A-Z][a-z]) | (?<=[A-Z]{2})(?=[A-Z][a-z]{3,20}\b) | (?<=\))(?=[A-Z][a-z]) | (?<=\d)(?=[A-Z][a-z]{2,20}\b)
    | (?<=\b[A-Za-z]:)(?=[A-Z]) | (?<=[A-Za-z)]{2}:)(?=\S)(?!//) # "Benefits:Five weeks"
    """,
    re.VERBOSE,
)
_LABEL = re.compile(r"(?:[^\s:.,]{1,30}[ ,]{1,2}){0,5}[^\s:.,]{1,30}\s?:\s+(?=\S)")
"""At the beginning of a sentence: at most six words and a colon."""

_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|incl|approx|min|max|no|nos|yrs?|mos?|hrs?|[Ii]nc|[Cc]o|[Cc]orp|[Ll]td|[Ss]t|[Dd]r|[Mm]rs?|[Mm]s"
    r"|vs|dept|[Jj]r|[Ss]r|est|ext|[A-Z]))\.\s*$"
)
_ONE_WORD = re.compile(
    r"(?:Power|Share|Java|Type|Linked|Fed|You|Quick|Career|Word|Git|Dev|Sec|Comp|Postgre|Auto|Solid|Hub|Sales|My|No|Pay|Face|Net|Air"
    r"|True|Mc|Mac|De|La|Open|Data|Mongo|Type|Docu|Service|Work|Client|Home|Health|Time|Web|Light|Snow|Active)$"
)
"""Beginnings of names with a capital letter inside, such as PowerPoint, which are not two words stuck together."""

_BEGINS_LABEL = re.compile(r"(?:[A-Z][A-Za-z]{1,15}[ /&]{1,3}){1,2}")
"""The first words of a label, which is one sentence: "Preferred Qualifications:"."""

_BEFORE_TEXT = re.compile(r"\s*(?:[-–—*•]\s+|o\s+(?=[A-Z]))?")
_LOOKED_BACK = 12


class Sentence(NamedTuple):
    """Characters [start, end) of the posting, without blanks around them. `label`: it ends with a colon."""

    start: int
    end: int
    text: str
    label: bool


def sentences_of(text: str) -> list[Sentence]:
    """The sentences of a normalised posting in order, in time that grows with its length.

    Between them stand blanks and list marks only. A sentence may be a list item, a heading or a word.
    """
    found: list[Sentence] = []
    for start, end in _parts(text):
        label = _LABEL.match(text, start, end)
        if label:
            _add(found, text, start, label.end())
            start = label.end()
        _add(found, text, start, end)
    return found


def _parts(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _END.finditer(text):
        before = text[max(start, match.start() - _LOOKED_BACK) : match.start()]
        if before.endswith(".") and "\n" not in match[0] and _ABBREVIATION.search(before):
            continue
        if not match[0] and (_ONE_WORD.search(before) or _BEGINS_LABEL.fullmatch(text, start, match.start())):
            continue
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _add(found: list[Sentence], text: str, start: int, end: int) -> None:
    start = _BEFORE_TEXT.match(text, start, end).end()  # type: ignore[union-attr]  # it matches nothing, too
    part = text[start:end].rstrip()
    if part:
        found.append(Sentence(start, start + len(part), part, part.endswith(":")))
