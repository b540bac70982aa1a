"""Invented people: a name of a group, a school, an address. Each split draws from lists of its own."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files

from service.core.counterfactual.lexicons import GroupLexicon, load_groups
from service.core.redaction.policy import TOKENS
from training.data.example import SplitName

NO_SCHOOL = "no_school_mentioned"

# Training may use the lexicons' `train` rows only; what calibrates and tests uses `audit` rows.
_ROWS: Mapping[SplitName, tuple[str, int, int]] = {
    "train": ("train", 0, 75),
    "validation": ("train", 75, 100),
    "calibration": ("audit", 0, 30),
    "threshold": ("audit", 30, 55),
    "test": ("audit", 55, 100),
}
"""Which rows of the lexicons a split may use, and which part of them by percentile of a hash."""

_PLACES: dict[str, list[str]] = json.loads(
    (files("training.data.synthetic") / "places.json").read_text("utf-8")
)
_MAIL = ("example.com", "example.org", "example.net")


@dataclass(frozen=True, slots=True)
class Person:
    """`groups` has sex, race_ethnicity and school_category. `school` None if the resume names none.

    `hidden`: the other fields are redaction's tokens, and a resume writes years of study and pronouns so too.
    """

    given: str
    surname: str
    groups: Mapping[str, str]
    school: str | None
    city: str
    phone: str
    email: str
    link: str
    affinity: str | None = field(default=None)
    hidden: bool = False

    @property
    def name(self) -> str:
        return f"{self.given} {self.surname}"


def without_clues(person: Person) -> Person:
    """The person with redaction's token for each clue that there is."""
    return replace(
        person,
        given=TOKENS["name"],
        surname=TOKENS["name"],
        school=person.school and TOKENS["school"],
        city=TOKENS["address"],
        phone=TOKENS["phone"],
        email=TOKENS["email"],
        link=TOKENS["link"],
        affinity=person.affinity and TOKENS["affinity"],
        hidden=True,
    )


@dataclass(frozen=True, slots=True)
class NamePool:
    """What one split may draw from: given names by `race:sex`, surnames by race, schools by category."""

    given_names: Mapping[str, tuple[str, ...]]
    surnames: Mapping[str, tuple[str, ...]]
    schools: Mapping[str, tuple[str, ...]]
    affinity: Mapping[str, tuple[str, ...]]


@cache
def name_pool(split: SplitName) -> NamePool:
    """The names, schools and clubs of one split; no other split has any of them."""
    rows, low, high = _ROWS[split]
    lexicon: GroupLexicon = load_groups("train" if rows == "train" else "audit")

    def part(groups: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {group: _slice(values, low, high) for group, values in groups.items()}

    return NamePool(
        part(lexicon.given_names), part(lexicon.surnames), part(lexicon.schools), part(lexicon.affinity)
    )


def draw_person(split: SplitName, rng: random.Random) -> Person:
    """Sex, race or ethnicity and school are drawn independently of each other and of everything else."""
    pool = name_pool(split)
    group = rng.choice(list(pool.given_names))
    race, sex = group.split(":")
    given, surname = rng.choice(pool.given_names[group]), rng.choice(pool.surnames[race])
    category = rng.choices(["top_school", "non_top_school", NO_SCHOOL], [0.4, 0.45, 0.15])[0]
    school = rng.choice(pool.schools[category]) if category != NO_SCHOOL else None
    number = f"555-01{rng.randint(0, 99):02d}"
    area = rng.randint(201, 989)
    handle = rng.choice(
        [f"{given}.{surname}", f"{given[0]}{surname}", f"{surname}{rng.randint(1, 99)}", f"{given}_{surname}"]
    ).lower()
    city = rng.choice(_PLACES["cities"])
    state = rng.choice(_PLACES["states"])
    return Person(
        given=given,
        surname=surname,
        groups={"sex": sex, "race_ethnicity": race, "school_category": category},
        school=school,
        city=rng.choice(
            [
                f"{city}, {state}",
                f"{city}, {state} {rng.randint(10000, 99950)}",
                f"{rng.randint(1, 999)} {rng.choice(_PLACES['streets'])} Street, {city}, {state}",
            ]
        ),
        phone=rng.choice([f"({area}) {number}", f"{area}-{number}", f"+1 {area} {number}"]),
        email=f"{handle.replace(' ', '')}@{rng.choice(_MAIL)}",
        link=f"linkedin.com/in/{given}{surname}{rng.randint(1, 999)}".lower().replace(" ", ""),
        affinity=_affinity(pool, sex, race, rng),
    )


def _affinity(pool: NamePool, sex: str, race: str, rng: random.Random) -> str | None:
    """A club, now and then: one of the person's own group or one of nobody's."""
    if rng.random() > 0.12:
        return None
    groups = ["neutral", race, *(["women"] if sex == "female" else [])]
    clubs = [club for group in groups for club in pool.affinity.get(group, ())]
    return rng.choice(clubs) if clubs else None


def _slice(values: tuple[str, ...], low: int, high: int) -> tuple[str, ...]:
    """The values whose rank by hash lies in [low, high) percent: every value is in one part."""
    ranked = sorted(values, key=lambda value: hashlib.sha256(value.encode()).digest())
    return tuple(ranked[low * len(ranked) // 100 : high * len(ranked) // 100])
