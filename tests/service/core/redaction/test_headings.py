"""Headings that are in no list, and what only looks like one."""

from __future__ import annotations

import pytest

from service.core.redaction.headings import Section, heading
from service.core.redaction.layout import lines_of


@pytest.mark.parametrize(
    ("line", "section"),
    [
        ("CORPORATE EXPERIENCE", "experience"),
        ("Work Experience:", "experience"),
        ("RELEVANT PROFESSIONAL EXPERIENCE", "experience"),
        ("STUDENT AFFAIRS EXPERIENCE", "experience"),
        ("Employment Background", "experience"),
        ("ACADEMIC PROFILE & TRAINING", "education"),
        ("Scholastic Profile:", "education"),
        ("Work History & Education", "education"),
        ("Summary of Qualifications", "other"),
        ("Personal Particulars", "personal"),
        ("TECHNICAL PROFICIENCIES", "skills"),
    ],
)
def test_the_head_word_opens_the_section(line: str, section: Section) -> None:
    assert heading(line) == section


@pytest.mark.parametrize(
    "line",
    [
        "Customer Experience",
        "Head of User Experience",
        "5 years of experience",
        "experience with large teams",
        "Special Education",
        "Higher Education",
        "Bachelor of Education",
        "Software Development",
        "Director of Studies, Oxford",
    ],
)
def test_posts_and_phrases_open_none(line: str) -> None:
    assert heading(line) is None


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("EDUCATION:      MBA in Finance", ["education", "education"]),
        ("Work Experience: Nordfund AB", ["experience", "experience"]),
        ("Experience: 5 years", ["header"]),
        ("Qualification: B.Tech", ["header"]),
    ],
)
def test_text_may_stand_behind_the_colon_of_a_heading(text: str, sections: list[Section]) -> None:
    assert [line.section for line in lines_of(text)] == sections


def test_headings_between_wide_gaps_cut_a_long_line() -> None:
    text = "Clerk in the archives of two towns.    Academic Background  BSc  Lund    Industry Experience  Nordfund AB, Malmö"
    assert [(line.text.strip(), line.section) for line in lines_of(text)] == [
        ("Clerk in the archives of two towns.", "header"),
        ("Academic Background", "education"),
        ("BSc  Lund", "education"),
        ("Industry Experience", "experience"),
        ("Nordfund AB, Malmö", "experience"),
    ]
