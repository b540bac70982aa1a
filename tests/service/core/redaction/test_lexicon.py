"""The word lists: what is in them, and what is said when one is not there."""

from __future__ import annotations

import re

import pytest

from service.core.errors import ConfigurationError
from service.core.redaction.headings import Section, heading
from service.core.redaction.lexicon import any_of, short_table
from service.core.redaction.names import word_lists
from service.core.redaction.words import fold

SHORT = "name_words namesakes headings heading_words school_words education_words countries neutral_occupations greek_letters greek_societies gendered_firms personal_fields personal_values gendered_words occupation_contexts pronoun_contexts benign_lines".split()


@pytest.mark.parametrize("name", SHORT)
def test_every_row_is_there_once_and_names_its_source(name: str) -> None:
    rows = short_table(f"{name}.csv")
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    assert all(value and value.strip() == value for row in rows for value in row.values())
    assert {row["source"] for row in rows} == {"own"}


def test_words_of_names_are_folded() -> None:
    # Others would never match: redaction compares folded words.
    assert [row["word"] for row in short_table("name_words.csv") if fold(row["word"]) != row["word"]] == []


def test_a_list_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"gone\.csv cannot be read: No such file"):
        short_table("gone.csv")


def test_the_longest_of_some_words_is_taken() -> None:
    words = ["Sudan", "South Sudan", "Mali", "Malinka"]

    assert re.findall(any_of(words), "Malinka, Mali, South Sudan, Sudan") == [
        "Malinka",
        "Mali",
        "South Sudan",
        "Sudan",
    ]


@pytest.mark.parametrize(
    ("line", "section"),
    [("## Work Experience", "experience"), ("AUSBILDUNG:", "education"), ("Hobbies", "other")],
)
def test_headings_open_their_section(line: str, section: Section) -> None:
    assert heading(line) == section


def test_particles_that_only_join_do_not_begin_a_surname() -> None:
    assert {"de", "van", "della"} <= word_lists.LEADING_PARTICLES
    assert {"y", "e"} <= word_lists.PARTICLES - word_lists.LEADING_PARTICLES
