from __future__ import annotations

import pytest

from service.core.documents import normalise
from service.core.requirements.kinds import MAX_REQUIREMENTS, MAX_TEXT, Requirement
from service.core.requirements.posting import requirements_of


def _only(text: str) -> Requirement:
    (found,) = requirements_of(normalise(text))
    return found


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("Current RN license required.", "licence", ("registered nurse",)),
        ("Must hold a valid Class A CDL with a clean record.", "licence", ("commercial driver, class A",)),
        ("Full UK driving licence.", "licence", ("driving licence",)),
        ("Admitted to the bar of New York.", "licence", ("bar admission",)),
        ("CPA or CMA required.", None, ("certified public accountant",)),
        ("Must be registered with the NMC.", "licence", ("registered nurse",)),
        ("LCSW or LPC license.", "licence", ("social worker", "counsellor")),
        ("CISSP, CISM or CISA certification.", "certification", ("CISSP", "CISM", "CISA")),
        ("PRINCE2 practitioner.", "certification", ("PRINCE2",)),
        ("Fluent in Spanish.", "language", ("spanish",)),
        ("Excellent written and spoken German or French.", "language", ("german", "french")),
        ("State licensure as required by law is required.", "licence", ()),
    ],
)
def test_licences_certifications_and_languages_are_named(
    text: str, kind: str | None, names: tuple[str, ...]
) -> None:
    found = requirements_of(text)[0]
    assert kind is None or found.kind == kind
    assert (found.names, found.required) == (names, True)


@pytest.mark.parametrize(
    ("text", "level", "fields"),
    [
        ("High school diploma or GED required.", 1, ()),
        ("HND or Associate's degree in electronics.", 2, ("electronics",)),
        ("BSc in chemistry or a related subject.", 3, ("chemistry",)),
        ("BA/BS degree required.", 3, ()),
        ("Bachelor's or Master's degree in Accounting.", 3, ("accounting",)),
        ("Master's degree in social work required.", 4, ("social",)),
        ("PhD in statistics.", 5, ("statistics",)),
        ("A degree in law.", 3, ("law",)),
    ],
)
def test_degrees_have_a_level_and_a_field(text: str, level: int, fields: tuple[str, ...]) -> None:
    found = _only(text)
    assert (found.kind, found.level, found.fields) == ("degree", level, fields)


@pytest.mark.parametrize(
    ("text", "years", "subject"),
    [
        ("3-5 years of experience required.", 3, ()),
        ("5+ yrs' experience in payroll.", 5, ("payroll",)),
        ("At least two years of sales experience.", 2, ("sales",)),
        ("Minimum of five (5) years of welding experience.", 5, ("welding",)),
        ("Experience: minimum 10 years.", 10, ()),
        ("Six months of experience in retail.", 0.5, ("retail",)),
        ("Four years of relevant experience.", 4, ("related",)),
    ],
)
def test_years_are_the_fewest_that_are_asked_for(text: str, years: float, subject: tuple[str, ...]) -> None:
    found = [one for one in requirements_of(text) if one.kind == "years"]
    assert [(one.years, one.subject) for one in found] == [(years, subject)]


@pytest.mark.parametrize(
    "text",
    [
        "Must be at least 18 years of age.",
        "No more than 3 years of experience.",
        "0-2 years of experience.",
        "For over 20 years we have built ships.",
        "A 4 year contract with experience of the site.",
        "Teach first aid and CPR to new colleagues.",
        "Work with registered nurses and report to the CPA firm.",
        "Duties include meeting clients who speak to us.",
        "RN, LPN, CNA, nurse, nursing, hospital, clinic, ward, care, caregiver, aide, med tech, CMA, home care, hospice, BSN",
    ],
)
def test_what_is_no_requirement_is_left_alone(text: str) -> None:
    assert requirements_of(text) == ()


@pytest.mark.parametrize(
    ("text", "required"),
    [
        ("PMP preferred.", [False]),
        ("A PMP is a plus.", [False]),
        ("PMP desirable but not essential.", [False]),
        ("Bachelor's degree required, Master's degree preferred.", [True, False]),
        ("Bachelor's degree (PMP preferred).", [True, False]),
        ("Must have a PMP; CISSP would be nice to have.", [True, False]),
        ("Preferred Qualifications:\nPMP\nCISSP", [False, False]),
        ("Preferred Qualifications:\nPMP\nRequirements:\nCISSP", [False, True]),
        ("Nice to have: PMP", [False]),
        ("Ideally a bachelor's degree.", [False]),
    ],
)
def test_required_is_told_from_preferred(text: str, required: list[bool]) -> None:
    assert [one.required for one in requirements_of(text)] == required


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("You must have the right to work in the UK.", "right_to_work"),
        ("U.S. citizenship is required.", "right_to_work"),
        ("Active Secret clearance.", "right_to_work"),
        ("We will not sponsor visas.", "right_to_work"),
        ("Ability to work nights and weekends.", "shift"),
        ("Shared on-call rota.", "shift"),
        ("Part-time role.", "shift"),
        ("Travel up to 50 % of the time.", "place"),
        ("Must be willing to relocate.", "place"),
        ("Fully remote position.", "place"),
        ("Must live within 20 miles of Leeds.", "place"),
    ],
)
def test_facts_that_resumes_do_not_tell_are_listed(text: str, kind: str) -> None:
    assert [one.kind for one in requirements_of(text)] == [kind]


@pytest.mark.parametrize(
    "text", ["Bachelor's degree or equivalent experience.", "Able to obtain a guard card within 90 days."]
)
def test_something_else_may_do(text: str) -> None:
    assert [one.lenient for one in requirements_of(text)] == [True]


def test_the_higher_of_two_degrees_is_not_insisted_on() -> None:
    found = requirements_of("Master's degree and one year.\nOr a bachelor's degree and five.")
    assert [(one.level, one.lenient) for one in found if one.kind == "degree"] == [(4, True), (3, False)]


def test_whether_a_language_is_native_is_not_read() -> None:
    found = _only("Native English speaker required.")
    assert (found.names, found.text) == (("english",), "English speaker required.")


def test_boilerplate_holds_no_requirement() -> None:
    text = (
        "Weld hulls of ships, read drawings and order what is missing in the stores of the yard.\n"
        "Benefits:\nPaid training for a PMP\nWe are an equal opportunity employer of CPA and RN alike."
    )
    assert requirements_of(text) == ()


def test_a_fact_is_listed_once_and_texts_are_short() -> None:
    long = "PMP " + "and very many other words " * 40
    (found,) = requirements_of(f"PMP required.\nPMP\n{long}")
    assert found.text == "PMP required."
    assert len(_only(long).text) <= MAX_TEXT
    many = "\n".join(f"{n} years of experience in trade{n}." for n in range(1, 20)) * 3
    assert len(requirements_of(many)) <= MAX_REQUIREMENTS


def test_a_requirement_says_where_it_stands() -> None:
    text = "We need you.\nPMP required."
    found = _only(text)
    assert text[found.start : found.start + len(found.text)] == found.text
