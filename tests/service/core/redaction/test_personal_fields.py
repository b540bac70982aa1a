"""Personal fields in every place where resumes put them, and words that look like fields and are work."""

from __future__ import annotations

import pytest

from service.core.documents import normalise
from service.core.redaction.redactor import Redactor

REDACTOR = Redactor()
HEAD = "Erin Lindholm\nerin@mail.example\n\nExperience\nAcme\n"


def redacted(text: str) -> str:
    """`text` below a short resume, redacted."""
    output = REDACTOR.redact(normalise(HEAD + text)).text
    start = "[NAME]\n[EMAIL]\n\nExperience\nAcme\n"
    assert output.startswith(start)
    return output[len(start) :]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # behind a colon or a dash
        ("Date of Birth: 12.05.1987\nSex: F\nNationality: Finnish", "Date of Birth: [AGE]\nSex: [GENDER]\nNationality: [ORIGIN]"),
        ("D.O.B: June / 1979", "D.O.B: [AGE]"),
        ("Place of birth Wolgast, Pomerania\nSex F", "Place of birth [ORIGIN]\nSex [GENDER]"),
        ("Birthday: March 3rd", "Birthday: [AGE]"),
        ("Date of Birth - 23 June, 1985\nSex - Male", "Date of Birth - [AGE]\nSex - [GENDER]"),
        ("Geburtsdatum: 03.04.1989 in Ulm\nFamilienstand: ledig, keine Kinder", "Geburtsdatum: [AGE]\nFamilienstand: [FAMILY]"),
        ("Nacionalidad: Española\nEstado civil: Soltera", "Nacionalidad: [ORIGIN]\nEstado civil: [FAMILY]"),
        ("Nationalité : Française\nÉtat civil : célibataire", "Nationalité : [ORIGIN]\nÉtat civil : [FAMILY]"),
        ("国籍：中国\n出生日期：1990年1月1日", "国籍:[ORIGIN]\n出生日期:[AGE]"),
        ("Religion: Christianity\nCaste: Brahmin", "Religion: [RELIGION]\nCaste: [ORIGIN]"),
        ("Visa: H1B", "Visa: [ORIGIN]"),
        ("Passport No: Z1234567 valid until 2029", "Passport No: [IDENTITY_NUMBER]"),
        ("Date of Birth: 12 May 1990 Nationality: Indian Marital Status: Single Languages Known: English, Hindi",
         "Date of Birth: [AGE] Nationality: [ORIGIN] Marital Status: [FAMILY] Languages Known: English, Hindi"),
        ("Age: 34 years, Gender: Male, Status: Married", "Age: [AGE], Gender: [GENDER], Status: [FAMILY]"),
        # without one
        ("Gender Female | Date of birth 3 May 1990 | Nationality Polish", "Gender [GENDER] | Date of birth [AGE] | Nationality [ORIGIN]"),
        ("Sex Female Date of birth 03/05/1990 Nationality Polish", "Sex [GENDER] Date of birth [AGE] Nationality [ORIGIN]"),
        # on the next line
        ("nationality\nportuguese\ngender\nmale", "nationality\n[ORIGIN]\ngender\n[GENDER]"),
        ("Date of birth\n\n14 August 1992\n\nPlace of birth\n\nCork, Ireland", "Date of birth\n\n[AGE]\n\nPlace of birth\n\n[ORIGIN]"),
        # a column of labels, a column of values
        ("Gender:\nNationality:\nLanguages:\nFemale\nMalaysian\nMalay, English", "Gender:\nNationality:\nLanguages:\n[GENDER]\n[ORIGIN]\nMalay, English"),
        ("Driving licence:  Nationality:  Languages:    Yes  British  French, German", "Driving licence:  Nationality:  Languages:    Yes  [ORIGIN]  French, German"),
        # in words
        ("Married, two kids. British citizen. Clean record.", "[FAMILY]. [ORIGIN]. Clean record."),
        ("Canadian permanent resident. Unmarried.", "[ORIGIN]. [FAMILY]."),
        ("Lives with wife and three daughters", "[FAMILY]"),
        ("Kenya citizen", "[ORIGIN]"),
        ("Born in 1988 and raised by teachers", "Born in [AGE] and raised by teachers"),
        ("Father of two. Mother to a young son.", "[FAMILY]. [FAMILY]."),
    ],
)  # fmt: skip
def test_the_value_of_a_field_is_hidden_and_its_label_stays(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Passport.js: authentication middleware\nPassport: OAuth strategies for Express",
        "Visa: card scheme certification\nKids: toy buyer for 40 stores\nRace: simulator in Unity",
        "Children: raised funds for a hospital ward\nTribe: Payments, 40 engineers",
        "Age-related research; gender-neutral design; race-day operations; faith-based outreach in 40 schools",
        "Gender: wrote the equality policy for 30 schools",
        "Status: Single sign-on rolled out",
        "Nationality screening for airlines",
        "Work permit: processed 300 applications for clients a year",
        "Single-page applications; parent company; child process; parent to child node; married the two data sets",
        "Engaged with children and their families. Prevention of mother to child transmission. Engaged parents.",
        "Worked with two children with autism; supported single parent families",
        "Patients aged 18-65; adults over 18 years old; children under 16 years of age",
        "Raised in Series B; citizen science; naturalist; Singapore office",
        "Indian, Thai and Mexican cuisine; male and female catheters",
    ],
)
def test_work_that_reads_like_a_field_stays(text: str) -> None:
    assert redacted(text) == text


def test_a_date_of_birth_is_counted_as_age() -> None:
    result = REDACTOR.redact("Erin Lindholm\nDate of birth: 31/08/1993\nerin@mail.example\n\nSkills\nGo")
    assert result.counts == {"name": 1, "email": 1, "age": 1}


def test_words_without_a_label_need_the_personal_section_or_a_field_beside_them() -> None:
    assert "Single" in redacted("Tickets\nSingle\nReturn")
    assert redacted("Date of birth: 1 May 1990\nSingle") == "Date of birth: [AGE]\n[FAMILY]"
    assert redacted("\nPersonal details\nSingle, male") == "\nPersonal details\n[FAMILY], [GENDER]"


def test_a_header_may_list_what_a_person_is() -> None:
    text = "Erin Lindholm\nmale, married, German\nerin@mail.example\n\nSkills\nGerman, English"
    assert (
        REDACTOR.redact(text).text
        == "[NAME]\n[GENDER], [FAMILY], [ORIGIN]\n[EMAIL]\n\nSkills\nGerman, English"
    )
