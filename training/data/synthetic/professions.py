"""What resumes and postings of one profession are made of, and which professions are neighbours.

Skills are linked to occupations, and occupations to each other and to ISCO groups, by TF-IDF of their
descriptions: never by the embedding model that is trained, or the labels would repeat its opinion.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from training.data.example import SPLITS, SplitName
from training.data.synthetic.esco import (
    EscoOccupation,
    EscoSkill,
    corpus_words,
    imperative_verbs,
    read_groups,
    read_occupations,
    read_skills,
)
from training.data.synthetic.esco_labels import gerunds
from training.data.synthetic.vocabulary import load_occupations

MOST_SKILLS = 24
LEAST_SKILL_SIMILARITY = 0.12
LEAST_SHARE_OF_BEST = 0.45
GROUP_WEIGHT = 0.5
MOST_HOLDERS = 40
"""A skill belongs to at most so many occupations, the most similar ones."""

LEAST_ACTIVITIES = 8

NEIGHBOUR_BAND = (0.18, 0.5)
"""Cosine of two professions' TF-IDF: below it they are strangers, above it nearly the same job.

Inside, one is a hard negative of the other. Above, a pair of the two is neither a match nor a
mismatch, so it is never made.
"""

_SPLIT_SHARES: dict[SplitName, float] = {
    "train": 0.66,
    "validation": 0.06,
    "calibration": 0.08,
    "threshold": 0.08,
    "test": 0.12,
}
_SPLIT_SEED = 4

_MOST_NEIGHBOURS = 12
_SAME_TITLE_WORDS = 0.6


@dataclass(frozen=True, slots=True)
class Profession:
    """Building blocks of one profession.

    `activities` are verb phrases in the base form ("inspect the finished instrument"), for both sides;
    `achievements` are sentences in the past tense for resumes only, `requirements` for postings only
    (our own texts have these). `group` is the ISCO unit group, four digits.
    """

    id: str
    group: str
    titles: tuple[str, ...]
    abilities: tuple[str, ...]
    knowledge: tuple[str, ...]
    activities: tuple[str, ...]
    achievements: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    education: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The ISCO minor group, three digits: professions of a family stay in one split."""
        return self.group[:3]


@dataclass(frozen=True)
class Atlas:
    """All professions with their neighbours (hard negatives) and near-duplicates (never paired)."""

    professions: tuple[Profession, ...]
    neighbours: dict[str, tuple[str, ...]]
    duplicates: dict[str, frozenset[str]]


@cache
def load_atlas() -> Atlas:
    """ESCO's occupations and our own, linked. Takes some ten seconds once per process."""
    occupations, skills = read_occupations(), read_skills()
    linked = _link_skills(occupations, skills)
    esco = [_from_esco(o, [skills[i] for i in rows]) for o, rows in zip(occupations, linked, strict=True)]
    kept = [p for p in [*esco, *_own()] if len(p.activities) + len(p.achievements) >= LEAST_ACTIVITIES]
    texts = [_text(p) for p in kept]
    groups = _nearest_groups(texts)
    placed = tuple(replace(p, group=p.group or group) for p, group in zip(kept, groups, strict=True))
    neighbours, duplicates = _relations(placed, texts)
    return Atlas(placed, neighbours, duplicates)


def split_professions(atlas: Atlas, seed: int = _SPLIT_SEED) -> dict[SplitName, list[Profession]]:
    """Deal whole ISCO families out, so that neighbours stay together.

    A profession of an earlier split that is nearly the same job as one of a later split is left out.
    """
    families: dict[str, list[Profession]] = {}
    for profession in atlas.professions:
        families.setdefault(profession.family, []).append(profession)
    order = sorted(families)
    random.Random(seed).shuffle(order)
    total = len(atlas.professions)
    found: dict[SplitName, list[Profession]] = {split: [] for split in SPLITS}
    for family in order:
        # The split that lacks most of its share gets the next family.
        lacking = max(SPLITS, key=lambda s: (_SPLIT_SHARES[s] * total - len(found[s])) / _SPLIT_SHARES[s])
        found[lacking] += families[family]
    held: set[str] = set()
    for split in reversed(SPLITS):
        found[split] = [p for p in found[split] if not (atlas.duplicates[p.id] & held)]
        held |= {p.id for p in found[split]}
    return found


def _vectorizer() -> TfidfVectorizer:
    return TfidfVectorizer(
        sublinear_tf=True, stop_words="english", ngram_range=(1, 2), min_df=2, dtype=np.float32
    )


def _link_skills(occupations: Sequence[EscoOccupation], skills: Sequence[EscoSkill]) -> list[list[int]]:
    """Per occupation, its most similar skills, best first.

    Similarity to the occupation's ISCO group counts too: it tells a word's field where a short
    description does not ("troubleshoot" in web development and in cosmetics).
    """
    vectorizer = _vectorizer()
    of_skills = vectorizer.fit_transform([f"{s.label}. {s.label}. {' '.join(s.description)}" for s in skills])
    texts = [f"{' '.join(o.titles[:3])}. {' '.join(o.description)}" for o in occupations]
    of_occupations = vectorizer.transform(texts)
    groups = {group.code: group.text for group in read_groups()}
    of_groups = vectorizer.transform([groups[code] for code in _nearest_groups(texts)])
    similarity = np.empty((len(occupations), len(skills)), dtype=np.float32)
    for begin in range(0, len(occupations), 500):
        rows = slice(begin, begin + 500)
        similarity[rows] = ((of_occupations[rows] + GROUP_WEIGHT * of_groups[rows]) @ of_skills.T).toarray()
    # A skill that is nearer to many other occupations matched by a stray word ("scores" of music).
    lowest = np.concatenate(
        [
            np.partition(similarity[:, begin : begin + 1000], -MOST_HOLDERS, axis=0)[-MOST_HOLDERS]
            for begin in range(0, len(skills), 1000)
        ]
    )
    linked = []
    for values in similarity:
        kept = np.flatnonzero(
            (values >= max(LEAST_SKILL_SIMILARITY, LEAST_SHARE_OF_BEST * values.max())) & (values >= lowest)
        )
        linked.append([int(i) for i in kept[np.lexsort((kept, -values[kept]))][:MOST_SKILLS]])
    return linked


def _from_esco(occupation: EscoOccupation, skills: Sequence[EscoSkill]) -> Profession:
    activities = [*_own_activities(occupation)]
    for skill in skills:
        if skill.kind == "ability":
            phrases = [_verb_phrase(s) for s in skill.description]
            activities += [p for p in phrases if p.split()[0] in imperative_verbs()]
    return Profession(
        id=occupation.id,
        group="",
        titles=_plain_titles(occupation.titles),
        abilities=tuple(s.label for s in skills if s.kind == "ability"),
        knowledge=tuple(s.label for s in skills if s.kind == "knowledge"),
        activities=tuple(dict.fromkeys(a for a in activities if 4 <= len(a.split()) <= 36)),
    )


def _own_activities(occupation: EscoOccupation) -> list[str]:
    """From "Curators manage collections. They also plan shows.": what follows the subject, as imperatives."""
    found = []
    for sentence in occupation.description:
        match = re.match(
            rf"(?:{re.escape(occupation.subject)}|They)(?: also| often| usually| may)? (?=[a-z])", sentence
        )
        if match is None:
            continue
        verb = sentence[match.end() :].split()[0].rstrip(",")
        if gerunds(verb) & corpus_words():
            found.append(_third_person_to_second(sentence[match.end() :].rstrip(". ")))
    return found


def _third_person_to_second(text: str) -> str:
    return re.sub(r"\btheir\b", "the", re.sub(r"\bthemselves\b", "oneself", text))


def _plain_titles(titles: Sequence[str]) -> tuple[str, ...]:
    """Titles without words of seniority, which the generator adds itself."""
    words = r"\b(?:senior|junior|trainee|graduate|lead|principal|chief|apprentice)\b ?"
    return tuple(dict.fromkeys(plain for title in titles if (plain := re.sub(words, "", title).strip())))


def _verb_phrase(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:].rstrip(". ")


def _own() -> list[Profession]:
    return [
        Profession(
            id=f"own:{o.occupation}",
            group=_SECTOR_GROUPS[o.sector],
            titles=_plain_titles(tuple(title.lower() for title in o.titles)),
            abilities=(),
            knowledge=o.skills,
            activities=(),
            achievements=(*o.duties, *o.summary),
            requirements=o.requirements,
            education=o.education,
        )
        for o in load_occupations()
    ]


_SECTOR_GROUPS = {
    "construction_trades": "7119",
    "data": "2521",
    "design_and_media": "2166",
    "education": "2341",
    "engineering": "2144",
    "finance": "2411",
    "hospitality": "5120",
    "human_resources": "2423",
    "it_operations": "2522",
    "legal": "2611",
    "nursing_and_care": "2221",
    "sales_and_marketing": "2431",
    "science_and_lab": "2113",
    "software": "2512",
    "transport_and_logistics": "4323",
}
"""The ISCO unit group nearest to each sector of our own texts, by hand."""


def _text(profession: Profession) -> str:
    parts = (
        profession.titles[:4]
        + profession.activities[:6]
        + profession.abilities[:10]
        + profession.knowledge[:10]
        + profession.achievements
        + profession.requirements
    )
    return ". ".join(parts)


def _nearest_groups(texts: Sequence[str]) -> list[str]:
    groups = read_groups()
    vectorizer = _vectorizer()
    of_groups = vectorizer.fit_transform([group.text for group in groups])
    similarity = vectorizer.transform(texts) @ of_groups.T
    return [groups[int(i)].code for i in np.asarray(similarity.argmax(axis=1)).ravel()]


def _relations(
    professions: Sequence[Profession], texts: Sequence[str]
) -> tuple[dict[str, tuple[str, ...]], dict[str, frozenset[str]]]:
    vectors: Any = _vectorizer().fit_transform(texts)
    ids = [p.id for p in professions]
    words = [set(p.titles[0].split()) for p in professions]
    low, high = NEIGHBOUR_BAND
    neighbours: dict[str, tuple[str, ...]] = {}
    duplicates: dict[str, frozenset[str]] = {}
    for begin in range(0, len(ids), 500):
        block = (vectors[begin : begin + 500] @ vectors.T).toarray()
        for row, values in enumerate(block, begin):
            same = {
                int(i)
                for i in np.flatnonzero(values > low)
                if values[i] > high or _same_title(words[row], words[i])
            }
            close = np.flatnonzero(values >= low)
            ranked = close[np.lexsort((close, -values[close]))]
            near = [int(i) for i in ranked if int(i) not in same]
            neighbours[ids[row]] = tuple(ids[i] for i in near[:_MOST_NEIGHBOURS])
            duplicates[ids[row]] = frozenset(ids[i] for i in same)
    return neighbours, duplicates


def _same_title(one: set[str], other: set[str]) -> bool:
    return len(one & other) / len(one | other) >= _SAME_TITLE_WORDS
