"""The features of one line alone. Lines recur, in the second pass and in variants, and are read once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from service.core.redaction.layout import cells_of
from service.core.redaction.lexicon import Lexicon
from service.core.redaction.names.context_cues import ContextCue, cues_in, is_closing
from service.core.redaction.names.header_line import HeaderLine, header_line
from service.core.redaction.names.word_lists import NAMESAKES
from service.core.redaction.prefilter import PrefilterText, prefilter_text
from service.core.redaction.recognisers import find_in_line
from service.core.redaction.scanning import scan
from service.core.redaction.spans import Span
from service.core.redaction.words import Words, fold, read_words

_CONTACT = scan(r"(?<![\w.+-])(?=[\w.+-]{1,64}+@)[\w.+-]{1,64}+|(?:/in/|\.com/|\.io/|\.me/)[\w./-]+")
_EXTENSION = re.compile(r"\.(?:pdf|docx?|rtf|odt|txt|pages|tex|html)\b", re.IGNORECASE)
_FILE = re.compile(rf"(?<![\w.-])[\w.-]{{1,80}}{_EXTENSION.pattern}", re.IGNORECASE)
_RESUME_FILE = re.compile(r"resume|résumé|cv|vitae|lebenslauf|bewerbung", re.IGNORECASE)
_DOCUMENT_WORDS = re.compile(
    r"(?:resume|résumé|cv|curriculum|vitae|lebenslauf|bewerbung|my|new|final|updated|version|copy|v|[\W\d_]){1,80}+",
    re.IGNORECASE,
)
# Atomic groups: each part is as long as it can be and is never tried shorter. Parts may hold the "_" that
# stands between them, and trying every way to cut a long run of them takes very long.
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
class LineFeatures:
    """All offsets are into the line; `protected` are ranges of its words.

    `contacts`: user names of e-mail addresses and paths of profile links. `is_closing`: "Sincerely,", the next line is a signature.
    """

    text: str
    seen: PrefilterText
    spans: list[Span]
    words: Words
    protected: list[tuple[int, int]]
    cues: list[ContextCue]
    contacts: list[str]
    files: list[FileName]
    is_closing: bool

    def may_hold_user_name(self, names: Sequence[str]) -> bool:
        """False only if no user name in the line holds one of `names`, which are plain."""
        # Looking at the whole line first takes a tenth of reading its user names, and is enough for most lines.
        plain = _plain(self.text) if self.text.isascii() else self.user_names
        if not any(name in plain for name in names):
            return False
        return any(name in self.user_names for name in names)

    @cached_property
    def user_names(self) -> str:
        """What could be a user name, plain, a line each."""
        return _plain("\n".join(_USER_NAME.findall(self.text)))

    # Only lines in the header or among references are asked for these.

    @cached_property
    def header(self) -> HeaderLine:
        return header_line(self.text)

    @cached_property
    def cells(self) -> list[tuple[int, int]]:
        return list(cells_of(self.text))


def features_of(
    line: str, lexicon: Lexicon, substrings: Sequence[tuple[str, int]] | None = None
) -> LineFeatures:
    """The features of `line`, wherever it stands. `substrings`: see `recognisers.find_in_line`."""
    words = read_words(line)
    seen = prefilter_text(line, words)
    return LineFeatures(
        text=line,
        seen=seen,
        spans=list(find_in_line(line, seen, substrings)),
        words=words,
        protected=[*lexicon.protected.find(words), *NAMESAKES.find(words)],
        cues=cues_in(line, seen),
        contacts=[match[0] for match in _CONTACT.finditer(line)] if "@" in line or "/" in line else [],
        files=[
            FileName(m.start(), m.end(), fold(m[0]), _names_somebodys_resume(m[0]))
            for m in _FILE.finditer(line)
        ]
        if _EXTENSION.search(line)
        else [],
        is_closing=is_closing(line),
    )


def _names_somebodys_resume(file: str) -> bool:
    """True for "jdoe_cv.pdf", and not for "CV.pdf", which holds no name."""
    stem = file.rpartition(".")[0]
    return _RESUME_FILE.search(stem) is not None and _DOCUMENT_WORDS.fullmatch(stem) is None


def user_names_of(line: str) -> Iterator[tuple[int, int, str]]:
    """What could be a user name: its start, its end and its plain form (folded, without dots and hyphens)."""
    for match in _USER_NAME.finditer(line):
        yield match.start(), match.end(), _plain(match[0])


def _plain(text: str) -> str:
    return fold(text).replace(".", "").replace("_", "").replace("-", "")
