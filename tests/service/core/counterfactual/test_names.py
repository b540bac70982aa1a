from __future__ import annotations

import pytest

from service.core.counterfactual.names import NameSlots, PersonName, find_name_slots
from service.core.documents import normalise
from service.core.redaction.redactor import Redactor
from tests.support.resume_corpus import samples

REDACTOR = Redactor()
NEW = PersonName("Lakisha", "Washington")


def slots_of(text: str) -> NameSlots:
    clean = normalise(text)
    return find_name_slots(clean, REDACTOR.analyse(clean))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Emily Walsh\nEmily leads. Ms. Walsh's team.",
            "Lakisha Washington\nLakisha leads. Ms. Washington's team.",
        ),
        ("EMILY WALSH\nCook", "LAKISHA WASHINGTON\nCook"),
        ("emily walsh\nemily.walsh@x.org", "lakisha washington\nlakisha.washington@x.org"),
        ("Walsh, Emily\nCook", "Washington, Lakisha\nCook"),
        ("E. Walsh\nCook\newalsh@x.org", "L. Washington\nCook\nlwashington@x.org"),
        ("Emily Walsh\nemily_walsh_cv.pdf", "Lakisha Washington\nlakisha_washington_cv.pdf"),
        (
            "Emily Walsh\nlinkedin.com/in/emily-walsh",
            "Lakisha Washington\nlinkedin.com/in/lakisha-washington",
        ),
        ("Emily Walsh-Jones\nemily.walshjones@x.org", "Lakisha Washington\nlakisha.washington@x.org"),
        ("Emily Walsh\ncook99@x.org", "Lakisha Washington\ncook99@x.org"),
        ("# **Emily Walsh**", "# **Lakisha Washington**"),
        ("\\name{Emily}{Walsh}", "\\name{Lakisha}{Washington}"),
        ("First name: Emily\nLast name: Walsh", "First name: Lakisha\nLast name: Washington"),
    ],
)
def test_a_name_is_exchanged_in_the_form_in_which_it_stands(text: str, expected: str) -> None:
    assert slots_of(text).with_name(NEW) == expected


def test_the_names_of_others_stay() -> None:
    text = "Emily Walsh\n\nSummary\nCook.\n\nReferences\nKofi Mensah, Head Chef"
    assert slots_of(text).with_name(NEW) == text.replace("Emily Walsh", "Lakisha Washington")


def test_a_resume_without_a_name_gets_one_on_top() -> None:
    slots = slots_of("Summary\nTwelve years of payroll processing.")
    assert slots.placed
    assert slots.with_name(NEW) == "Lakisha Washington\nSummary\nTwelve years of payroll processing."


def test_a_name_that_is_in_the_text_already_clashes() -> None:
    slots = slots_of("Emily Walsh\nWorked in Washington.")
    assert slots.clashes_with(NEW)
    assert not slots.clashes_with(PersonName("Jamal", "Booker"))


def test_swapping_and_swapping_back_restores() -> None:
    checked = 0
    for sample in samples(120, 31):
        given, surname = sample.names[0].split(" ", 1)
        if not sample.group.count(":") or "-" in surname:
            continue  # names of two plain words: what is put in is what was there
        slots = slots_of(sample.text)
        if slots.clashes_with(NEW):
            continue
        there = slots.with_name(NEW)
        back = slots_of(there).with_name(PersonName(given, surname))
        assert back == sample.text, sample.layout
        checked += 1
    assert checked >= 15


@pytest.mark.slow
def test_a_swap_vanishes_under_redaction() -> None:
    for sample in samples(90, 32):
        slots = slots_of(sample.text)
        if slots.placed:
            continue
        swapped = [slots.with_name(PersonName(given, "Booker")) for given in ("Lakisha", "Emily", "Jamal")]
        assert len({REDACTOR.redact(text).text for text in swapped}) == 1, sample.layout
