"""The lines of a resume and the section that each stands in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

Section = Literal["header", "education", "experience", "references", "other"]

_HEADINGS: dict[str, Section] = {
    **dict.fromkeys(
        (
            "education", "academic background", "education and training", "academic qualifications",
            "educational qualifications", "educational background", "education and certifications",
            "education & training", "academic history", "academics", "qualifications", "education history",
            "academic record", "studies", "schooling", "educational qualification", "academic qualification",
            "formation", "formación", "formación académica", "educación", "ausbildung", "bildung", "formazione",
            "istruzione", "formação", "formação acadêmica", "educação", "opleiding", "wykształcenie", "éducation",
            "образование", "教育背景", "学历", "education & credentials", "academic profile",
            "education & certifications", "academic details", "education and qualifications",
        ),
        "education",
    ),
    **dict.fromkeys(
        (
            "experience", "work experience", "professional experience", "employment", "employment history",
            "work history", "career history", "career summary", "relevant experience", "internships",
            "internship experience", "projects", "volunteer experience", "volunteering", "experiencia",
            "experiencia laboral", "experiencia profesional", "expérience", "expérience professionnelle",
            "berufserfahrung", "esperienza", "esperienze professionali", "experiência", "experiência profissional",
            "werkervaring", "doświadczenie", "опыт работы", "工作经历", "positions held", "career",
            "research experience", "teaching experience", "clinical experience", "professional background",
        ),
        "experience",
    ),
    **dict.fromkeys(
        (
            "references", "referees", "reference", "professional references", "recommendations", "referencias",
            "références", "referenzen", "referenze", "referências", "referenties", "referee", "testimonials",
            "character references", "character reference",
        ),
        "references",
    ),
    **dict.fromkeys(
        (
            "summary", "profile", "objective", "skills", "technical skills", "core competencies", "certifications",
            "languages", "interests", "awards", "publications", "achievements", "about me", "about", "contact",
            "contact details", "contact information", "personal details", "personal information", "declaration",
            "key skills", "core skills", "professional summary", "executive summary", "career objective",
            "strengths", "hobbies", "memberships", "affiliations", "activities", "leadership", "honors", "courses",
            "training", "licenses", "tools", "technologies", "additional information", "personal profile",
            "personal data", "competencies", "areas of expertise", "highlights", "accomplishments", "portfolio",
            "extracurricular activities", "personal statement", "licenses and certifications", "habilidades",
            "compétences", "kenntnisse", "competenze", "idiomas", "langues", "sprachen", "profil", "perfil",
            "profilo", "skills & tools", "skills and tools", "it skills", "computer skills", "awards and honors",
            "professional affiliations", "professional memberships", "hobbies and interests", "links",
        ),
        "other",
    ),
}  # fmt: skip

_DECORATION = re.compile(r"^[\s#*_=\-•|>\\]*(?:\\?(?:sub)*section\*?\{)?|[\s#*_=\-:|}<]*$")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_SEPARATOR = re.compile(r"[|•·;:\t<>{}()\[\]\"“”*#_=/\\~+&^$%]|[–—]|\s-\s|\s{2,}|,")
_INLINE = re.compile(
    r"(?<![\w\[])(EDUCATION(?:AL (?:BACKGROUND|QUALIFICATIONS))?|(?:WORK |PROFESSIONAL )?EXPERIENCE|EMPLOYMENT HISTORY"
    r"|WORK HISTORY|REFERENCES|SKILLS|SUMMARY|OBJECTIVE|PROFILE|CERTIFICATIONS|PROJECTS|INTERESTS|AWARDS)\b:?"
    r"|(?<=[\n ])(Education(?: and Training)?|Experience|Work History|Professional Experience|References|Skills)"
    r"(?=:|\s{2,})"
    r"|(?<=## )(?:References|Referees|Education|Experience|Skills|Summary|Employment history|Academic background)\b"
    r"|(?<=[\n ])(?:References|Referees|Academic background|Employment history)\b(?=\s+(?:\[|[^\W\d_a-z]))(?! [Aa]vailable)"
)


class Line(NamedTuple):
    """Characters [start, end) of the text: a line, or in a text without lines a stretch of one section."""

    start: int
    end: int
    text: str
    section: Section
    heading: bool


class Stretch(NamedTuple):
    """Characters [start, end) of one line of a text, and the section that they open, if any."""

    start: int
    end: int
    text: str
    opens: Section | None


def lines_of(text: str, stretches: Callable[[str], Sequence[Stretch]] | None = None) -> list[Line]:
    """The non-blank lines of `text` with their sections; offsets point into `text`.

    Before the first heading the section is `header`. Capital-letter headings inside a line (resumes
    whose line breaks were lost) start a new stretch too. `stretches`: `stretches_of`, or a memo of it.
    """
    stretches = stretches or stretches_of
    section: Section = "header"
    lines: list[Line] = []
    position = 0
    for line in text.split("\n"):
        for start, end, part, opens in stretches(line):
            section = opens or section
            lines.append(Line(position + start, position + end, part, section, opens is not None))
        position += len(line) + 1
    return lines


def stretches_of(line: str) -> list[Stretch]:
    """A line cut at the headings inside it; blank stretches are left out."""
    cuts = {0, len(line)}
    if len(line) > 80:
        for match in _INLINE.finditer(line):
            cuts.update(match.span())
    return [
        Stretch(start, end, line[start:end], heading(line[start:end]))
        for start, end in pairwise(sorted(cuts))
        if line[start:end].strip()
    ]


def heading(line: str) -> Section | None:
    """The section that a line opens, if it is a heading and nothing else."""
    if len(line) > 80:
        return None
    bare = _DECORATION.sub("", _TAG.sub("", line)).casefold()
    return _HEADINGS.get(re.sub(r"\s+", " ", bare))


def segments_of(line: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """The parts of a line between commas, bars, brackets and wide gaps, as [start, end)."""
    position = start
    for match in _SEPARATOR.finditer(line, start):
        if line[position : match.start()].strip():
            yield position, match.start()
        position = match.end()
    if line[position:].strip():
        yield position, len(line)
