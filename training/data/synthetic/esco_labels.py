"""ESCO's run-together labels and descriptions taken apart.

Per concept the source has all labels in one string, the preferred one first, and then the description,
with no mark between. What cannot be cut with confidence is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Literal

SkillKind = Literal["ability", "knowledge"]

_PREPOSITIONS = frozenset("of in for and & or to with on at by from the a an as".split())
_DEFINING = frozenset("the a an types different techniques various".split())


def split_occupation(text: str) -> tuple[str, str, str] | None:
    """Preferred label, the other labels, description: the description's subject is the label's plural."""
    words = text.split()
    best: tuple[int, int] | None = None
    for start in range(1, len(words)):
        if not words[start][0].isupper() or words[start - 1].endswith("."):
            continue
        length = _shared(words[:start], words[start:])
        # A label that itself begins with a capital (ICT ...) matches in part everywhere: take the longest.
        if length and (best is None or length > best[0]):
            best = (length, start)
    if best is None:
        return None
    length, start = best
    description = " ".join(words[start:])
    if len(words) - start < 8 or "." not in description:
        return None
    return " ".join(words[:length]), " ".join(words[length:start]), description


def _shared(label: list[str], subject: list[str]) -> int:
    """How many words of the label's start are the subject's, the last of them in the plural; 0 if none is."""
    for i, (one, many) in enumerate(zip(label, subject, strict=False)):
        plain, plural = one.lower(), many.lower().rstrip(",")
        if plain != plural:
            if _singular(plural) != plain:
                return 0
            # "secretary of state ..." | "Secretaries of state assist ...": the label goes on.
            after = zip(label[i + 1 :], subject[i + 1 :], strict=False)
            return i + 1 + len(list(takewhile(lambda pair: pair[0] == pair[1], after)))
    return 0


def _singular(word: str) -> str:
    for ending, single in (("ies", "y"), ("women", "woman"), ("men", "man"), ("people", "person")):
        if word.endswith(ending):
            return word.removesuffix(ending) + single
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word.removesuffix("es")
    return word.removesuffix("s")


def alternatives(labels: str, title: str, nouns: frozenset[str]) -> list[str]:
    """Labels that end in a role noun ("... manager") and hold no other: where to cut is then certain."""
    found: dict[str, None] = {}
    words = labels.split()
    begin = 0
    for i, word in enumerate(words):
        last = word in nouns and (i + 1 == len(words) or words[i + 1] not in _PREPOSITIONS)
        if not last:
            continue
        label = words[begin : i + 1]
        begin = i + 1
        plain = (
            1 < len(label) <= 5
            and not any(w in nouns or w in _PREPOSITIONS for w in label[:-1])
            and len(set(label)) == len(label)
        )
        if plain and " ".join(label) != title:
            found[" ".join(label)] = None
    return list(found)


def split_skill(text: str, verbs: frozenset[str]) -> tuple[str, SkillKind, str] | None:
    """Preferred label, kind and description; None where they cannot be told apart."""
    tool = re.match(r"([\w.+#/ -]{1,30}) \(computer (?:programming|software)[\w ]*\) ", text)
    if tool is not None:
        described = text.find(" The ", tool.end() - 1)
        return (tool[1], "knowledge", text[described + 1 :]) if described > 0 else None
    words = text.split()
    imperative = words[0] in verbs
    start = _description_start(words, verbs, imperative)
    if start is None or len(words) - start < 6:
        return None
    label = _first_ability(words[:start], verbs) if imperative else _first_topic(words[:start])
    if label is None or (not imperative and words[start].lower() in verbs):
        return None
    return " ".join(label), "ability" if imperative else "knowledge", " ".join(words[start:])


def _description_start(words: list[str], verbs: frozenset[str], imperative: bool) -> int | None:
    for i in range(1, len(words)):
        if not re.fullmatch(r"[A-Z][a-z]+,?|An?", words[i]):
            continue
        plain = words[i].lower().rstrip(",")
        if imperative and plain in verbs:
            return i
        if not imperative and (plain in _DEFINING or all(word.islower() for word in words[:i])):
            return i
    return None


def _first_ability(labels: list[str], verbs: frozenset[str]) -> list[str] | None:
    """'operate rubber mixing machine | rubber mixing ...': ends before a repeated word or the next verb."""
    stems = [_stem(word) for word in labels]
    for i in range(2, len(labels)):
        again = stems[i] in stems[:i] and labels[i] not in _PREPOSITIONS
        verb = labels[i] in verbs and labels[i - 1] not in _PREPOSITIONS
        if again or verb:
            # "store goods | stockpile goods": what stands once, before a repetition, begins the next label.
            if again and i > 2 and stems.count(stems[i - 1]) == 1 and stems.count(stems[i - 2]) > 1:
                i -= 1
            labels = labels[:i]
            break
    while labels and labels[-1] in _PREPOSITIONS:
        labels = labels[:-1]
    return labels if 2 <= len(labels) <= 8 else None


def _first_topic(labels: list[str]) -> list[str] | None:
    """'domotic systems | smart home systems': the last word of the first label ends the others too."""
    stems = [_stem(word) for word in labels]
    for i in range(1, len(labels)):
        if stems[i] in stems[:i] and labels[i] not in _PREPOSITIONS:
            first = stems.index(stems[i])
            label = labels[: first + 1]
            if first == 0:
                # "house systems | smart house systems": as much as is repeated. One word alone may be an
                # adjective ("maritime law | maritime legislation"): then up to the repetition.
                again = zip(stems, stems[i:], strict=False)
                run = len(list(takewhile(lambda pair: pair[0] == pair[1], again)))
                short = run == 1 and labels[0].islower()
                label = labels[: min(i, 3) if short else run]
            return label if len(label) <= 4 and not set(label) & _PREPOSITIONS else None
    return labels if len(labels) <= 3 else None


def gerunds(verb: str) -> set[str]:
    """The -ing forms that spelling could give: "planing", "planning"."""
    return {verb + "ing", verb.removesuffix("e") + "ing", verb + verb[-1] + "ing"}


def _stem(word: str) -> str:
    return word.lower()[:6]


def sentences(text: str) -> Iterator[str]:
    """The sentences of a description that are of use: no fragments, no remarks on ESCO itself."""
    for sentence in re.split(r"(?<=[.!?]) +(?=[A-Z])", text):
        words = sentence.split()
        if 4 <= len(words) <= 60 and not re.search(r"\bNote\b|\bESCO\b|http", sentence):
            yield sentence.strip()
