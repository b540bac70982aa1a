"""Pronouns, titles and gendered words turned into those of the other sex, with the grammar kept."""

from __future__ import annotations

import re

from service.core.counterfactual.lexicons import Pronouns

_WORD = re.compile(
    r"\b(?:she/her(?:/hers)?|he/him(?:/his)?|she|he|her|hers|him|his|herself|himself)\b"
    r"|(?-i:\b(?:Mrs|Mr|Ms|Miss)\b\.?(?=\s+[^\W\d_a-z])(?!\s+(?:Excel|Word|Office|Access|Project|Teams|Visio)\b))"
    r"|(?<=[Gg]ender: )(?:fe)?male\b|(?<=[Ss]ex: )(?:fe)?male\b"
    r"|\b(?:waitress|waiter|chairwoman|chairman|saleswoman|salesman|businesswoman|businessman|spokeswoman|spokesman|"
    r"stewardess|steward|policewoman|policeman|alumna|alumnus|headmistress|headmaster|hostess|actress)\b",
    re.IGNORECASE,
)

_TO_HIM = {
    "she": "he", "hers": "his", "herself": "himself", "she/her": "he/him", "she/her/hers": "he/him/his",
    "mrs": "mr", "ms": "mr", "miss": "mr.", "female": "male", "waitress": "waiter", "chairwoman": "chairman",
    "saleswoman": "salesman", "businesswoman": "businessman", "spokeswoman": "spokesman", "stewardess": "steward",
    "policewoman": "policeman", "alumna": "alumnus", "headmistress": "headmaster", "hostess": "host", "actress": "actor",
}  # fmt: skip
_TO_HER = {
    "he": "she", "him": "her", "himself": "herself", "he/him": "she/her", "he/him/his": "she/her/hers", "mr": "ms",
    "male": "female", "waiter": "waitress", "chairman": "chairwoman", "salesman": "saleswoman",
    "businessman": "businesswoman", "spokesman": "spokeswoman", "steward": "stewardess", "policeman": "policewoman",
    "alumnus": "alumna", "headmaster": "headmistress",
}  # fmt: skip

# After these, "her" was an object ("met her at"), since no noun phrase begins with them.
_NOT_A_NOUN = frozenset(
    [
        "to",
        "with",
        "for",
        "in",
        "on",
        "at",
        "by",
        "from",
        "about",
        "that",
        "when",
        "while",
        "because",
        "if",
        "again",
        "directly",
        "and",
        "or",
        "but",
        "the",
        "a",
        "an",
        "into",
        "through",
        "during",
        "after",
        "before",
        "is",
        "was",
        "as",
        "of",
        "onto",
        "over",
        "under",
        "until",
        "than",
        "then",
        "so",
        "since",
        "who",
        "which",
        "where",
        "how",
        "what",
        "why",
        "there",
        "here",
        "yesterday",
        "today",
        "tomorrow",
        "tonight",
        "twice",
        "once",
        "thrice",
        "weekly",
        "monthly",
        "daily",
        "too",
        "also",
        "well",
        "back",
        "up",
        "out",
        "off",
        "down",
        "around",
        "first",
        "last",
        "this",
        "these",
        "those",
        "i",
        "we",
        "they",
        "you",
        "he",
        "she",
        "it",
        "not",
        "be",
        "been",
        "has",
        "had",
        "will",
        "would",
        "can",
        "could",
        "may",
        "might",
        "should",
        "personally",
        "enthusiastically",
        "repeatedly",
        "immediately",
        "regularly",
        "promptly",
        "warmly",
        "highly",
    ]
)
_CAUSATIVE = frozenset(
    [
        "help",
        "helped",
        "let",
        "lets",
        "made",
        "make",
        "makes",
        "saw",
        "watched",
        "watch",
        "had",
        "helping",
        "letting",
        "making",
        "see",
    ]
)
_BARE_VERBS = frozenset(
    [
        "succeed",
        "grow",
        "learn",
        "lead",
        "work",
        "improve",
        "prepare",
        "build",
        "develop",
        "become",
        "write",
        "present",
        "manage",
        "achieve",
        "understand",
        "complete",
        "solve",
        "find",
        "get",
        "move",
        "go",
        "take",
        "teach",
        "speak",
        "start",
        "finish",
        "run",
    ]
)


def with_pronouns(text: str, pronouns: Pronouns) -> str:
    """`text` with every pronoun, title and gendered word of one person's sex turned into `pronouns`.

    "her" is "his" before a noun ("her team") and "him" elsewhere ("met her"); "his" is "her" before
    a noun and "hers" elsewhere. Capitals and possessives are kept.
    """
    return _WORD.sub(lambda match: _swapped(match, text, pronouns), text)


def has_pronouns(text: str) -> bool:
    """True if `with_pronouns` has something to turn."""
    return with_pronouns(text, "she_her") != text or with_pronouns(text, "he_him") != text


def _swapped(match: re.Match[str], text: str, pronouns: Pronouns) -> str:
    word = match[0]
    dot = "." if word.endswith(".") else ""
    lowered = word.removesuffix(".").lower()
    before, after = text[max(0, match.start() - 30) : match.start()], text[match.end() : match.end() + 40]
    if pronouns == "he_him":
        if lowered == "her":
            new: str | None = "his" if _is_before_noun(before, after) else "him"
        else:
            new = _TO_HIM.get(lowered)
    elif lowered == "his":
        new = "her" if _is_before_noun(before, after) else "hers"
    else:
        new = _TO_HER.get(lowered)
    if new is None:
        return word
    return _in_case_of(word, new.removesuffix(".") + (dot or "." * new.endswith(".")))


def _is_before_noun(before: str, after: str) -> bool:
    following = re.match(r"[ \t\n]+([\w'’-]+)", after)
    if following is None:
        return False
    word = following[1].lower()
    if word in _NOT_A_NOUN:
        return False
    preceding = re.search(r"([\w'’]+)\s+$", before)
    return not (preceding and preceding[1].lower() in _CAUSATIVE and word in _BARE_VERBS)


def _in_case_of(original: str, new: str) -> str:
    letters = original.removesuffix(".")
    if letters.isupper() and len(letters) > 1:
        return new.upper()
    return new[0].upper() + new[1:] if original[0].isupper() else new
