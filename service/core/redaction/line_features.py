"""What can be told of one line alone. Lines recur - in the second pass, in variants - and are read once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from service.core.redaction.layout import segments_of
from service.core.redaction.lexicon import Lexicon
from service.core.redaction.names.context_cues import CLOSING, Anchor, anchors_of
from service.core.redaction.names.header_line import HeaderLine, header_line
from service.core.redaction.prefilter import PrefilterText
from service.core.redaction.recognisers import find_in_line
from service.core.redaction.spans import Span
from service.core.redaction.words import Words, fold, read_words

_CONTACT = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}(?=@)|(?:/in/|\.com/|\.io/|\.me/)[\w./-]+")
_FILE = re.compile(r"(?<![\w.-])[\w.-]{1,80}\.(?:pdf|docx?|rtf|odt|txt|pages|tex|html)\b", re.IGNORECASE)
_RESUME_FILE = re.compile(r"resume|résumé|cv|vitae|lebenslauf|bewerbung", re.IGNORECASE)
_CLOSING_CHARACTERS = 30
"""Longer than what `CLOSING` finds, dots and spaces at the line's end not counted."""
# Each part is as long as it can be and is not tried shorter: parts may hold the "_" that stands between them,
# and trying every way to part a long run of them takes very long.
_USER_NAME = re.compile(
    r"(?<![\w.-])[a-z](?>[\w-]{1,20}(?![^\W_]|@|_(?![\w-])))(?>[._][\w-]{1,30}(?![^\W_]|@|_(?![\w-]))){0,3}+(?![\w@])"
)


@dataclass(frozen=True, slots=True)
class FileName:
    """`plain`: folded. `of_resume`: its name says that it is one."""

    start: int
    end: int
    plain: str
    of_resume: bool


@dataclass(frozen=True)
class LineFacts:
    """All offsets are into the line; `protected` are ranges of its words.

    `user_names`: what could be one, plain, a line each. `closes`: "Sincerely,", the next line is a signature.
    """

    text: str
    spans: list[Span]
    words: Words
    protected: list[tuple[int, int]]
    anchors: list[Anchor]
    contacts: list[str]
    files: list[FileName]
    user_names: str
    closes: bool

    # What only lines in some places are asked for.

    @cached_property
    def header(self) -> HeaderLine:
        return header_line(self.text)

    @cached_property
    def segments(self) -> list[tuple[int, int]]:
        return list(segments_of(self.text))


def facts_of(line: str, lexicon: Lexicon) -> LineFacts:
    """Read a line without regard to where it stands."""
    words = read_words(line)
    lower = line.lower()
    return LineFacts(
        text=line,
        spans=list(find_in_line(line, PrefilterText(lower, frozenset(words.folded)))),
        words=words,
        protected=list(lexicon.protected.find(words)),
        anchors=anchors_of(line),
        contacts=_CONTACT.findall(line) if "@" in line or "/" in line else [],
        files=[
            FileName(m.start(), m.end(), fold(m[0]), _RESUME_FILE.search(m[0]) is not None)
            for m in _FILE.finditer(line)
        ]
        if "." in line
        else [],
        user_names=_plain("\n".join(_USER_NAME.findall(line))),
        closes=is_closing(line),
    )


def user_names_of(line: str) -> Iterator[tuple[int, int, str]]:
    """What could be a user name: where it stands, and its plain form."""
    for match in _USER_NAME.finditer(line):
        yield match.start(), match.end(), _plain(match[0])


def is_closing(line: str) -> bool:
    """True for a line that ends as a letter does."""
    end = len(line.rstrip().rstrip(",.!"))
    return CLOSING.search(line, max(0, end - _CLOSING_CHARACTERS)) is not None


def _plain(text: str) -> str:
    return fold(text).replace(".", "").replace("_", "").replace("-", "")
