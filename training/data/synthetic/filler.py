"""Filler: the sentences in resumes and postings that say nothing about the occupation.

Several hundred of them are made of templates, so that no single one can be learnt. A few lists differ in
wording only, communal against agentic: the bias knob draws from them (Gaucher, Friesen and Kay 2011).
"""

from __future__ import annotations

import json
import random
from importlib.resources import files

_FILE = files("training.data.synthetic") / "phrases.json"
_PHRASES: dict[str, list[str]] = json.loads(_FILE.read_text("utf-8"))


def _fill(template: str, rng: random.Random) -> str:
    quality, quality2 = rng.sample(_PHRASES["qualities"], 2)
    ability, ability2 = rng.sample(_PHRASES["abilities"], 2)
    trait, grade = rng.choice(_PHRASES["traits"]), rng.choice(_PHRASES["grades"])
    return template.format(
        quality=quality,
        quality2=quality2,
        ability=ability,
        ability2=ability2,
        trait=trait,
        Trait=trait.capitalize(),
        grade=grade,
        Grade=grade.capitalize(),
        office=rng.choice(_PHRASES["office"]),
        name=employer(rng),
        adjective=rng.choice(_PHRASES["adjectives"]),
        kind=rng.choice(_PHRASES["kinds"]),
        number=rng.randint(2, 90),
    )


def employer(rng: random.Random) -> str:
    """An invented company."""
    return f"{rng.choice(_PHRASES['employer_first'])} {rng.choice(_PHRASES['employer_last'])}"


def soft_skill(rng: random.Random) -> str:
    """A sentence about soft skills, without a full stop, as resumes have it."""
    return _fill(rng.choice(_PHRASES["resume_soft"]), rng)


def generic_duty(rng: random.Random) -> str:
    """A duty that any job has, in the past tense."""
    return rng.choice(_PHRASES["generic_duties"])


def wanted_soft_skill(rng: random.Random) -> str:
    """A soft skill that a posting asks for."""
    return _fill(rng.choice(_PHRASES["job_soft"]), rng)


def company(rng: random.Random) -> str:
    """One to three sentences about the employer."""
    return " ".join(_fill(t, rng) for t in rng.sample(_PHRASES["company"], rng.randint(1, 3)))


def benefits(rng: random.Random) -> list[str]:
    """Three to six benefits."""
    return rng.sample(_PHRASES["benefits"], rng.randint(3, 6))


def small_print(rng: random.Random) -> str:
    """Equal-opportunity and application sentences."""
    equal = [_fill(t, rng) for t in rng.sample(_PHRASES["equal"], rng.randint(0, 2))]
    return " ".join([*equal, *(_fill(t, rng) for t in rng.sample(_PHRASES["apply"], rng.randint(1, 3)))])


def office_tools(rng: random.Random) -> list[str]:
    """Two to four tools that every office has."""
    return rng.sample(_PHRASES["office"], rng.randint(2, 4))


def hobbies(rng: random.Random) -> list[str]:
    """Three to five hobbies."""
    return rng.sample(_PHRASES["hobbies"], rng.randint(3, 5))


def languages(rng: random.Random) -> list[str]:
    """One to three languages with a level each."""
    return [
        f"{name} ({rng.choice(_PHRASES['levels'])})"
        for name in rng.sample(_PHRASES["languages"], rng.randint(1, 3))
    ]


def of_tone(tone: str | None, count: int, rng: random.Random) -> list[str]:
    """Sentences of a `communal` or `agentic` tone; none for None."""
    return rng.sample(_PHRASES[tone], count) if tone else []


def hobbies_of_tone(tone: str, rng: random.Random) -> list[str]:
    """Two hobbies of a tone."""
    return rng.sample(_PHRASES[f"{tone}_hobbies"], 2)


def career_break(begin: int, end: int, rng: random.Random) -> str:
    """A line that says why somebody did not work."""
    return rng.choice(_PHRASES["gaps"]).format(begin=begin, end=end)
