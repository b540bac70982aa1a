"""Pronouns, titles and gendered words swapped for those of the other sex, with the grammar kept."""

from __future__ import annotations

import re

from service.core.counterfactual.lexicons import PRONOUN_GROUPS, Pronouns
from service.core.redaction.lexicon import any_of, short_table

_GENDERED = short_table("gendered_words.csv")
_OCCUPATION = any_of({row["word"] for row in _GENDERED if row["kind"] == "occupation"})
_WORD = re.compile(
    r"\b(?:she/her(?:/hers)?|he/him(?:/his)?|she|he|her|hers|him|his|herself|himself)\b"
    r"|(?-i:\b(?:Mrs|Mr|Ms|Miss)\b\.?(?=\s+[^\W\d_a-z])(?!\s+(?:Excel|Word|Office|Access|Project|Teams|Visio)\b))"
    r"|(?<=[Gg]ender: )(?:fe)?male\b|(?<=[Ss]ex: )(?:fe)?male\b"
    rf"|\b{_OCCUPATION}\b",
    re.IGNORECASE,
)
_COUNTERPARTS: dict[Pronouns, dict[str, str]] = {
    group: {row["word"]: row["counterpart"] for row in _GENDERED if row["pronouns"] == group}
    for group in PRONOUN_GROUPS
}
"""By the group that a text is turned into. "her" and "his" are missing: theirs depends on the context."""

_CONTEXTS = short_table("pronoun_contexts.csv")
_NOT_A_NOUN = frozenset(row["word"] for row in _CONTEXTS if row["kind"] == "not_a_noun")
"""After these "her" was an object ("met her at"), since no noun phrase begins with them."""

_CAUSATIVE = frozenset(row["word"] for row in _CONTEXTS if row["kind"] == "causative")
_BARE_VERBS = frozenset(row["word"] for row in _CONTEXTS if row["kind"] == "bare_verb")
"""Between a causative and one of these "her" was an object too: "helped her succeed"."""


def with_pronouns(text: str, pronouns: Pronouns) -> str:
    """`text` with every pronoun, title and gendered word of one person's sex swapped for `pronouns`.

    "her" is "his" before a noun ("her team") and "him" elsewhere ("met her"); "his" is "her" before
    a noun and "hers" elsewhere. Capitals and possessives are kept.
    """
    return _WORD.sub(lambda match: _swapped(match, text, pronouns), text)


def has_pronouns(text: str) -> bool:
    """True if `with_pronouns` has something to swap."""
    return with_pronouns(text, "she_her") != text or with_pronouns(text, "he_him") != text


def _swapped(match: re.Match[str], text: str, pronouns: Pronouns) -> str:
    word = match[0]
    dot = "." if word.endswith(".") else ""
    lowered = word.removesuffix(".").lower()
    before, after = text[max(0, match.start() - 30) : match.start()], text[match.end() : match.end() + 40]
    new: str | None
    if pronouns == "he_him" and lowered == "her":
        new = "his" if _is_before_noun(before, after) else "him"
    elif pronouns == "she_her" and lowered == "his":
        new = "her" if _is_before_noun(before, after) else "hers"
    else:
        new = _COUNTERPARTS[pronouns].get(lowered)
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
