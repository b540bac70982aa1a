"""Synthetic resumes and jobs, and the labelled pairs of them that calibration needs.

A pair matches if the resume is of the job's occupation. Negatives are half hard ones (a neighbour
of the same sector) and half easy ones (another sector of the same split). The texts vary in form
and length as real ones do: 60 to 900 words, with and without summary, sections and boilerplate.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from training.data.boilerplate import (
    BENEFITS,
    COMPANY,
    CONTACT,
    EMPLOYERS,
    EQUAL_OPPORTUNITY,
    INTERESTS,
    NAMES,
    REFERENCES,
)
from training.data.synthetic.vocabulary import Occupation, sectors


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """`label` 1 if the resume is of the job's occupation. `title` None for a job without one."""

    job_id: str
    title: str | None
    description: str
    resume_id: str
    resume: str
    label: int


@dataclass(frozen=True)
class Splits:
    """Sectors, hence occupations, jobs and people, are disjoint between the splits."""

    calibration: list[Occupation]
    threshold: list[Occupation]
    test: list[Occupation]


def split_by_sector(occupations: Sequence[Occupation], rng: random.Random) -> Splits:
    """Deal whole sectors out: two fifths to calibration, the rest to threshold and test in equal parts."""
    families = list(sectors(list(occupations)).values())
    rng.shuffle(families)
    first = round(0.4 * len(families))
    second = first + (len(families) - first) // 2
    flat = [
        [o for family in part for o in family]
        for part in (families[:first], families[first:second], families[second:])
    ]
    return Splits(*flat)


def make_pairs(
    occupations: Sequence[Occupation],
    *,
    jobs_each: int,
    resumes_each: int,
    negatives: int,
    rng: random.Random,
) -> list[LabelledPair]:
    """Pairs of `jobs_each` jobs and `resumes_each` resumes per occupation.

    Each job meets every resume of its own occupation and `negatives` times as many others, so the
    prevalence is 1 / (1 + negatives). Every second job has no title.
    """
    resumes = {o: [write_resume(o, rng) for _ in range(resumes_each)] for o in occupations}
    pairs = []
    for occupation in occupations:
        for number in range(jobs_each):
            title = rng.choice(occupation.titles)
            job_id = f"{occupation.occupation} job {number}"
            description = write_job(occupation, title, rng)
            chosen = [(occupation, i, 1) for i in range(resumes_each)]
            chosen += _negatives(occupation, occupations, resumes_each * negatives, resumes_each, rng)
            pairs += [
                LabelledPair(
                    job_id=job_id,
                    title=title if number % 2 == 0 else None,
                    description=description,
                    resume_id=f"{owner.occupation} resume {i}",
                    resume=resumes[owner][i],
                    label=label,
                )
                for owner, i, label in chosen
            ]
    return pairs


def write_resume(occupation: Occupation, rng: random.Random) -> str:
    """One resume: header, summary, skills, one to four positions, education, in varying order and form."""
    bullet = rng.choice(["- ", "* ", "• ", ""])
    duties = rng.sample(occupation.duties, rng.randint(4, len(occupation.duties)))
    sections = []
    if rng.random() < 0.7:
        sections.append(_section("Summary", " ".join(rng.sample(occupation.summary, rng.randint(1, 2))), rng))
    skills = rng.sample(occupation.skills, rng.randint(5, len(occupation.skills)))
    sections.append(_section("Skills", rng.choice([", ", " | ", "\n"]).join(skills), rng))
    positions = []
    jobs = rng.randint(1, min(4, len(duties) // 2))
    for i in range(jobs):
        begin = 2022 - 3 * i - rng.randint(0, 1)
        end = begin + 2 if i else "present"
        head = f"{rng.choice(occupation.titles)}, {rng.choice(EMPLOYERS)}, {begin} - {end}"
        positions.append("\n".join([head, *(bullet + duty for duty in duties[i::jobs])]))
    sections.append(_section("Experience", "\n\n".join(positions), rng))
    sections.append(_section("Education", rng.choice(occupation.education), rng))
    if rng.random() < 0.4:
        sections.append(_section("Interests", rng.choice(INTERESTS), rng))
    if rng.random() < 0.3:
        sections.append(rng.choice(REFERENCES))
    header = f"{rng.choice(NAMES)}\n{rng.choice(CONTACT)}"
    return "\n\n".join([header, *sections])


def write_job(occupation: Occupation, title: str, rng: random.Random) -> str:
    """One posting: company, duties and requirements in the posting's own words, benefits, small print."""
    requirements = rng.sample(occupation.requirements, rng.randint(4, len(occupation.requirements)))
    skills = rng.sample(occupation.skills, rng.randint(3, 7))
    parts = []
    if rng.random() < 0.8:
        parts.append(rng.choice(COMPANY))
    if rng.random() < 0.5:
        parts.append(f"We are looking for a {title} to join the team.")
    if rng.random() < 0.5:
        parts.append("\n".join(["What you will do:", *("- " + line for line in requirements)]))
    else:
        parts.append(" ".join(requirements))
    if rng.random() < 0.8:
        parts.append("Nice to have: " + ", ".join(skills) + ".")
    if rng.random() < 0.7:
        parts.append(rng.choice(BENEFITS))
    if rng.random() < 0.6:
        parts.append(rng.choice(EQUAL_OPPORTUNITY))
    return "\n\n".join(parts)


def _section(heading: str, body: str, rng: random.Random) -> str:
    form = rng.randint(0, 2)
    if form == 0:
        return f"{heading.upper()}\n{body}"
    return f"{heading}:\n{body}" if form == 1 else f"## {heading}\n{body}"


def _negatives(
    occupation: Occupation, pool: Sequence[Occupation], count: int, resumes_each: int, rng: random.Random
) -> list[tuple[Occupation, int, int]]:
    near = [
        (o, i, 0)
        for o in pool
        if o.sector == occupation.sector and o != occupation
        for i in range(resumes_each)
    ]
    far = [(o, i, 0) for o in pool if o.sector != occupation.sector for i in range(resumes_each)]
    hard = rng.sample(near, min(len(near), count // 2))
    return hard + rng.sample(far, min(len(far), count - len(hard)))
