"""Synthetic resumes: the content of one person's career in one of many forms."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Literal

from service.core.redaction.policy import TOKENS
from training.data.example import Seniority
from training.data.synthetic import filler
from training.data.synthetic.grammar import as_gerund, as_title, first_up, in_past, revoice, shorten
from training.data.synthetic.people import Person
from training.data.synthetic.resume_form import Form, draw_form, header, roughen

NOW = 2026
YEARS: dict[Seniority, tuple[int, int]] = {
    "junior": (0, 2),
    "mid": (3, 6),
    "senior": (7, 14),
    "lead": (9, 22),
}
"""Years of work, least and most."""

_LEVELS: dict[Seniority, tuple[str, ...]] = {
    "junior": ("Junior", "Trainee", "Assistant", "Entry-level"),
    "mid": ("",),
    "senior": ("Senior", "Experienced", "Sr."),
    "lead": ("Lead", "Head", "Principal", "Chief"),
}
_DEGREES = (
    "BSc",
    "BA",
    "B.Tech",
    "Diploma",
    "MSc",
    "Associate degree",
    "Certificate",
    "MBA",
    "B.E.",
    "High school diploma",
)
_SIDE_JOBS = ("Waiter", "Sales assistant", "Call centre agent", "Delivery driver", "Volunteer", "Cashier")
_MODEST_TITLES = ("Team member", "Assistant", "Staff member", "Employee", "Helper", "Support")
_VERBS_OF_HELP = (
    "Helped to",
    "Assisted to",
    "Took part in work to",
    "Supported the team to",
    "Was involved in efforts to",
)


Tone = Literal["communal", "agentic"]


@dataclass(frozen=True, slots=True)
class Wording:
    """How a resume is worded: what the bias knob turns.

    Attributes:
        tone: Communal or agentic filler, or None for neither.
        vague: Share of the activities told in a few vague words, in [0, 1].
        gap: Whether a career break stands among the positions.
    """

    tone: Tone | None = None
    vague: float = 0.0
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Career:
    """A resume's content. `activities` are verb phrases in the base form, `achievements` whole sentences."""

    titles: tuple[str, ...]
    seniority: Seniority
    activities: tuple[str, ...]
    achievements: tuple[str, ...]
    skills: tuple[str, ...]
    education: str | None
    wording: Wording = Wording()


def write_resume(career: Career, person: Person, rng: random.Random) -> str:
    """One resume, 60 to 900 words, in one of four layouts and a form by chance."""
    if career.wording.vague:
        kept = max(2, round(len(career.skills) * (1 - career.wording.vague * 0.7)))
        career = replace(career, skills=career.skills[:kept])
    form = draw_form(rng)
    layout = rng.choices([_classic, _forms_export, _prose, _dense], [0.62, 0.14, 0.1, 0.14])[0]
    body = layout(career, person, form, rng)
    head = header(person, career.titles[0], rng) if rng.random() < 0.9 else None
    return roughen(form.gap.join([*([head] if head else []), *body]), rng)


def degree(person: Person, career: Career, rng: random.Random) -> str:
    """The degree with its school, if one is named, and year."""
    subject = career.education or f"{rng.choice(_DEGREES)}"
    low, high = YEARS[career.seniority]
    year = NOW - rng.randint(low, high) - rng.randint(0, 2)
    school = f", {person.school}" if person.school else ""
    begin, end = (TOKENS["graduation_year"],) * 2 if person.hidden else (str(year - 3), str(year))
    layouts = (
        f"{subject}{school}, {end}",
        f"{end} {subject}{school}",
        f"{subject}{school} ({begin} - {end})",
    )
    return rng.choice(layouts)


def tell(activity: str, career: Career, rng: random.Random) -> str:
    """One activity as a line of a resume: past tense, gerund or noun style, revoiced now and then."""
    if rng.random() < career.wording.vague:
        words = shorten(activity).split()
        return f"{rng.choice(_VERBS_OF_HELP)} {' '.join(words[: rng.randint(3, 5)]).rstrip(',')}"
    phrase = shorten(activity) if rng.random() < 0.45 else activity
    if rng.random() < 0.35:
        phrase = revoice(phrase, rng)
    draw = rng.random()
    if draw < 0.62:
        return first_up(in_past(phrase))
    if draw < 0.76:
        return first_up(as_gerund(phrase))
    if draw < 0.86:
        opening = rng.choice(["Responsible for", "Experience in", "In charge of", "Hands-on in"])
        return f"{opening} {as_gerund(phrase)}"
    return first_up(phrase)


def _achieved(sentence: str, career: Career, rng: random.Random) -> str:
    """An achievement, of which a vague wording leaves the beginning."""
    vague = rng.random() < career.wording.vague
    return " ".join(sentence.split()[: rng.randint(3, 5)]) if vague else sentence


def _lines(career: Career, rng: random.Random) -> list[str]:
    lines = [tell(a, career, rng) for a in career.activities]
    if career.wording.vague and len(lines) > 3:
        lines = lines[: max(3, round(len(lines) * (1 - career.wording.vague / 2)))]
    lines += [_achieved(a, career, rng) for a in career.achievements]
    rng.shuffle(lines)
    extra = filler.of_tone(career.wording.tone, rng.randint(3, 6), rng)
    extra += [filler.generic_duty(rng) for _ in range(rng.randint(0, 4 + len(lines) // 3))]
    for line in extra:
        lines.insert(rng.randint(0, len(lines)), line)
    return lines


def _positions(career: Career, rng: random.Random) -> list[tuple[str, str, int, int, list[str]]]:
    """Title, employer, years and lines of each position, the latest first."""
    lines = _lines(career, rng)
    most = {"junior": 1, "mid": 2, "senior": 4, "lead": 4}[career.seniority]
    count = max(1, min(rng.randint(max(1, most - 1), most), len(lines) // 2))
    low, high = YEARS[career.seniority]
    years = max(count, rng.randint(max(1, low), max(1, high)))
    edges = [NOW - years * i // count for i in range(count + 1)]
    found = []
    for i in range(count):
        level = rng.choice(_LEVELS[career.seniority]) if i == 0 and rng.random() < 0.7 else ""
        title = f"{level} {rng.choice(career.titles)}".strip()
        if rng.random() < career.wording.vague:
            title = rng.choice(_MODEST_TITLES)
        title = as_title(title) if rng.random() < 0.7 else title
        found.append((title, filler.employer(rng), edges[i + 1], edges[i], lines[i::count]))
    if rng.random() < 0.12:
        begin = edges[-1] - rng.randint(1, 3)
        found.append(
            (rng.choice(_SIDE_JOBS), filler.employer(rng), begin, edges[-1], [filler.generic_duty(rng)])
        )
    return found


def _experience(career: Career, form: Form, rng: random.Random) -> str:
    blocks = []
    style = rng.randrange(4)
    for title, employer, begin, end, lines in _positions(career, rng):
        period = form.period(begin, end, rng)
        head = (
            f"{title}, {employer}, {period}",
            f"{employer}\n{title}\n{period}",
            f"{period}  {title} at {employer}",
            f"{title} | {employer} | {period}",
        )[style]
        blocks.append(f"{head}\n{form.bullets(lines)}")
    if career.wording.gap:
        begin = NOW - rng.randint(4, 9)
        blocks.insert(1, filler.career_break(begin, begin + rng.randint(1, 3), rng))
    return "\n\n".join(blocks)


def _skills(career: Career, form: Form, rng: random.Random) -> str:
    skills = list(career.skills)
    style = rng.randrange(5)
    if rng.random() < 0.4:
        skills += filler.office_tools(rng)
    if style == 0:
        return form.bullets(skills)
    if style == 1:
        half = len(skills) // 2
        return f"Core: {', '.join(skills[:half])} | Other: {', '.join(skills[half:])}"
    if style == 2:
        return "\n".join(f"{skill} - Experience - {rng.randint(6, 60)} months" for skill in skills)
    return (", " if style == 3 else " | ").join(skills)


def _summary(career: Career, rng: random.Random) -> str:
    low, high = YEARS[career.seniority]
    title = rng.choice(career.titles)
    years = rng.randint(max(1, low), max(1, high))
    openers = (
        f"{rng.choice(_LEVELS[career.seniority])} {title} with {years}+ years of experience.".strip(),
        f"I am a {title} and have worked in this field for {years} years.",
        f"{title.capitalize()}. {filler.soft_skill(rng)}.",
        f"{filler.soft_skill(rng)}. {years} years as {title}.",
    )
    text = first_up(rng.choice(openers))
    if career.skills and rng.random() < 0.6:
        text += f" Knowledge of {', '.join(rng.sample(career.skills, min(3, len(career.skills))))}."
    if rng.random() < 0.5:
        text += f" {filler.soft_skill(rng)}."
    return text


def _classic(career: Career, person: Person, form: Form, rng: random.Random) -> list[str]:
    sections = [("experience", _experience(career, form, rng)), ("education", degree(person, career, rng))]
    if career.skills and rng.random() < 0.85:
        sections.insert(rng.randint(0, 2), ("skills", _skills(career, form, rng)))
    if rng.random() < 0.6:
        sections.insert(0, ("summary", _summary(career, rng)))
    if rng.random() < 0.2:
        sections.append(("certifications", form.bullets([f"Certificate in {s}" for s in career.skills[:2]])))
    return [
        form.section(kind, body, rng) for kind, body in [*sections, *_rest(career, person, form, rng)] if body
    ]


def _rest(career: Career, person: Person, form: Form, rng: random.Random) -> list[tuple[str, str]]:
    found = []
    if rng.random() < 0.3:
        found.append(("strengths", form.bullets([filler.soft_skill(rng) for _ in range(rng.randint(2, 5))])))
    if rng.random() < 0.3:
        found.append(("languages", ", ".join(filler.languages(rng))))
    hobbies = filler.hobbies(rng) if rng.random() < 0.3 else []
    if career.wording.tone is not None and rng.random() < 0.7:
        hobbies = [*hobbies, *filler.hobbies_of_tone(career.wording.tone, rng)]
    if hobbies:
        found.append(("interests", ", ".join(hobbies)))
    if person.affinity:
        found.append(("activities", f"Member, {person.affinity}"))
    rng.shuffle(found)
    return found


def _forms_export(career: Career, person: Person, form: Form, rng: random.Random) -> list[str]:
    """What a job board's form becomes as text: education, skills with months, company and description."""
    skills = "\n".join(f"{s}- Experience - {rng.choice([6, 12, 24, 36, 48])} months" for s in career.skills)
    parts = [
        f"Education Details\n{degree(person, career, rng)}",
        as_title(career.titles[0]),
        f"Skill Details\n{skills}",
    ]
    companies = [
        f"company - {employer}\ndescription - {title} {form.period(begin, end, rng)}\n{form.bullets(lines)}"
        for title, employer, begin, end, lines in _positions(career, rng)
    ]
    return [*parts, "Company Details\n" + "\n".join(companies)]


def _prose(career: Career, person: Person, form: Form, rng: random.Random) -> list[str]:
    """Running text in the first person."""
    told = [f"I {_lower(tell(a, career, rng))}." for a in career.activities]
    told += [f"{_achieved(a, career, rng).rstrip('.')}." for a in career.achievements]
    sentences = [*told, f"My skills include {', '.join(career.skills)}.", _summary(career, rng)]
    sentences += [f"{filler.soft_skill(rng)}." for _ in range(2)] + [f"{degree(person, career, rng)}."]
    sentences += filler.of_tone(career.wording.tone, 2, rng)
    rng.shuffle(sentences)
    cut = len(sentences) // 2
    return [" ".join(sentences[:cut]), " ".join(sentences[cut:])]


def _dense(career: Career, person: Person, form: Form, rng: random.Random) -> list[str]:
    """A wall of skills and projects, as many technical resumes are."""
    skills = ", ".join(career.skills)
    lines = _lines(career, rng)
    projects = [
        f"Project {i}: {first_up(a)} Role: {rng.choice(career.titles)} Duration: {rng.randint(2, 24)} months"
        for i, a in enumerate(lines, 1)
    ]
    table = f"Technical Skills: {skills} | Tools: {', '.join(filler.office_tools(rng))}"
    return [
        table,
        *projects,
        f"Education: {degree(person, career, rng)}",
        *[b for _, b in _rest(career, person, form, rng)],
    ]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
