"""The boilerplate of a job posting: sentences that stand in any posting of the same employer or job board.

Who the employer is, what it pays, how to apply, equal opportunity, legal notes, the agency's own words, job board
headers and remains of web pages say nothing about what the work asks for. A sentence is told by the phrases in it,
and by the heading it stands under; whatever speaks of the work or of the person sought is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.core.posting_phrases import (
    BENEFIT,
    CERTAIN,
    COMPANY,
    CONTACT,
    DUTY,
    EMPLOYER,
    FIELD,
    ROLE_HEADING,
    SECTION_HEADINGS,
    SOUGHT,
    STRONG,
    WEAK,
    WORK,
    Kind,
)
from service.core.posting_sentences import Sentence, sentences_of

MOST_DROPPED = 0.6
"""If more than this share of a posting's words (scripts aside) would be boilerplate, none of its sentences is."""

_READ = 700
"""Characters of a sentence that are looked at."""


class Span(NamedTuple):
    """Characters [start, end) of a posting, and what they are."""

    start: int
    end: int
    kind: Kind


def boilerplate_sentences(text: str) -> list[Span]:
    """The boilerplate of a normalised posting (`documents.normalise`), in order and without overlaps.

    Each span is one sentence, list item, heading or script. It is careful: a sentence that may be a duty, a
    requirement, a skill or a description of the work is never in it on weak signs, and if more than `MOST_DROPPED`
    of the words were in it, or all but three, only scripts and styles are returned, so that a posting never comes
    out empty. Takes time that grows with the length of the text.
    """
    scripts = _scripts(text)
    blanked = _without(text, scripts)
    spans: list[Span] = []
    state = _State()
    for sentence in sentences_of(blanked):
        kind = state.judge(sentence)
        if kind is not None:
            spans.append(Span(sentence.start, sentence.end, kind))
    words = len(blanked.split())
    dropped = sum(len(text[span.start : span.end].split()) for span in spans)
    if dropped > MOST_DROPPED * words or words - dropped <= _FEWEST_WORDS:
        spans = []
    if words == 0:
        return []
    return sorted([*spans, *scripts])


_FEWEST_WORDS = 3
_WORDS_AHEAD = 50
"""Between two words of passages stand marks of lists at most."""


def work_shares(text: str, passages: Sequence[str]) -> NDArray[np.float64] | None:
    """Of each passage's words the share that is no boilerplate, (N,) in [0, 1]; None if no word is any.

    `passages` hold the words of the normalised posting in their order; marks of lists may have been dropped.
    """
    spans = boilerplate_sentences(text)
    if not spans:
        return None
    words: list[tuple[str, bool]] = []
    span = 0
    for match in re.finditer(r"\S+", text):
        while span < len(spans) and spans[span].end <= match.start():
            span += 1
        words.append((match.group(), span < len(spans) and spans[span].start < match.end()))
    shares = np.ones(len(passages))
    reached = 0
    for i, passage in enumerate(passages):
        told: list[bool] = []
        for word in passage.split():
            near = range(reached, min(reached + _WORDS_AHEAD, len(words)))
            at = next((k for k in near if words[k][0] == word), None)
            if at is None:  # part of a word that was too long for the model
                continue
            told.append(words[at][1])
            reached = at + 1
        if told:
            shares[i] = 1.0 - sum(told) / len(told)
    return shares


class _State:
    """What the sentences before the next one say about it."""

    def __init__(self) -> None:
        self._under: Kind | None = None
        self._headed = False  # by a heading, not by a sentence that told itself
        self._strangers = 0  # items in a row that show nothing of their section
        self._field = False  # the last sentence was a job board's label
        self._open: Kind | None = None  # the last sentence was boilerplate and goes on

    def judge(self, sentence: Sentence) -> Kind | None:
        """What the next sentence is, or None if it is to be kept."""
        text = sentence.text[:_READ].lower().replace("’", "'")
        field, self._field = self._field, False
        unfinished, self._open = self._open, None
        kind = self._kind(text, sentence, field, unfinished)
        if kind is None:
            self._under = None
        elif text.endswith((";", ",")):
            self._open = kind
        return kind

    def _kind(self, text: str, sentence: Sentence, field: bool, unfinished: Kind | None) -> Kind | None:
        label = sentence.label
        if ROLE_HEADING.match(text) or (label and len(text.split()) <= _WORDS_OF_FIELD and WORK.search(text)):
            return None
        for opened, pattern in SECTION_HEADINGS:
            if pattern.pattern.fullmatch(text):
                return self._enter(opened, headed=True)
        if label and FIELD.match(text):
            self._field, self._under = True, None
            return "header"
        kind = _told(text)
        if kind is not None:
            return kind if kind == self._under else self._enter(kind, headed=False)
        words = len(text.split())
        if field and words <= _WORDS_OF_FIELD and not WORK.search(text):
            return "header"
        if unfinished and sentence.text[0].islower() and not WORK.search(text):
            return unfinished
        if (
            self._under
            and not label
            and not WORK.search(text)
            and not DUTY.match(text)
            and self._belongs(text, words)
        ):
            return self._under
        return None

    def _enter(self, kind: Kind, *, headed: bool) -> Kind:
        self._under, self._headed, self._strangers = kind, headed, 0
        return kind

    def _belongs(self, text: str, words: int) -> bool:
        """Whether a sentence that shows nothing else belongs to the boilerplate before it."""
        match self._under:
            case "benefits":
                if BENEFIT.search(text) and words <= _WORDS_OF_ITEM:
                    self._strangers = 0
                    return True
                self._strangers += 1
                return self._headed and words <= _WORDS_OF_ITEM and self._strangers <= _MOST_STRANGERS
            case "company":
                signs = {match[0] for match in EMPLOYER.finditer(text)}
                return len(signs) >= (1 if self._headed else _SIGNS_NEEDED)
            case "header" | "agency":
                return False
            case "application":
                self._strangers += 1
                if self._headed and words <= _WORDS_OF_ITEM and self._strangers <= _MOST_STRANGERS:
                    return True
                return words <= _WORDS_OF_FIELD and CONTACT.fullmatch(text) is not None
            case _:
                return self._headed or (words <= _WORDS_OF_FIELD and CONTACT.fullmatch(text) is not None)


def _told(text: str) -> Kind | None:
    """What a sentence is by its own words, or None if it may be about the work."""
    if DUTY.match(text) or SOUGHT.search(text):
        # In a long one, the last sentence of a duty may be about applying.
        searched = text if len(text.split()) <= _FEW_WORDS else text[:_BEGINNING]
        return next((kind for kind, pattern in CERTAIN if pattern.search(searched)), None)
    for kind, pattern in STRONG:
        if pattern.search(text):
            return kind
    if WORK.search(text):
        return None
    for kind, pattern in COMPANY:
        if pattern.search(text):
            return kind
    for kind, pattern, needed in WEAK:
        if len({match[0] for match in pattern.finditer(text)}) >= needed:
            return kind
    return None


_FEW_WORDS = 35
_BEGINNING = 80
_SIGNS_NEEDED = 2
_WORDS_OF_FIELD = 8
_WORDS_OF_ITEM = 14
_MOST_STRANGERS = 2


_SCRIPT = re.compile(
    r"(?:\$\(['\"#.\w]|\bfunction\s{0,3}\w{0,40}\s?\([\w, ]{0,60}\)\s{0,3}\{|\bvar\s\w{1,40}\s?=|\bdocument\.\w|\bwindow\.\w|@media\b|\{\"\w{1,40}\":"
    r"|(?:\b[a-zA-Z*]{1,12}|[.#][\w-]{1,40})(?:[.#][\w-]{1,40})?(?:\s[\w.#-]{1,30})?(?:,\s?[A-Za-z.#][\w.# -]{0,40}){0,5}\s?\{\s?[a-z-]{3,30}\s?:)"
)
_PROSE = re.compile(r"(?:[A-Za-z]{2,20}[ ,.]{1,3}){3}")
_SIGNS_OF_CODE = "{}();"
_GAP = 60
_GAP_IN_BRACES = 300


def _scripts(text: str) -> list[Span]:
    """Scripts and style sheets that came with the text: from their first sign to the last bracket or semicolon."""
    spans: list[Span] = []
    at = 0
    if "{" not in text and "$(" not in text:
        return spans
    while match := _SCRIPT.search(text, at):
        at = _end_of_script(text, match)
        spans.append(Span(match.start(), at, "markup"))
    return spans


def _end_of_script(text: str, match: re.Match[str]) -> int:
    """Where the code that begins with `match` ends: before a sentence, or before a long way without its signs."""
    depth = 0
    end = match.end()
    for i in range(match.start(), len(text)):
        ch = text[i]
        if ch in _SIGNS_OF_CODE:
            if depth <= 0 and i > end and _PROSE.search(text, end, i):
                break
            end = max(end, i + 1)
            depth += (ch == "{") - (ch == "}")
        elif i - end > (_GAP if depth <= 0 else _GAP_IN_BRACES):
            break
    return end


def _without(text: str, spans: list[Span]) -> str:
    """`text` with blanks in the place of `spans`."""
    for span in spans:
        text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
    return text
