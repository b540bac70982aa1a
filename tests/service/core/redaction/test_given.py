"""Spans that a caller names."""

from __future__ import annotations

import pickle

import pytest

from service.core.errors import InputErrors, SpanNotFoundError
from service.core.redaction.given import GivenSpan, find_given, name_parts, places_of, standing_in
from service.core.redaction.policy import CATEGORIES, Category
from service.core.redaction.redactor import Redactor

REDACTOR = Redactor()
TEXT = "Ida Moor\nida@mail.example\n\nEducation\nDiploma, Rookery Lane, 2009\n\nSkills\nC++, Go"


def places(text: str, *wanted: str) -> list[str]:
    return [text[s.start : s.end] for s in places_of(text, [GivenSpan("school", one) for one in wanted])]


@pytest.mark.parametrize(
    ("text", "wanted", "count"),
    [
        ("Moor, Moor's and Moorland; (Moor)", "Moor", 3),
        ("Ida Moor, IDA MOOR, ida moor", "Ida Moor", 1),
        ("C++, C and Cobol", "C", 2),
        ("C++, C and Cobol", "C++", 1),
        ("moor_ida and moor", "moor", 1),
        ("café, cafés", "cafe\u0301", 1),
        ("abcabc", "abc", 0),
        ("a b a b a", "a b a", 1),
        ("学校の名前", "学校の名前", 1),
    ],
)
def test_every_occurrence_at_borders_of_words_is_meant(text: str, wanted: str, count: int) -> None:
    assert len(places(text, wanted)) == count


def test_what_is_given_is_hidden_as_its_category() -> None:
    given = find_given(TEXT, [GivenSpan("school", "Rookery Lane"), GivenSpan("affinity", "Go")])
    redacted = REDACTOR.redact(TEXT, given=given)
    assert "Diploma, [SCHOOL], [YEAR]" in redacted.text
    assert redacted.text.endswith("C++, [AFFINITY]")
    assert (redacted.counts["school"], redacted.counts["affinity"]) == (1, 1)
    assert REDACTOR.redact(redacted.text).text == redacted.text


def test_what_is_given_is_hidden_whatever_the_categories_are() -> None:
    given = find_given(TEXT, [GivenSpan("school", "Rookery Lane")])
    redacted = Redactor(["email"]).redact(TEXT, given=given)
    assert redacted.counts == {"email": 1, "school": 1}


def test_nothing_given_changes_nothing() -> None:
    assert REDACTOR.redact(TEXT, given=()) == REDACTOR.redact(TEXT)


@pytest.mark.parametrize("category", CATEGORIES)
def test_each_category_can_be_given(category: Category) -> None:
    given = find_given("zig zag zog", [GivenSpan(category, "zag")])
    assert REDACTOR.redact("zig zag zog", given=given).counts == {category: 1}


def test_a_given_name_is_the_candidates() -> None:
    text = "xq zw vb\n\nSummary\nTwelve years of payroll processing."
    assert not REDACTOR.redact(text).has_own_name
    given = find_given(text, [GivenSpan("name", "xq zw vb")])
    assert name_parts(text, given) == ("xq", "zw", "vb")
    assert REDACTOR.redact(text, given=given).has_own_name


def test_overlapping_ones_are_resolved_as_others_are() -> None:
    spans = [
        GivenSpan("school", "Rookery Lane"),
        GivenSpan("name", "Lane"),
        GivenSpan("school", "Rookery Lane"),
    ]
    redacted = REDACTOR.redact(TEXT, given=find_given(TEXT, spans))
    assert redacted.counts["school"] == 1
    assert "Lane" not in redacted.text


def test_what_does_not_stand_there_is_named_by_its_field_and_never_by_its_text() -> None:
    given = [GivenSpan("school", "Rookery Lane"), GivenSpan("name", "Zaphod", "spans[1].text")]
    with pytest.raises(SpanNotFoundError) as caught:
        find_given(TEXT, given)
    assert caught.value.field == "spans[1].text"
    assert "Zaphod" not in caught.value.message
    with pytest.raises(InputErrors) as several:
        find_given(TEXT, [*given, GivenSpan("name", "\u200b", "spans[2].text")])
    assert [e.field for e in pickle.loads(pickle.dumps(several.value)).errors] == [
        "spans[1].text",
        "spans[2].text",
    ]
    assert standing_in(TEXT, given) == given[:1]


def test_a_place_is_one_however_often_it_is_given() -> None:
    assert places("Moor and Moor", *["Moor"] * 100) == ["Moor", "Moor"]
