from __future__ import annotations

from datetime import date

import pytest

from service.core.documents import normalise
from service.core.passages import PassagePolicy, split_passages
from service.core.requirements.employment import employment_in
from service.core.requirements.listing import list_requirements, read_requirements, reason_of
from service.core.requirements.resume import passages_of
from service.core.requirements.wording import small_letters

TODAY = date(2024, 6, 15)


def _found(posting: str, resume: str) -> list[str]:
    return [one.found for one in list_requirements(read_requirements(posting), resume, [resume], TODAY)]


@pytest.mark.parametrize(
    ("posting", "resume", "found"),
    [
        ("RN license required.", "Registered nurse on a ward.", "yes"),
        ("RN license required.", "Care assistant.", "unknown"),
        ("RN license required.", "Care assistant\nLicenses\nCNA, State of Texas", "no"),
        ("RN license required.", "Licenses\nCNA; pursuing RN", "unknown"),
        ("LPN license required.", "Licenses\nRN, State of Texas", "yes"),
        ("Valid driver's license.", "Licenses\nRN, State of Texas", "unknown"),
        ("PMP required.", "Certifications: CISSP, ITIL", "no"),
        ("PMP or equivalent required.", "Certifications: CISSP", "unknown"),
        ("PMP required.", "Certifications: CISSP, PMP (in progress)", "unknown"),
        ("Bachelor's degree required.", "BSc Physics, [SCHOOL]", "yes"),
        ("Bachelor's degree required.", "Education\nAssociate degree in welding", "no"),
        ("Bachelor's degree required.", "Education\nHigh school diploma; pursuing a BSc", "unknown"),
        ("Bachelor's degree required.", "Education\nCivil engineering, [SCHOOL]\nHSC, [SCHOOL]", "unknown"),
        ("Bachelor's degree required.", "Welder since I was young.", "unknown"),
        ("Bachelor's degree or equivalent.", "Education\nHigh school diploma", "unknown"),
        ("Bachelor's degree in accounting.", "BSc in physics", "unknown"),
        ("Bachelor's degree in accounting.", "BSc in accountancy", "yes"),
        ("High school diploma required.", "MBA, [SCHOOL]", "yes"),
        ("Fluent in Spanish.", "Languages\nEnglish, Spanish (fluent)", "yes"),
        ("Fluent in Spanish.", "Languages\nEnglish, French", "no"),
        ("Fluent in Spanish.", "Languages: Python, Java", "unknown"),
        ("Fluent in Spanish.", "Taught history.", "unknown"),
        ("Fluent English.", "Languages\nSpanish, French", "unknown"),
        ("Five years of experience required.", "Nurse, Jan 2015 - Present", "yes"),
        ("Five years of experience required.", "Nurse, Jan 2022 - Present", "no"),
        ("Five years of payroll experience.", "Clerk, Jan 2010 - Present", "unknown"),
        ("Five years of payroll experience.", "Six years of experience in payroll.", "yes"),
        ("Five years of payroll experience.", "Clerk, Jan 2022 - Present", "no"),
        ("Five years of experience required.", "Nurse.", "unknown"),
        ("Must have the right to work in the UK.", "Right to work: none. Visa expired.", "unknown"),
        ("Ability to work night shifts.", "I never work at night.", "unknown"),
        ("Must be willing to relocate.", "I will not move.", "unknown"),
    ],
)  # fmt: skip
def test_what_a_resume_says(posting: str, resume: str, found: str) -> None:
    assert _found(posting, normalise(resume)) == [found]


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("Clerk, Jan 2020 - Dec 2021", 2.0, 4.5),
        ("Clerk, 01/2020 – 12/2021", 2.0, 4.5),
        ("Clerk, Jan 2020 - Dec 2021\nCashier, Jan 2021 - Dec 2022", 3.0, 4.5),
        ("Clerk, 2020 - 2022", 2.0, 4.5),
        ("Clerk since March 2024", 4 / 12, 4 / 12),
        ("Clerk, June 2023 to date", 13 / 12, 13 / 12),
        ("Education\nBSc, 2010 - 2014\nExperience\nClerk, Jan 2024 - present", 0.5, 0.5),
        ("MBA, [SCHOOL], 2010 - 2014", 0.0, 0.0),
        ("Experience\nClerk, 2030 - 2035", 0.0, 0.0),
    ],
)
def test_years_are_counted_from_periods_of_work(text: str, least: float, most: float) -> None:
    work = employment_in(text, small_letters(text), TODAY)
    assert [work.least, work.most] == pytest.approx([least, most])


def test_a_gap_speaks_against_nobody() -> None:
    resume = "Clerk, Jan 2014 - Dec 2015\nClerk, Jan 2023 - present"
    assert _found("Five years of experience required.", resume) == ["unknown"]


def test_only_a_required_fact_that_is_missing_is_a_reason() -> None:
    resume = "Education\nHigh school diploma"

    def reason(posting: str, *kinds: str) -> str | None:
        listed = list_requirements(read_requirements(posting), resume, [resume], TODAY)
        return reason_of(listed, kinds)  # type: ignore[arg-type]

    assert reason("Bachelor's degree required.", "degree") == "requirement_not_found"
    assert reason("Bachelor's degree required.", "licence", "years") is None
    assert reason("Bachelor's degree preferred.", "degree") is None
    assert reason("RN license required.", "licence") is None


def test_where_names_the_passages_that_say_so() -> None:
    resume = (
        "Jane\n\n• Nurse on a ward for many happy years.\n\n* Registered nurse (RN), Texas.\n\nRN since then."
    )
    passages = split_passages(resume, PassagePolicy(words=8, layout=True))
    (one,) = list_requirements(read_requirements("RN license required."), resume, passages, TODAY)

    assert [passages[i] for i in one.where] == ["Registered nurse (RN), Texas.", "RN since then."]


def test_passages_of_another_text_are_none() -> None:
    assert passages_of([(0, 3)], "PMP", ["CISSP"]) == ()
