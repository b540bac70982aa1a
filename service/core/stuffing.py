"""What a resume holds for a program and not for a reader: invisible characters, orders, repeated words.

Each kind has a code among the resume warnings (`service.core.resume_warnings`) and a count; what stood there
is never repeated. Invisible characters are no part of a normalised text, so they move no score. The rest is
visible, stays in the text and is reported. A false alarm costs an applicant, so the bounds are wide: a resume
may name its main skill in every entry, and a page may have blanks of width zero between its columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from service.core.redaction.lexicon import short_table

Stuffing = Literal["hidden_text", "addressed_to_model", "repeated_words"]

_TAGS = re.compile("(?<!\U0001f3f4)(?<![\U000e0020-\U000e007e])[\U000e0020-\U000e007e]{4,}+")
"""Characters of the Tags block spell ASCII that no font shows. Behind a black flag they are a region's flag."""

_ZERO_WIDTH_RUN = re.compile("[\u200b-\u200d\u2060-\u2064\ufeff\u180e]{8,}+")
"""A run of these shows nothing and can spell anything in two signs. One by one they are blanks of a layout."""

_IN_A_WORD = re.compile("(?<=[a-z])[\u200b\u2060-\u2064\ufeff]+(?=[a-z])")
_MOST_IN_WORDS = 20
"""Words cut so, that a text may have: the pieces of a justified line, an address that may break."""

_TURNED = re.compile("[\u202d\u202e][^\u202c\n]{4,}")
"""Text behind an override of direction is shown in another order than it is stored."""
_RIGHT_TO_LEFT = frozenset({"R", "AL"})

_LEAST_WORDS = 60
"""In a shorter text a word may well be every tenth."""

_MOST_OF_A_WORD = 25
_MOST_SHARE = 0.1
_LONGEST_PHRASE = 8
_TIMES_IN_A_ROW = 10
_TIMES_OF_A_PHRASE = 6
"""Columns of ratings hold one word in every line, and pages one footer."""

_LONGEST_SENTENCE = 300
_AROUND_WORDS = ".,;:!?()[]{}<>|/\\*•·-–—\"'“”‘’"

_FUNCTION_WORDS = frozenset(
    row["phrase"] for row in short_table("kinds_of_text.csv") if row["kind"] == "function_word"
)

_MODEL = (
    r"(?:an? |the )?(?:ai|a\.i\.|artificial intelligence|llm|large language model|language model|chat ?gpt|gpt(?:-?\d)?|claude|gemini"
    r"|copilot|chat ?bot|ats|applicant tracking system|resume (?:screener|parser|scanner|bot)|recruiting (?:software|bot|algorithm)"
    r"|screening (?:software|system|algorithm|tool|bot))"
)
_THIS_PERSON = r"(?:this|the|my) (?:candidate|applicant|resume|résumé|cv|profile|application|person)"
_OPENINGS = r"(?:please |now |(?:you )?(?:must|should|shall|will) |(?:important|note|attention|system|instructions?)[:! -]{1,3}){0,2}"
_ORDERS = re.compile(
    # At the start of a sentence: who built a chat bot that ignores instructions does not give any.
    _OPENINGS + "(?:"
    + "|".join(
        [
            r"(?:ignore|disregard|forget|override|bypass) (?:(?:all|any|every|of|the|your|my|these|those) ){0,3}"
            r"(?:previous|prior|above|preceding|earlier|other|existing|foregoing|system) (?:\w{1,20} )?"
            r"(?:instructions?|prompts?|rules|criteria|commands?|directions|guidelines|requirements|text|messages?)\b",
            rf"(?:you are|act as|behave as|pretend to be) (?:now )?{_MODEL}\b",
            rf"(?:to|for|note to|message (?:to|for)|instructions? (?:to|for)|attention|dear|hello|hi) (?:any |all )?{_MODEL}"
            r"(?: \w{1,20}){0,3} ?[:,]",
            rf"if you are {_MODEL}\b",
            r"(?:rate|score|rank|recommend|select|shortlist|mark|classify|evaluate|assess|consider|approve|hire|choose|accept|return"
            rf"|give|treat) {_THIS_PERSON}\b",
            rf"{_THIS_PERSON} (?:is|must be|should be|has to be|shall be) (?:as |an? |the )?(?:rated|scored|ranked|selected|hired|shortlisted"
            r"|approved|perfect|ideal|excellent|exceptional|best|top|highest|outstanding|strong(?:est)?)\b",
            r"(?:output|respond|reply|answer|return|print|say|write) (?:only |with |exactly ){1,2}[\"'“]",
        ]
    )
    + ")",
    re.IGNORECASE,
)  # fmt: skip
_MARKS_OF_PROMPTS = re.compile(
    r"<\|(?:im_start|im_end|system|endoftext|assistant)\|>|\[/?INST\]|<<SYS>>|^#{2,3} ?(?:instruction|system|response):",
    re.IGNORECASE | re.MULTILINE,
)
_SENTENCES = re.compile(r"[.!?\n•]+\s*")


def stuffing_of(raw: str, normalised: str) -> dict[Stuffing, int]:
    """How much of each kind a text holds, without kinds that it has none of.

    `raw` is the text as it came, `normalised` the same text normalised. `hidden_text` counts characters that
    nobody sees, `addressed_to_model` sentences, `repeated_words` the words that are repetitions. The time
    grows with the length of the text and no faster.
    """
    found: Mapping[Stuffing, int] = {
        "hidden_text": hidden_characters(raw),
        "addressed_to_model": sentences_to_a_model(normalised),
        "repeated_words": repeated_words(normalised),
    }
    return {kind: count for kind, count in found.items() if count}


def hidden_characters(raw: str) -> int:
    """Characters that no reader sees, or sees in another order, where they can be no accident of layout."""
    if raw.isascii():
        return 0
    count = sum(len(match[0]) for pattern in (_TAGS, _ZERO_WIDTH_RUN) for match in pattern.finditer(raw))
    within = sum(len(match[0]) for match in _IN_A_WORD.finditer(raw.lower()))
    count += within if within > _MOST_IN_WORDS else 0
    for match in _TURNED.finditer(raw):
        if not any(unicodedata.bidirectional(ch) in _RIGHT_TO_LEFT for ch in match[0]):
            count += len(match[0])
    return count


def sentences_to_a_model(normalised: str) -> int:
    """Sentences that give orders to a program that reads the text, and marks of a prompt."""
    count = sum(1 for _ in _MARKS_OF_PROMPTS.finditer(normalised))
    for sentence in _SENTENCES.split(normalised):
        count += _ORDERS.match(sentence[:_LONGEST_SENTENCE].lstrip(" \"'“‘(-*>")) is not None
    return count


def repeated_words(normalised: str) -> int:
    """Words that repeat what stands just before them, or the one word that a text is full of."""
    words = [word.strip(_AROUND_WORDS) for word in normalised.lower().split()]
    words = [word for word in words if word]
    return max(_repeats_in_a_row(words), _of_one_word(words))


def _of_one_word(words: list[str]) -> int:
    if len(words) < _LEAST_WORDS:
        return 0
    counts = Counter(
        word for word in words if len(word) > 1 and word.isalpha() and word not in _FUNCTION_WORDS
    )
    if not counts:
        return 0
    ((_, most),) = counts.most_common(1)
    return most - 1 if most > _MOST_OF_A_WORD and most > _MOST_SHARE * len(words) else 0


def _repeats_in_a_row(words: list[str]) -> int:
    """Words that repeat a phrase of one to eight words just before them, of the shortest phrase that does."""
    for length in range(1, _LONGEST_PHRASE + 1):
        least = length * ((_TIMES_IN_A_ROW if length == 1 else _TIMES_OF_A_PHRASE) - 1)
        same = [word == earlier for word, earlier in zip(words[length:], words, strict=False)]
        if sum(same) < least:
            continue
        count = run = 0
        for i, is_same in enumerate([*same, False], length):
            if is_same:
                run += 1
                continue
            if run >= least and _says_something(words[i - length : i]):
                count += run
            run = 0
        if count:
            return count
    return 0


def _says_something(phrase: list[str]) -> bool:
    return any(len(word) > 1 and word.isalpha() for word in phrase)
