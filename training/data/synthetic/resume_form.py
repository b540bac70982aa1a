"""The outer form of a resume: header, headings, bullets, dates, and the noise that copying leaves behind."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from service.core.redaction.policy import TOKENS
from training.data.synthetic.grammar import as_title
from training.data.synthetic.people import Person

_HEADINGS = {
    "summary": ("Summary", "Profile", "Professional Summary", "Career Objective", "About me", "Objective"),
    "skills": (
        "Skills",
        "Technical Skills",
        "Key Skills",
        "Core Competencies",
        "Areas of Expertise",
        "Skill Set",
    ),
    "experience": (
        "Experience",
        "Work Experience",
        "Professional Experience",
        "Employment History",
        "Career History",
        "Work History",
    ),
    "education": ("Education", "Education Details", "Academic Background", "Education and Training"),
    "projects": ("Projects", "Selected Projects", "Project Details", "Academic Projects"),
    "certifications": ("Certifications", "Licences and Certificates", "Courses", "Training"),
    "languages": ("Languages", "Language Skills"),
    "interests": ("Interests", "Hobbies", "Hobbies and Interests", "Personal Interests"),
    "strengths": ("Strengths", "Personal Skills", "Personal Strengths"),
    "activities": ("Volunteering", "Activities", "Memberships", "Extra-curricular activities"),
}
_BULLETS = ("- ", "* ", "• ", "", "➢ ", "♦ ", "o ", "· ", "– ", "✓ ", "\t• ", "1. ")  # noqa: RUF001  # resumes use the dash
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_NOW = 2026


@dataclass(frozen=True, slots=True)
class Form:
    """How one resume is set. `gap` stands between sections."""

    bullet: str
    heading: int
    gap: str
    dates: int
    full_stops: bool

    def section(self, kind: str, body: str, rng: random.Random) -> str:
        """A section under one of its usual headings."""
        name = rng.choice(_HEADINGS[kind])
        styles = (
            f"{name.upper()}\n{body}",
            f"{name}:\n{body}",
            f"## {name}\n{body}",
            f"{name}\n{body}",
            f"{name}\n{'-' * len(name)}\n{body}",
            f"{name.upper()}: {body}",
            f"== {name} ==\n\n{body}",
        )
        return styles[self.heading]

    def bullets(self, lines: list[str]) -> str:
        """The lines as a list, numbered if the form numbers."""
        if self.bullet == "1. ":
            return "\n".join(f"{i}. {self._ended(line)}" for i, line in enumerate(lines, 1))
        return "\n".join(self.bullet + self._ended(line) for line in lines)

    def _ended(self, line: str) -> str:
        bare = line.rstrip(". ")
        return bare + "." if self.full_stops else bare

    def period(self, begin: int, end: int, rng: random.Random) -> str:
        """From one year to another; a position that lasts until now is open."""
        digits = f"{rng.randint(1, 12):02d}/"
        last = rng.choice(["present", "Present", "now", "till date", "current"]) if end >= _NOW else str(end)
        month = rng.choice(_MONTHS)
        other = rng.choice(_MONTHS)
        closing = last if end >= _NOW else f"{other} {end}"
        styles = (
            f"{begin} - {last}",
            f"{month} {begin} to {closing}",
            f"{digits}{begin} - {last if end >= _NOW else digits + str(end)}",
            f"({begin}–{last})",  # noqa: RUF001  # resumes use the dash
            f"{month[:3].upper()} {begin} -{closing}",
        )
        return styles[self.dates]


def draw_form(rng: random.Random) -> Form:
    """A form by chance."""
    return Form(
        bullet=rng.choice(_BULLETS),
        heading=rng.randrange(7),
        gap=rng.choices(["\n\n", "\n", "\n\n\n"], [0.7, 0.2, 0.1])[0],
        dates=rng.randrange(5),
        full_stops=rng.random() < 0.6,
    )


def header(person: Person, title: str, rng: random.Random) -> str:
    """Name and contact in one of several layouts; now and then only a part of it."""
    name = person.name.upper() if rng.random() < 0.3 else person.name
    layouts = (
        f"{name}\n{person.email} | {person.phone}",
        f"{name}\n{person.city}\nPhone: {person.phone}\nE-mail: {person.email}",
        f"{name}\n{as_title(title)}\n{person.city} | {person.phone} | {person.email} | {person.link}",
        f"Curriculum Vitae\n\nName: {name}\nAddress: {person.city}\nMobile: {person.phone}\n"
        f"Email: {person.email}",
        f"{name}, {title}\n{person.phone}, {person.email}",
        f"RESUME OF {person.name.upper()}\n{person.email}\n{person.link}",
        f"{person.surname}, {person.given}\n{person.city}\n{person.phone}",
        f"{name}",
    )
    text = rng.choice(layouts)
    if rng.random() < 0.08:
        sex = person.groups["sex"]
        pronouns = "she/her" if sex == "female" else "he/him"
        if person.hidden:
            pronouns = TOKENS["pronoun"]
        text = text.replace(name, f"{name} ({pronouns})", 1)
    return text


def roughen(text: str, rng: random.Random) -> str:
    """The noise of real files: lost line breaks, doubled blanks, copy-paste rests, lost full stops."""
    draw = rng.random()
    if draw < 0.12:  # a PDF's text: sections run together
        text = re.sub(r"\n+(?=[a-zA-Z])", " ", text)
    elif draw < 0.2:
        text = re.sub(r"\n\n+", "\n", text)
    elif draw < 0.28:
        text = re.sub(r"(?<=[a-z]) (?=[a-z])", lambda m: "  " if rng.random() < 0.06 else " ", text)
    elif draw < 0.34:
        text = text.replace(". ", " . ") if rng.random() < 0.5 else text.replace(". ", " ")
    elif draw < 0.4:
        text += rng.choice(
            [
                "\n\nPage 1 of 2",
                "\n\n---",
                "\n[object Object]",
                "\nThis is to certify that the above is true.",
            ]
        )
    elif draw < 0.44:
        text = text.replace("\n", "\n   ")
    return text
