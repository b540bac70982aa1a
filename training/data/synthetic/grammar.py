"""Verb forms, so that one activity can stand in a posting and in a resume in different words."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from importlib.resources import files

from training.data.synthetic.esco import imperative_verbs

_VERBS = json.loads((files("training.data.synthetic") / "verbs.json").read_text("utf-8"))

_IRREGULAR: dict[str, tuple[str, str]] = _VERBS["irregular"]
"""Past tense and gerund."""

_DOUBLED = frozenset(_VERBS["doubled"])
"""Verbs that double their last letter: planned, planning."""

_SYNONYMS: dict[str, list[str]] = _VERBS["synonyms"]

_ASIDE = re.compile(
    r",? (?:such as|in order to|so that|including|which|according to|in accordance with|as well as|"
    r"for example|e\.g\.)\b.*|;.*|\(.*?\)"
)


def past(verb: str) -> str:
    """Inspect -> inspected, carry -> carried, take -> took."""
    if verb in _IRREGULAR:
        return _IRREGULAR[verb][0]
    if verb in _DOUBLED:
        return verb + verb[-1] + "ed"
    if verb.endswith("e"):
        return verb + "d"
    return verb[:-1] + "ied" if re.search(r"[^aeiou]y$", verb) else verb + "ed"


def gerund(verb: str) -> str:
    """Inspect -> inspecting, use -> using, plan -> planning."""
    if verb in _IRREGULAR:
        return _IRREGULAR[verb][1]
    if verb in _DOUBLED:
        return verb + verb[-1] + "ing"
    return verb[:-1] + "ing" if re.search(r"[^eoy]e$", verb) else verb + "ing"


def in_past(phrase: str) -> str:
    """Past tense: "inspect doors and report faults" -> "inspected doors and reported faults"."""
    return _each_verb(phrase, past)


def as_gerund(phrase: str) -> str:
    """Gerund: "inspect doors and report faults" -> "inspecting doors and reporting faults"."""
    return _each_verb(phrase, gerund)


def _each_verb(phrase: str, form: Callable[[str], str]) -> str:
    """Change the first word and the verbs that are coordinated with it, not those after a "to"."""
    verbs = imperative_verbs()
    words = phrase.split(" ")
    infinitive = False
    for i, word in enumerate(words):
        plain = word.rstrip(",")
        if word == "to" and i:
            infinitive = True
        after = words[i - 1] in ("and", "or", "then") or words[i - 1].endswith(",") if i else True
        if i and words[i - 1].endswith(","):
            infinitive = False
        if i == 0 or (after and plain in verbs and not infinitive and i + 1 < len(words)):
            words[i] = form(plain) + word[len(plain) :]
    return " ".join(words)


def revoice(phrase: str, rng: random.Random) -> str:
    """The phrase with its first verb exchanged for a synonym, if one is known."""
    words = phrase.split(" ")
    choices = _SYNONYMS.get(words[0])
    return " ".join([rng.choice(choices), *words[1:]]) if choices else phrase


def shorten(phrase: str) -> str:
    """The phrase without examples, purposes and asides."""
    short = _ASIDE.sub("", phrase).strip(" ,")
    return short if len(short.split()) >= 3 else phrase


def first_up(text: str) -> str:
    """The first letter as a capital, the rest as it is."""
    return text[:1].upper() + text[1:]


def as_title(text: str) -> str:
    """Each word with a capital, but words with capitals of their own (ICT) as they are."""
    return " ".join(
        word.capitalize() if word.islower() and len(word) > 2 else word for word in text.split(" ")
    )


def indefinite(noun: str) -> str:
    """With its article: "an engineer", "a nurse"."""
    return f"{'an' if noun[0].lower() in 'aeio' else 'a'} {noun}"
