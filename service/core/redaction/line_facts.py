"""What can be told of one line alone. Lines recur - in the second pass, in variants - and are read once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from service.core.redaction.anchors import Anchor, anchors_of
from service.core.redaction.contact import addresses_in_line, links_in_line
from service.core.redaction.detectors import in_line
from service.core.redaction.gates import Clues
from service.core.redaction.layout import Line
from service.core.redaction.lexicon import Lexicon, Word, fold, words_of
from service.core.redaction.name_words import CLOSING
from service.core.redaction.schools import graduation_years_in_line, schools_in_line
from service.core.redaction.spans import Span

_CONTACT = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}(?=@)|(?:/in/|\.com/|\.io/|\.me/)[\w./-]+")
_FILE = re.compile(r"(?<![\w.-])[\w.-]{1,80}\.(?:pdf|docx?|rtf|odt|txt|pages|tex|html)\b", re.IGNORECASE)
_RESUME_FILE = re.compile(r"resume|résumé|cv|vitae|lebenslauf|bewerbung", re.IGNORECASE)
_USER_NAME = re.compile(r"(?<![\w.-])[a-z][\w-]{1,20}(?:[._][\w-]{1,30}){0,3}(?![\w@])")


@dataclass(frozen=True, slots=True)
class FileName:
    """`plain`: folded. `of_resume`: its name says that it is one."""

    start: int
    end: int
    plain: str
    of_resume: bool


@dataclass(frozen=True, slots=True)
class LineFacts:
    """All offsets are into the line; `protected` are ranges of its words."""

    spans: list[Span]
    words: list[Word]
    protected: list[tuple[int, int]]
    anchors: list[Anchor]
    contacts: list[str]
    files: list[FileName]
    user_names: list[tuple[int, int, str]]
    closes: bool
    """"Sincerely,": the next line is a signature."""


def facts_of(line: str, lexicon: Lexicon) -> LineFacts:
    """Read a line without regard to where it stands."""
    words = words_of(line)
    folded = [word.folded for word in words]
    return LineFacts(
        spans=list(in_line(line, Clues(line.lower(), frozenset(folded)))),
        words=words,
        protected=list(lexicon.protected.find(words, folded)),
        anchors=anchors_of(line),
        contacts=_CONTACT.findall(line),
        files=[
            FileName(m.start(), m.end(), fold(m[0]), _RESUME_FILE.search(m[0]) is not None)
            for m in _FILE.finditer(line)
        ],
        user_names=[
            (m.start(), m.end(), fold(m[0]).replace(".", "").replace("_", "").replace("-", ""))
            for m in _USER_NAME.finditer(line)
        ],
        closes=CLOSING.search(line) is not None,
    )


def spans_in_line(line: Line, words: list[Word], lexicon: Lexicon) -> Iterator[Span]:
    """What depends on the line and its section. Offsets are into the line."""
    yield from links_in_line(line)
    yield from addresses_in_line(line)
    yield from schools_in_line(line, words, lexicon)
    yield from graduation_years_in_line(line)
