"""How postings word a requirement: required or preferred, numbers in words, and what ends a clause."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBERS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
    )
} | {"a": 1, "an": 1, "twenty": 20, "couple": 2, "several": 3}

NUMBER = (
    r"(?:\d{1,2}(?:\.\d)?|a|an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty)"
)
"""A number as it stands before "years", as a pattern for small letters."""

PREFERRED = re.compile(
    r"\bprefer(?:red|ably|ence|s|able)?(?![a-z])|\b(?:a|an?\s(?:big|huge|definite|strong|real|added|distinct)) (?:\w{1,12} )?plus\b|\bplus[!.]?$|\ba\+$|\bpluses\b"
    r"|\bnice[\s-]to[\s-]have|\bdesir(?:able|ed)\b|\badvantage(?:ous)?\b|\b(?:a|added|big|huge) bonus\b|\bbonus points\b|\bideally\b|\bis ideal\b|\bhelpful\b|\bbeneficial\b"
    r"|\ban? asset\b|\bwould be (?:nice|great|good|useful)|\bnot (?:required|necessary|essential|mandatory|needed)\b|\boptional\b|\bencouraged\b|\bwelcomed?\b|\bgood to have\b|\bfavou?red\b"
    r"|\bextra consideration\b|\brecommended\b|\buseful\b|\bhuge \+|\bmay substitute|\bmay be substituted"
)
"""A requirement that it speaks of is only preferred."""

REQUIRED = re.compile(
    r"\brequire[sd]?(?![a-z])(?! to)|\brequirements?\b|\bmust\b|\bmandatory\b|\bessential\b|\bnecessary\b|\bneeded\b|\bneeds?\b|\bminimum\b|\bmin\b|\bat least\b|\bshould (?:have|hold|possess)\b"
    r"|\bcurrent\b|\bvalid\b|\bactive\b|\bpossess|\bhold(?:s|ing)?\b"
)
"""A requirement that it speaks of is meant."""

_NOT_PREFERRED = re.compile(r"\bnot (?:just|only|merely)\b")

LENIENT = re.compile(
    r"\b(?:or|and/or|/)\s?(?:an? )?(?:\w{1,15} )?(?:equivalent|equal|comparable|combination|related experience|relevant experience|work experience|similar)|\bequivalent (?:combination|experience|work|training)"
    r"|\bcombination of\b|\bin lieu\b|\b(?:able|ability|willing|willingness|eligible|eligibility|agree|required) to (?:obtain|become|get|acquire|earn|complete|achieve|sit|be licensed|gain)"
    r"|\bobtain\b|\bwithin \w{1,12} (?:\(\w{1,3}\) )?(?:days|months|weeks|years?)\b|\bworking towards?\b|\bor higher education\b|\bor (?:the )?ability\b|\bwill train\b|\beligib|\bpursuing\b|\bcandidate for\b|\bsubstitut"
    r"|\bor (?!more\b)(?:\w{1,12} ){0,3}(?:experience|years)\b|\bexperience or\b|\band/or an?\b|\bor [\d–-][\d –-]{0,6}\+? ?years"
)

_CLAUSE = re.compile(r"[;()]|(?<!\b[a-z])\.\s|\bbut\b|\bhowever\b|\s[-–]\s")


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence in small letters; [start, end) in the sentence."""

    start: int
    end: int


def clause_at(sentence: str, start: int, end: int) -> Clause:
    """The clause of `sentence` (in small letters) that holds the characters [start, end)."""
    first, last = 0, len(sentence)
    for match in _CLAUSE.finditer(sentence):
        if match.end() <= start:
            first = match.end()
        elif match.start() >= end:
            last = match.start()
            break
    return Clause(first, last)


_SHORT_BRACKET = re.compile(r"\([^()]{1,15}\)")


def _blanked(bracket: re.Match[str]) -> str:
    """A short remark in brackets, "(BSN)" or "(5)", as blanks, unless it says what is preferred."""
    said = bracket[0]
    return (
        said if PREFERRED.search(said) or REQUIRED.search(said) else said.replace("(", " ").replace(")", " ")
    )


def is_required(
    sentence: str, start: int, end: int, others: Sequence[tuple[int, int]], *, by_default: bool
) -> bool:
    """Whether what stands at [start, end) of `sentence` (in small letters) is required or only preferred.

    A word behind it in its clause says so, unless a word before it already did and another requirement (`others`,
    as spans) stands in between after a comma. What is in doubt is taken for preferred. `by_default`: what its
    heading says.
    """
    sentence = _SHORT_BRACKET.sub(_blanked, sentence)
    clause = clause_at(sentence, start, end)
    before = sentence[clause.start : start]
    meant_before = max((m.end() for m in REQUIRED.finditer(before)), default=-1)
    wished_before = max((m.end() for m in PREFERRED.finditer(before)), default=-1)
    stop = clause.end
    if meant_before >= 0:
        stop = next(
            (
                o
                for o, _ in sorted(others)
                if end < o < clause.end and re.search(r",|\band\b", sentence[end:o])
            ),
            stop,
        )
    behind = sentence[end : min(stop, end + _BEHIND)]
    wished = PREFERRED.search(behind)
    meant = REQUIRED.search(behind)
    if wished and not (meant and meant.start() < wished.start()):
        return False
    bracket = (
        sentence[clause.end : clause.end + 25]
        if clause.end < len(sentence) and sentence[clause.end] == "("
        else ""
    )
    if re.match(
        r"\((?:strongly |highly )?(?:preferred|desired|desirable|a plus|optional|nice to have)", bracket
    ):
        return False
    if meant:
        return True
    if wished_before > meant_before and not re.search(r"[,;]", before[wished_before:]):
        return False
    if meant_before >= 0:
        return True
    return by_default


_BEHIND = 110
"""Characters behind a requirement in which a word may speak of it."""


def number_of(word: str) -> float:
    """The number that `NUMBER` matched."""
    return float(_NUMBERS[word]) if word in _NUMBERS else float(word)


def small_letters(text: str) -> str:
    """`text` in small letters, each in its place, with straight apostrophes."""
    small = text.lower().replace("’", "'")
    return (
        small
        if len(small) == len(text)
        else "".join(ch.lower() if len(ch.lower()) == 1 else ch for ch in text)
    )
