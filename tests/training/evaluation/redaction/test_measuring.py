from __future__ import annotations

import pytest

from service.core.errors import InputError
from service.core.redaction.redactor import Redactor
from service.core.redaction.spans import Span
from tests.training.evaluation.redaction.resumes import ENGINEER, NURSE, annotated
from training.evaluation.redaction.labels import LabelTable
from training.evaluation.redaction.measuring import MeasuredResume, measure

TABLE = LabelTable.with_options()


def measured(redactor: Redactor | None = None, **options: list[str]) -> MeasuredResume:
    return measure(NURSE, redactor or Redactor(), LabelTable.with_options(**options))


def test_clues_are_hidden_and_what_must_stay_is_not() -> None:
    found = measured()
    assert [(c.category, c.whole, c.touched) for c in found.found] == [
        ("name", True, True),
        ("email", True, True),
        ("school", True, True),
        ("graduation_year", True, True),
    ]
    assert (found.words.total(), found.lost.total(), found.misses) == (5, 0, [])
    assert found.touching == {"name": 1, "email": 1, "school": 1, "graduation_year": 1}


def test_what_is_left_is_counted_by_characters() -> None:
    found = measured(Redactor(["email"]), hide=["Skills=school", "Companies worked at=email"])
    clues = {clue.text: (clue.characters, clue.hidden) for clue in found.found}
    assert clues["Keisha Robinson"] == (14, 0)
    assert clues["keisha@example.org"] == (16, 16)  # without "@" and "."
    assert clues["wound care"] == (9, 0)
    left = [(miss.kind, miss.label, miss.text) for miss in found.misses]
    assert ("left", "Name", "Keisha Robinson") in left
    assert all(miss.text in miss.context for miss in found.misses)


def test_a_clue_hidden_by_another_category_is_hidden_but_not_as_its_own() -> None:
    found = measured(hide=["College Name=affinity"])
    school = next(clue for clue in found.found if clue.category == "affinity")
    assert school.whole
    assert not school.touched
    assert found.touching["affinity"] == 0


def test_words_that_must_stay_are_counted_by_label_and_taker() -> None:
    found = measured(keep=["Name", "College Name"])
    assert found.lost == {"Name": 2, "College Name": 2}
    assert found.taken == {"name": 2, "school": 2}
    assert {(miss.kind, miss.category) for miss in found.misses} == {("lost", "name"), ("lost", "school")}


def test_words_inside_a_clue_or_a_label_that_is_neither_are_not_lost() -> None:
    found = measure(ENGINEER, Redactor(), TABLE)
    assert found.words == {
        "Tech Tools": 1,
        "Companies worked at": 1,
    }  # "Works": "Northfield" is a location too


def test_places_are_those_of_the_normalised_text() -> None:
    raw = annotated(
        "odd",
        "\u200bKeisha\u00a0Robinson\r\n\r\n\r\n\r\nO\ufb03ce clerk\r\nwound care\r\n",
        ("Name", "Keisha\u00a0Robinson"),
        ("Skills", "wound care"),
        ("Skills", "\u00a0"),
    )
    found = measure(raw, Redactor(), TABLE)
    assert [(clue.text, clue.whole) for clue in found.found] == [("Keisha Robinson", True)]
    assert found.kept == [(found.text.index("wound"), len(found.text))]
    assert found.vanished == 1


def test_the_annotation_hides_exactly_its_clues() -> None:
    found = measured(ignore=["Email Address"])
    hidden = found.hidden_by_annotation([])
    assert hidden.startswith("[NAME]\nkeisha@example.org\n\nExperience")
    assert hidden.endswith("BSc Nursing, [SCHOOL], [YEAR]")
    start = found.text.index("keisha@")
    also = found.hidden_by_annotation([Span(start, start + 18, "email", "[EMAIL]")])
    assert also.startswith("[NAME]\n[EMAIL]\n\nExperience")


def test_an_unreadable_resume_raises() -> None:
    with pytest.raises(InputError):
        measure(annotated("empty", " \n"), Redactor(), TABLE)


def test_warnings_are_those_of_the_service() -> None:
    work = "Dressed wounds on a ward of thirty beds, trained new nurses and kept the charts of every shift.\n"
    assert measure(annotated("long", NURSE.text + work), Redactor(), TABLE).warnings == []
    plain = annotated("plain", "Welding and forklift driving.\n\nSkills\nwelding, forklift\n")
    assert measure(plain, Redactor(), TABLE).warnings == ["no_name_found", "little_text"]
