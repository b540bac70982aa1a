from __future__ import annotations

import pytest

from service.core.redaction.policy import CATEGORIES
from training.data.example import DataFormatError
from training.evaluation.redaction.labels import (
    HIDDEN,
    IGNORED,
    STUDY_AND_TIME,
    WORK,
    LabelTable,
    folded_label,
)


def test_the_tables_are_folded_and_apart() -> None:
    tables = [set(HIDDEN), set(WORK), set(STUDY_AND_TIME), set(IGNORED)]
    every = [label for table in tables for label in table]
    assert len(every) == len(set(every))
    assert all(folded_label(label) == label for label in every)
    assert set(HIDDEN.values()) <= set(CATEGORIES)


@pytest.mark.parametrize(
    ("label", "use", "category"),
    [
        ("College Name", "hide", "school"),
        ("EMAIL_ADDRESS", "hide", "email"),
        ("e-mail", "hide", "email"),
        ("PERSON", "hide", "name"),
        ("Years of Experience", "keep", None),
        ("Tech Tools", "keep", None),
        ("Location", "ignore", None),
        ("Blood Type", "unknown", None),
    ],
)
def test_what_a_label_means(label: str, use: str, category: str | None) -> None:
    table = LabelTable.with_options()
    assert table.use_of(label) == use
    assert table.category_of(label) == category


def test_options_overrule_the_tables_and_the_last_one_wins() -> None:
    table = LabelTable.with_options(
        hide=["Location=address", "Hobby = Club=affinity"], keep=["Name", "Blood type"], ignore=["tools"]
    )
    assert table.category_of("location") == "address"
    assert table.category_of("hobby = club") == "affinity"
    assert table.use_of("name") == "keep"
    assert table.category_of("name") is None
    assert table.use_of("tools") == "ignore"
    assert table.is_work("blood type")
    assert not table.is_work("tools")
    assert not table.is_work("degree")


@pytest.mark.parametrize("option", ["Location", "Location=place", "=name", " =name"])
def test_an_option_that_says_nothing_is_refused(option: str) -> None:
    with pytest.raises(DataFormatError):
        LabelTable.with_options(hide=[option])
