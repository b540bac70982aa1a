"""Years of study go in whatever form; periods of work stay wherever they stand."""

from __future__ import annotations

import pytest

from service.core.documents import normalise
from service.core.redaction.redactor import Redactor

REDACTOR = Redactor(["school", "graduation_year"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Education\nBSc Physics, 09/2012", "Education\nBSc Physics, 09/[YEAR]"),
        ("Education\nMSc Physics '14", "Education\nMSc Physics [YEAR]"),
        ("Education\nBA History (2015 - 2018)", "Education\nBA History ([YEAR] - [YEAR])"),
        ("Education\nPhD Physics 2018-22", "Education\nPhD Physics [YEAR]-[YEAR]"),
        ("Education\n20072008\nM.Sc. Physics", "Education\n[YEAR][YEAR]\nM.Sc. Physics"),
        ("Education\nBSc Physics\n2001 - 2005\nMSc Physics\n2006", "Education\nBSc Physics\n[YEAR] - [YEAR]\nMSc Physics\n[YEAR]"),
        ("Education:   BSc Physics\n             2001 - 2005", "Education:   BSc Physics\n             [YEAR] - [YEAR]"),
        ("Summary\nBSc Physics in 2010, then ten years of sales.", "Summary\nBSc Physics in [YEAR], then ten years of sales."),
        ("Experience\nBSc, Lund University, 2009", "Experience\nBSc, [SCHOOL], [YEAR]"),
    ],
)  # fmt: skip
def test_years_of_study_are_hidden(text: str, expected: str) -> None:
    assert REDACTOR.redact(normalise(text)).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "Education\nBSc Physics\n\nPROFESSIONAL BACKGROUND\nNordfund AB\nFeb 2015 - Present\nAnalyst, 2011 - 2014",
        "EDUCATION\nMBA Finance\nSenior Manager, Nordfund AB\nMarch 2004 to May 2009\nLed a team of nine.\nAnalyst\n2002 to 2004",
        "Experience\nTaught statistics at a college, 2010 - 2014",
        "Experience\nAnalyst (2012 - 2015)\nDegree of automation raised since 2013",
    ],
)
def test_periods_of_work_stay(text: str) -> None:
    assert REDACTOR.redact(normalise(text)).text == text


def test_a_period_of_work_at_a_school_stays() -> None:
    text = "Experience\nLecturer, Makerere University, 2010 - 2014"
    assert REDACTOR.redact(text).text == "Experience\nLecturer, [SCHOOL], 2010 - 2014"
