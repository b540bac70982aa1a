"""Verb forms, so that one activity can stand in a posting and in a resume in different words."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from training.data.synthetic.esco import imperative_verbs

_IRREGULAR = {
    "be": ("was", "being"),
    "begin": ("began", "beginning"),
    "bind": ("bound", "binding"),
    "blow": ("blew", "blowing"),
    "bring": ("brought", "bringing"),
    "build": ("built", "building"),
    "buy": ("bought", "buying"),
    "cast": ("cast", "casting"),
    "catch": ("caught", "catching"),
    "choose": ("chose", "choosing"),
    "cut": ("cut", "cutting"),
    "deal": ("dealt", "dealing"),
    "dig": ("dug", "digging"),
    "do": ("did", "doing"),
    "draw": ("drew", "drawing"),
    "drive": ("drove", "driving"),
    "feed": ("fed", "feeding"),
    "find": ("found", "finding"),
    "fly": ("flew", "flying"),
    "forecast": ("forecast", "forecasting"),
    "get": ("got", "getting"),
    "give": ("gave", "giving"),
    "go": ("went", "going"),
    "grind": ("ground", "grinding"),
    "grow": ("grew", "growing"),
    "hang": ("hung", "hanging"),
    "have": ("had", "having"),
    "hear": ("heard", "hearing"),
    "hold": ("held", "holding"),
    "keep": ("kept", "keeping"),
    "know": ("knew", "knowing"),
    "lay": ("laid", "laying"),
    "lead": ("led", "leading"),
    "let": ("let", "letting"),
    "make": ("made", "making"),
    "meet": ("met", "meeting"),
    "oversee": ("oversaw", "overseeing"),
    "pay": ("paid", "paying"),
    "program": ("programmed", "programming"),
    "put": ("put", "putting"),
    "read": ("read", "reading"),
    "refer": ("referred", "referring"),
    "run": ("ran", "running"),
    "see": ("saw", "seeing"),
    "seek": ("sought", "seeking"),
    "sell": ("sold", "selling"),
    "send": ("sent", "sending"),
    "set": ("set", "setting"),
    "sew": ("sewed", "sewing"),
    "shape": ("shaped", "shaping"),
    "shut": ("shut", "shutting"),
    "sing": ("sang", "singing"),
    "speak": ("spoke", "speaking"),
    "spin": ("spun", "spinning"),
    "spread": ("spread", "spreading"),
    "stay": ("stayed", "staying"),
    "strive": ("strove", "striving"),
    "take": ("took", "taking"),
    "teach": ("taught", "teaching"),
    "tell": ("told", "telling"),
    "think": ("thought", "thinking"),
    "transfer": ("transferred", "transferring"),
    "understand": ("understood", "understanding"),
    "undertake": ("undertook", "undertaking"),
    "weave": ("wove", "weaving"),
    "wind": ("wound", "winding"),
    "write": ("wrote", "writing"),
}
_DOUBLED = frozenset(
    [
        "plan",
        "stop",
        "control",
        "equip",
        "fit",
        "scan",
        "ship",
        "transmit",
        "submit",
        "permit",
        "trim",
        "label",
        "model",
        "travel",
        "counsel",
        "mix",
        "wrap",
        "clip",
        "grip",
        "strip",
        "tap",
        "top",
        "drop",
        "chop",
        "map",
        "log",
        "tag",
        "pin",
        "dim",
        "rub",
        "scrub",
        "dip",
        "drum",
        "fulfil",
        "distil",
        "instal",
        "pat",
        "plot",
        "plug",
        "prep",
        "rig",
        "rip",
        "sag",
        "sip",
        "skim",
        "skip",
        "slot",
        "snap",
        "spot",
        "step",
        "swap",
        "tan",
        "whip",
        "zip",
        "compel",
        "admit",
        "commit",
        "omit",
        "format",
    ]
)

_SYNONYMS = {
    "advise": ("counsel", "guide"),
    "analyse": ("examine", "study"),
    "arrange": ("organise", "set up"),
    "assemble": ("put together", "build"),
    "assess": ("evaluate", "judge"),
    "assist": ("help", "support"),
    "carry out": ("perform", "complete"),
    "check": ("verify", "inspect"),
    "collect": ("gather", "compile"),
    "communicate": ("liaise", "correspond"),
    "conduct": ("carry out", "run"),
    "coordinate": ("organise", "align"),
    "create": ("produce", "develop"),
    "deliver": ("provide", "supply"),
    "demonstrate": ("show", "present"),
    "design": ("devise", "plan"),
    "determine": ("establish", "work out"),
    "develop": ("build", "create"),
    "ensure": ("make sure of", "secure"),
    "establish": ("set up", "introduce"),
    "evaluate": ("assess", "review"),
    "examine": ("inspect", "study"),
    "handle": ("process", "deal with"),
    "identify": ("find", "spot"),
    "implement": ("introduce", "roll out"),
    "inspect": ("check", "examine"),
    "install": ("fit", "set up"),
    "instruct": ("train", "teach"),
    "interpret": ("read", "explain"),
    "maintain": ("keep up", "look after"),
    "manage": ("run", "oversee"),
    "monitor": ("track", "watch over"),
    "operate": ("run", "use"),
    "organise": ("arrange", "coordinate"),
    "oversee": ("supervise", "manage"),
    "perform": ("carry out", "do"),
    "plan": ("schedule", "prepare"),
    "prepare": ("get ready", "set up"),
    "produce": ("make", "manufacture"),
    "provide": ("supply", "offer"),
    "repair": ("fix", "mend"),
    "review": ("check", "go through"),
    "select": ("choose", "pick"),
    "supervise": ("oversee", "lead"),
    "support": ("help", "assist with"),
    "test": ("check", "try out"),
    "train": ("coach", "instruct"),
    "use": ("apply", "work with"),
}

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
