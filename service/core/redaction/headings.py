"""Which section a heading opens: by the list of headings, or by its head word and the words around it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, cast

from service.core.redaction.lexicon import short_table, words_by

Section = Literal["header", "contact", "personal", "education", "experience", "references", "skills", "other"]
"""The parts of a resume. `contact`: how to reach the candidate; `personal`: date of birth, nationality and so on."""

LONGEST_HEADING = 80

_HEADINGS = {row["heading"]: cast(Section, row["section"]) for row in short_table("headings.csv")}
_ROWS = short_table("heading_words.csv")
_BY_ROLE = words_by("role", "heading_words.csv")

_HEADS = {row["word"]: cast(Section, row["section"]) for row in _ROWS if row["role"] == "head"}
_NEUTRAL_HEADS = _BY_ROLE["neutral_head"]
_TOPICS = {row["word"]: cast(Section, row["section"]) for row in _ROWS if row["role"] == "topic"}
_MODIFIERS = _BY_ROLE["modifier"]
_NOT_BEFORE_HEAD = _BY_ROLE["not_before_head"]
_SUBJECTS = frozenset("special physical elementary early higher secondary continuing social medical".split())
"""Before "education" they make it a subject or an employer, no heading."""

_JOINING = frozenset({"and", "of", "the", "in", "with", "my", "for"})
_MOST_WORDS = 7

_DECORATION_BEFORE = re.compile(r"^[\s#*_=\-•|>\\]*(?:\\?(?:sub)*section\*?\{)?")
_DECORATION_BEHIND = "#*_=-:|}<" + "".join(ch for ch in map(chr, range(0x3001)) if ch.isspace())
"""Stripped by its characters: a pattern that ends a line would be tried at every sign in it."""

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_BLANKS = re.compile(r"\s+")
_CONJUNCT = re.compile(r"\s*(?:&|/|,|\+|\band\b)\s*")
_WORD = re.compile(r"[^\W\d_]{1,40}+(?:['’][^\W\d_]{1,40}+)?")
_OTHER_SIGNS = re.compile(r"[^\w\s&/,'’+-]|[\d_]|\s-|-\s")


def heading(line: str) -> Section | None:
    """The section that a line opens if it is a heading and nothing else, or None.

    Headings of the list count in any case ("work experience"). Others are read word by word: a head word
    ("experience", "education") with words before it that headings hold ("relevant", "academic").
    """
    if len(line) > LONGEST_HEADING:
        return None
    return _heading(line)


@lru_cache(maxsize=1024)
def _heading(line: str) -> Section | None:
    if "<" in line:
        line = _TAG.sub("", line)
    written = _BLANKS.sub(" ", _DECORATION_BEFORE.sub("", line, 1).rstrip(_DECORATION_BEHIND))
    known = _HEADINGS.get(written.casefold())
    if known or _OTHER_SIGNS.search(written):
        return known
    words = _WORD.findall(written)
    if not 1 <= len(words) <= _MOST_WORDS or not _looks_like_heading(words):
        return None
    folded = [word.casefold() for word in words]
    if not any(word in _HEADS or word in _NEUTRAL_HEADS for word in folded):
        return None
    shouted = written.isupper()
    found = [_opened_by(part, shouted=shouted) for part in _CONJUNCT.split(written.casefold()) if part]
    if not found or (found[-1] is None and not shouted):
        return None
    return _first_of(section for section in found if section)


def _looks_like_heading(words: list[str]) -> bool:
    return all(not word[0].islower() or word in _JOINING for word in words)


def _opened_by(part: str, *, shouted: bool) -> Section | None:
    """The section that one of the joined parts of a heading names; in capitals any word may stand before the head."""
    words = _WORD.findall(part)
    if not words:
        return None
    if "of" in words[1:]:  # "Summary of Qualifications" is a summary
        words = words[: words.index("of", 1)]
    *before, head = words
    if any(word in _NOT_BEFORE_HEAD for word in before):
        return None
    section = _HEADS.get(head)
    topics = [_HEADS.get(word) or _TOPICS[word] for word in before if word in _HEADS or word in _TOPICS]
    if head == "education" and not _SUBJECTS.isdisjoint(before):
        return None
    if section is None and head in _NEUTRAL_HEADS:
        section = topics[0] if topics else "other"
    if section is None:
        return _TOPICS.get(head) if not before else None
    known = all(
        word in _MODIFIERS or word in _TOPICS or word in _JOINING or word in _HEADS for word in before
    )
    return section if known or shouted else None


def _first_of(sections: Iterable[Section]) -> Section | None:
    """Of the sections that a heading names: "Certifications & Education" holds degrees, whatever else."""
    found = list(sections)
    for section in ("education", "experience", "references"):
        if section in found:
            return cast(Section, section)
    return found[0] if found else None


_BEFORE_COLON = re.compile(r"[\s#*•>-]{0,8}(?P<heading>[^\W\d_][^\n:\t]{2,45}?)\s{0,3}:(?=\s*\S)")
_OPENED_BEFORE_TEXT = frozenset({"education", "experience", "references"})


def heading_before_text(line: str) -> int:
    """Where a heading ends that has text behind its colon ("EDUCATION:  MBA"), or 0.

    "Experience: 5 years" and "Qualification: B.Tech" are fields of a header: of one word only "Education" counts
    in small letters.
    """
    match = _BEFORE_COLON.match(line)
    if match is None:
        return 0
    written = match["heading"].strip()
    section = heading(written)
    if section not in _OPENED_BEFORE_TEXT:
        return 0
    single = " " not in written
    if (
        single
        and not written.isupper()
        and written.casefold() not in ("education", "academics", "employment")
    ):
        return 0
    if line[match.end() :].lstrip()[:1].isdigit() and section == "experience":
        return 0
    return match.end()
