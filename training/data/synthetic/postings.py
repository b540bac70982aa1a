"""Synthetic job postings: duties and requirements of one profession among company text and small print."""

from __future__ import annotations

import random
from dataclasses import dataclass

from training.data.example import Seniority
from training.data.synthetic import filler
from training.data.synthetic.grammar import as_gerund, as_title, first_up, indefinite, revoice, shorten

_LEVELS: dict[Seniority, tuple[str, ...]] = {
    "junior": ("Junior", "Entry-level", "Trainee"),
    "mid": ("",),
    "senior": ("Senior", "Sr."),
    "lead": ("Lead", "Head", "Principal"),
}
_YEARS: dict[Seniority, tuple[int, int]] = {
    "junior": (0, 1),
    "mid": (2, 4),
    "senior": (5, 8),
    "lead": (8, 12),
}
_DUTIES = (
    "Duties",
    "Responsibilities",
    "What you will do",
    "Your role",
    "Key Responsibilities",
    "Job Duties",
    "The job",
)
_NEEDS = (
    "Requirements",
    "Qualifications",
    "Your profile",
    "What we are looking for",
    "Skills required",
    "You have",
)
_EXTRA = ("Nice to have", "A plus", "Preferred", "Desired but not required")


@dataclass(frozen=True, slots=True)
class Vacancy:
    """What a posting asks for. `activities` are verb phrases in the base form."""

    titles: tuple[str, ...]
    seniority: Seniority
    activities: tuple[str, ...]
    requirements: tuple[str, ...]
    skills: tuple[str, ...]


def posting_title(vacancy: Vacancy, rng: random.Random) -> str:
    """The title as a job board shows it: with level, place or reference now and then."""
    level = rng.choice(_LEVELS[vacancy.seniority])
    title = as_title(f"{level} {rng.choice(vacancy.titles)}".strip())
    return rng.choice(
        [title, title, title, f"{title} (m/f/d)", f"{title} - full time", f"{title} Job", title.upper()]
    )


def write_posting(vacancy: Vacancy, rng: random.Random) -> str:
    """One posting of some 80 to 700 words, with or without headings."""
    bullet = rng.choice(["- ", "* ", "• ", "", "· "])
    glue = rng.choices(["\n\n", "\n", " "], [0.6, 0.2, 0.2])[0]
    title = rng.choice(vacancy.titles)
    parts = []
    if rng.random() < 0.8:
        parts.append(filler.company(rng))
    if rng.random() < 0.55:
        level = rng.choice(_LEVELS[vacancy.seniority])
        parts.append(f"We are looking for {indefinite(f'{level} {title}'.strip())} to join our team.")
    duties = _duties(vacancy, rng)
    needs = _needs(vacancy, rng)
    if rng.random() < 0.7:
        end = rng.choice([":\n", ":\n", " "]) if glue != " " else ": "
        parts.append(rng.choice(_DUTIES) + end + _listed(duties, bullet, glue))
        parts.append(rng.choice(_NEEDS) + end + _listed(needs, bullet, glue))
    else:
        parts.append(" ".join(f"{line.rstrip('.')}." for line in [*duties, *needs]))
    skills = list(vacancy.skills)
    if skills and rng.random() < 0.85:
        parts.append(f"{rng.choice(_EXTRA)}: {', '.join(skills[len(skills) // 2 :])}.")
    if rng.random() < 0.65:
        offered = filler.benefits(rng)
        parts.append(rng.choice(["We offer ", "Benefits: ", "Benefits include "]) + ", ".join(offered) + ".")
    if rng.random() < 0.75:
        parts.append(filler.small_print(rng))
    return glue.join(parts)


def _listed(lines: list[str], bullet: str, glue: str) -> str:
    return (
        " ".join(f"{line.rstrip('.')}." for line in lines)
        if glue == " "
        else "\n".join(bullet + x for x in lines)
    )


def _duties(vacancy: Vacancy, rng: random.Random) -> list[str]:
    voice = rng.randrange(4)
    found = []
    for activity in vacancy.activities:
        phrase = shorten(activity) if rng.random() < 0.3 else activity
        if rng.random() < 0.3:
            phrase = revoice(phrase, rng)
        found.append(
            (
                first_up(phrase),
                f"You will {phrase}",
                first_up(as_gerund(phrase)),
                f"Responsible for {as_gerund(phrase)}" if rng.random() < 0.4 else first_up(phrase),
            )[voice]
        )
    if rng.random() < 0.5:
        found.insert(rng.randint(0, len(found)), "Other duties as assigned")
    return found


def _needs(vacancy: Vacancy, rng: random.Random) -> list[str]:
    low, high = _YEARS[vacancy.seniority]
    years = rng.randint(low, high)
    found = list(vacancy.requirements)
    skills = list(vacancy.skills)
    for skill in skills[: max(1, len(skills) // 2)]:
        found.append(
            rng.choice(
                ["Knowledge of {}", "Experience with {}", "{}", "Familiarity with {}", "Able to handle {}"]
            ).format(skill)
        )
    if rng.random() < 0.7:
        found.append(
            f"{years}+ years of experience as {rng.choice(vacancy.titles)}"
            if years
            else "No experience needed"
        )
    found += [filler.wanted_soft_skill(rng) for _ in range(rng.randint(1, 4))]
    rng.shuffle(found)
    return found
