"""Where names stand in forms, footers, letters and lists of authors, and firms and tools beside them."""

from __future__ import annotations

import pytest

from service.core.documents import normalise
from service.core.redaction.redactor import Redactor

_END = "\n\nExperience\nClerk, Northfield, 2014 - 2019\n\nSkills\nExcel, stock control"


def _redacted(text: str) -> str:
    return Redactor().redact(normalise(text)).text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("PROFILE\nA careful clerk.\n\nPesha Quarvel | Page 1 of 2" + _END, "Pesha Quarvel"),
        ("PROFILE\nA careful clerk.\n\nPage 2 of 3 - Pesha van 't Quarvel" + _END, "Pesha Quarvel"),
        ("PROFILE\nA clerk.\n\nPesha Quarvel · Résumé · 1" + _END + "\n\nPesha Quarvel · Résumé · 2", "Pesha Quarvel"),
        ("PROFILE\nA clerk.\n\nMere Tuvai | Page 1" + _END + "\n\nMere Tuvai | Page 2", "Mere Tuvai"),
        ("Personal information\nFirst name(s) / Surname(s)  Pesha Quarvel\nAddress  Leeds" + _END, "Pesha Quarvel"),
        ("Personal information\nSurname / First name\nQuarvel Pesha\nLeeds" + _END, "Pesha Quarvel"),
        ("PERSONAL INFORMATION   T. C. Vunsha\n\nLeeds" + _END, "Vunsha"),
        ("A clerk." + _END + "\n\nPage 1/2 - Curriculum vitae of Pesha Quarvel", "Pesha Quarvel"),
        ("CONTACT        Pesha Quarvel\ncontact.77@x.example" + _END, "Pesha Quarvel"),
        ("Austin, TX\n3 May 2019\n\nDear Sir,\nI apply.\n\nYours faithfully,\n\nPesha Quarvel", "Pesha Quarvel"),
        ("Vunsha S C\nx9@mail.example" + _END + "\n\n(Vunsha S C)", "Vunsha S C"),
        ("Wouter in 't Quarvel\nx9@mail.example" + _END, "Wouter Quarvel"),
        ("Profile\nPesha Samba is a careful worker with ten years in shops." + _END, "Pesha Samba"),
        ("Hello, I am Pesha Samba, and I have worked in shops." + _END, "Pesha Samba"),
    ],
)  # fmt: skip
def test_names_in_forms_and_footers_are_hidden(text: str, hidden: str) -> None:
    words = {word.strip("().,'") for word in _redacted(text).replace("[NAME]", " ").split()}
    assert not set(hidden.split()) & words


@pytest.mark.parametrize(
    "firm",
    [
        "Hong Leong Bank",
        "Larsen & Toubro",
        "Kumar Textiles",
        "Anand Rathi",
        "Gomez Logistics",
        "Murphy Holdings",
    ],
)
@pytest.mark.parametrize(
    "layout", ["{n}\n{f}\n+1 415 555 0132", "{n}\nPayroll officer\n{f}\nLeeds", "{n} | {f} | Leeds"]
)
def test_a_firm_in_the_header_is_not_taken_for_the_name_above_it(layout: str, firm: str) -> None:
    result = _redacted(layout.format(n="Uvo Ncubal", f=firm) + _END)
    assert result.startswith("[NAME]")
    assert "Ncubal" not in result
    assert firm in result


@pytest.mark.parametrize(
    ("text", "hidden", "kept"),
    [
        (
            "Shona Cash\nx9@mail.example\n\nPublications\nCash S., Doe P. (2018) Soil.\nDoe P. and Cash, S. (2017) Water. Cash flows.",
            ["Cash S.", "Cash, S."],
            ["Cash flows"],
        ),
        (
            'Loan Vunsha\nx9@mail.example\n\nRecommendations\n"I worked with Loan for three years. I would hire Loan again."',
            ["with Loan", "hire Loan"],
            [],
        ),
        ("Ofer Ben-Ami\nx9@mail.example\n\nTalks\nDoe P. and Ben-Ami, O. (2017)", ["Ben", "Ami"], ["Doe P."]),
        ("Loan Vunsha\nx9@mail.example\n\nSkills\nworked with Loan systems", [], ["Loan systems"]),
    ],
)
def test_a_name_that_is_a_word_too_is_hidden_where_it_is_the_persons(
    text: str, hidden: list[str], kept: list[str]
) -> None:
    result = _redacted(text)
    assert not [part for part in hidden if part in result]
    assert all(part in result for part in kept)


@pytest.mark.parametrize(
    "text",
    [
        "Windows, Ms. OfficeEducation and Ms. Excel",
        "Junior college\nS.S.C Vidya Bhawan   State board\nClerk",
        "Java work.\n\nSockets, JFC/Swing, Java Beans, Applets",
        "Size 14-16     Font Styles:  Times New Roman",
        "A visit to BHARAT SANCHAR NIGAM  LIMITED, Pune",
        "In: Handbook of soil. New York: Marcel Dekker, 2010",
        "Experience\nProgress Energy / Gordon Hulbert Distinguished Professor of Marketing",
        "Annual Report | Page 2",
        "See the attachment CV.pdf or my_resume_v2.docx",
    ],
)
def test_what_is_written_like_a_name_stays(text: str) -> None:
    assert "[NAME]" not in _redacted(text)


def test_a_sample_resume_in_the_middle_of_a_text_has_an_owner() -> None:
    text = "How to write one of these is told at length in this guide of ours, " * 14 + "see below."
    result = Redactor().redact(f"{text}   Harriet Schmitt   21 Elm Street, Leeds   0161 496 0132")
    assert "Schmitt" not in result.text
    assert (result.has_own_name, result.other_people) == (True, 0)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Pesha Dong Truck Driver peshadong@x.example", "[NAME] Truck Driver [EMAIL]"),
        ("Pesha Dong Truck Driver pesha.dong@x.example", "[NAME] Truck Driver [EMAIL]"),
        ("Pesha Dong Sr. Oracle DBA pesha.dong@x.example", "[NAME] Sr. Oracle DBA [EMAIL]"),
        ("Pesha Dong Baker pesha.dong@x.example", "[NAME] [EMAIL]"),  # a surname too
        ("pesha dong peshadong@x.example", "[NAME] [EMAIL]"),
    ],
)
def test_a_name_in_one_line_with_a_post_ends_where_the_address_says(header: str, expected: str) -> None:
    text = _redacted(f"{header} +1 415 555 0132 Experience Truck Driver, Northfield, 2014 - 2019")
    assert text == f"{expected} [PHONE] Experience Truck Driver, Northfield, 2014 - 2019"
