"""Texts that come as a resume and are none: postings, contracts, invoices, stories, code, lists of numbers.

Each kind is told by what it holds, never by what it lacks: a resume may be three sentences long. Where
something speaks for a person (contact data, a section of a resume, periods of years) only the plainest signs
count.
"""

from __future__ import annotations

import re

from service.core.redaction.layout import Section, lines_of
from service.core.redaction.lexicon import short_table
from service.core.redaction.names.word_lists import STOP_WORDS
from service.core.redaction.policy import TOKENS
from service.core.redaction.words import read_words
from service.core.structured_text import has_matches

_ROWS = short_table("kinds_of_text.csv")


def _phrases(*kinds: str) -> frozenset[str]:
    return frozenset(row["phrase"] for row in _ROWS if row["kind"] in kinds)


_TO_THE_READER = _phrases("posting_to_reader")
"""Of a posting; one is enough where nothing speaks for a resume."""

_POSTING = _phrases("posting", "posting_to_reader")
_CONTRACT = _phrases("contract")
_INVOICE = _phrases("invoice")
_FUNCTION_WORDS = _phrases("function_word")
_OF_WORK = (STOP_WORDS - _phrases("not_of_work")) | _phrases("work")

_SECTIONS: frozenset[Section] = frozenset(
    {"education", "experience", "skills", "references", "contact", "personal"}
)
_HIDDEN_CONTACT = tuple(TOKENS[category] for category in ("email", "phone", "link", "address"))
_PHONE = re.compile(r"(?<![\d.])\+?\(?\d{2,4}\)?[ .-]\d{3,4}[ .-]?\d{3,4}\b")
_PERIOD = re.compile(
    r"\b(?:19|20)\d\d ?(?:-|–|—|to|until) ?(?:\w{3,9} )?"  # noqa: RUF001
    r"(?:(?:19|20)\d\d\b|[Pp]resent|[Nn]ow|[Cc]urrent|[Tt]oday)"
)
_FIRST_PERSON = re.compile(r"\bI\b|\b[Mm](?:y|e)\b")
_CAREER = re.compile(
    r"\byears['’]? (?:of|in|as)\b|\bexperience|\bwork(?:ed|s|ing)? (?:as|at|in|for|on|with)\b",  # noqa: RUF001
    re.IGNORECASE,
)
_SPEECH = re.compile(r"[\"“”]")
_AMOUNT = re.compile(r"\d[.,]\d\d\b")
_CODE_LINE = re.compile(
    r"\s{0,40}(?:(?:def|class|import|from|return|const|let|var|public|private|function|package|using|#include"
    r"|if \(|for \(|while \()\b|[^\n]{0,200}[;{}]$|[})\]]{1,20}[;,]?$|//|/\*)"
)
_LEAST_LINES = 8
_WORDS_OF_A_STORY = 60
_LEAST_NUMBERS = 20


def reads_like_something_else(text: str, *, has_own_name: bool | None) -> bool:
    """True if a text is of another kind than a resume.

    `has_own_name`: whether a name stands where the candidate's does; None if nobody looked.
    """
    lowered = text.lower()
    has_contact = _has_contact(text)
    is_person = has_contact and has_own_name is not False
    # Who speaks of themselves writes a letter of application, which addresses its reader as a posting does.
    speaks = has_matches(_FIRST_PERSON, text, 2)
    posting = 0 if speaks else _count(_POSTING, lowered)
    if _is_numbers(text) or (not is_person and (posting >= 3 or _is_contract(lowered))):
        return True
    if has_contact or _PERIOD.search(text) or _has_sections(text):
        return False
    is_addressed = posting >= 2 or (posting == 1 and _count(_TO_THE_READER, lowered) == 1)
    if is_addressed and not has_own_name and _FIRST_PERSON.search(text) is None:
        return True
    return (
        (_count(_INVOICE, lowered) >= 3 and has_matches(_AMOUNT, text, 2))
        or "lorem ipsum" in lowered
        or _is_code(text)
        or ((not speaks or has_matches(_SPEECH, text, 4)) and _is_story(text))
    )


def _has_contact(text: str) -> bool:
    return "@" in text or any(token in text for token in _HIDDEN_CONTACT) or _PHONE.search(text) is not None


def _has_sections(text: str) -> bool:
    return any(line.heading and line.section in _SECTIONS for line in lines_of(text))


def _is_contract(lowered: str) -> bool:
    return lowered.count(" shall ") >= 2 and _count(_CONTRACT, lowered) >= 4


def _count(phrases: frozenset[str], lowered: str) -> int:
    """How many of `phrases` stand in a text in small letters."""
    return sum(phrase in lowered for phrase in phrases)


def _is_numbers(text: str) -> bool:
    tokens = text.split()
    numbers = sum(any(ch.isdigit() for ch in token[:40]) for token in tokens)
    return len(tokens) >= _LEAST_NUMBERS and numbers > 0.7 * len(tokens)


def _is_code(text: str) -> bool:
    lines = [line for line in text.split("\n") if line.strip()]
    code = sum(_CODE_LINE.match(line) is not None for line in lines)
    return len(lines) >= _LEAST_LINES and code > 0.6 * len(lines)


def _is_story(text: str) -> bool:
    """True for whole English sentences in which nothing is said of anybody's work."""
    words = read_words(text).folded
    if len(words) < _WORDS_OF_A_STORY or _CAREER.search(text):
        return False
    functional = sum(word in _FUNCTION_WORDS for word in words) / len(words)
    work = sum(word in _OF_WORK for word in words) / len(words)
    return functional > 0.25 and work < 0.02
