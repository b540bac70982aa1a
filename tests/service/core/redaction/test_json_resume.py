"""Resumes as JSON: what is hidden by its place, what stays, and what the model reads."""

from __future__ import annotations

import json

import pytest

from service.core.documents import normalise
from service.core.redaction.json_resume import plain_text
from service.core.redaction.json_values import read_values
from service.core.redaction.redactor import Redactor

REDACTOR = Redactor()
RESUME = {
    "$schema": "https://schema.example/resume.json",
    "basics": {
        "name": "Odalys Ferreira-Nakano",
        "label": "Backend engineer",
        "image": "https://pictures.example/odalys.jpg",
        "email": "odalys@mail.example",
        "phone": 46701234567,
        "url": "https://odalys.example",
        "summary": 'Odalys builds "fast" services.\nShe likes Go.',
        "birthDate": "1988-03-02",
        "nationality": "Brazilian",
        "location": {"address": "12 Oak Road", "postalCode": 41138, "city": "Recife", "countryCode": "BR"},
        "profiles": [{"network": "GitHub", "username": "odfn", "url": "https://github.com/odfn"}],
    },
    "work": [
        {
            "name": "Bosch Institute Works",
            "position": "Salesman",
            "startDate": "2019-04-01",
            "endDate": "2022-01-01",
            "highlights": ["Moved Bosch Rexroth to Kubernetes", "Led five people"],
        },
        {"name": "Ferreira Consulting", "position": "Engineer"},
    ],
    "education": [
        {
            "institution": "ENSTA",
            "area": "Computer Science",
            "studyType": "Master",
            "startDate": "2006-09-01",
            "endDate": 2011,
            "courses": ["Databases"],
        }
    ],
    "awards": [{"title": "Best paper", "date": "2014-11-01", "awarder": "University of Oslo"}],
    "skills": [{"name": "Passport", "keywords": ["Node.js", "Jenkins"]}, {"name": "Postman"}],
    "interests": [{"name": "Chess", "keywords": ["Capablanca"]}],
    "references": [{"name": "Erin Lindholm", "reference": "Odalys is kind. I trust her."}],
    "projects": [{"name": "Miss Direction", "description": "Maps", "startDate": "2016-08-24"}],
}


def redacted(text: str) -> str:
    return REDACTOR.redact(normalise(text)).text


@pytest.mark.parametrize("written", [json.dumps(RESUME), json.dumps(RESUME, indent=2, ensure_ascii=False)])
def test_a_resume_of_the_schema_is_hidden_by_its_places_and_stays_json(written: str) -> None:
    output = redacted(written)
    read = json.loads(output)
    assert read["basics"] == {
        "name": "[NAME]",
        "label": "Backend engineer",
        "image": "[PHOTO]",
        "email": "[EMAIL]",
        "phone": "[PHONE]",
        "url": "[LINK]",
        "summary": '[NAME] builds "fast" services.\n[PRONOUN] likes Go.',
        "birthDate": "[AGE]",
        "nationality": "[ORIGIN]",
        "location": dict.fromkeys(("address", "postalCode", "city", "countryCode"), "[ADDRESS]"),
        "profiles": [{"network": "GitHub", "username": "[LINK]", "url": "[LINK]"}],
    }
    assert read["work"][0] == RESUME["work"][0] | {"position": "Salesperson"}  # type: ignore[index]
    assert read["work"][1]["name"] == "[NAME] Consulting"
    assert read["education"][0]["institution"] == "[SCHOOL]"
    assert (read["education"][0]["startDate"], read["education"][0]["endDate"]) == ("[YEAR]", "[YEAR]")
    assert read["education"][0]["area"] == "Computer Science"
    assert read["awards"] == [{"title": "Best paper", "date": "2014-11-01", "awarder": "[SCHOOL]"}]
    for untouched in ("$schema", "skills", "interests", "projects"):
        assert read[untouched] == RESUME[untouched]
    assert read["references"] == [{"name": "[NAME]", "reference": "[NAME] is kind. I trust [PRONOUN]."}]
    assert redacted(output) == output


def test_the_candidate_and_the_counts_are_known() -> None:
    result = REDACTOR.redact(json.dumps(RESUME))
    assert result.has_own_name
    assert result.counts["school"] == 2
    assert [json.dumps(RESUME)[s.start : s.end] for s in result.spans if s.category == "phone"] == [
        "46701234567"
    ]


def test_only_the_categories_asked_for_are_hidden() -> None:
    output = json.loads(Redactor(["email"]).redact(json.dumps(RESUME)).text)
    assert output["basics"]["email"] == "[EMAIL]"
    assert output["education"] == RESUME["education"]


def test_escapes_are_read_and_kept_whole() -> None:
    text = json.dumps(
        {"basics": {"name": "Jürgen Ödegård", "summary": "Jürgen\tÖdegård\n\u2013 he ran ops 🚀"}}
    )
    output = redacted(text)
    assert json.loads(output)["basics"] == {
        "name": "[NAME]",
        "summary": "[NAME]\t[NAME]\n– [PRONOUN] ran ops 🚀",
    }


def test_a_resume_that_is_cut_off_is_read_to_its_end() -> None:
    text = json.dumps(RESUME)
    cut = text[: text.index("Consulting")]
    output = redacted(cut)
    for hidden in ("Odalys", "Ferreira", "odfn", "41138", "Recife"):
        assert hidden not in output
    assert '"name": "Bosch Institute Works"' in output


@pytest.mark.parametrize(
    "text",
    [
        "{'basics': {'name': 'Odalys Nakano'}, 'skills': [{'name': 'Terraform'}]}",
        '{"basics": {"name": "Odalys Nakano",}, "skills": [{"name": "Terraform"},]}',
        '{"basics": {"name": "Odalys "Oda" Nakano"}, "skills": [{"name": "Terraform"}]}',
        '{"basics": {"name": "Odalys Nakano"}}, "skills": [{"name": "Terraform"}]]}',
        '```json\n{"basics": {"name": "Odalys Nakano"}, "skills": [{"name": "Terraform"}]}\n```',
    ],
)
def test_what_is_not_quite_json_is_read_all_the_same(text: str) -> None:
    output = redacted(text)
    assert "Nakano" not in output
    assert "Odalys" not in output
    assert "Terraform" in output


@pytest.mark.parametrize(
    ("value", "hidden", "kept"),
    [
        ({"candidate": {"name": "Odalys Nakano"}, "employer": {"name": "Quill Payments"}}, ["Nakano"], ["Quill Payments"]),
        ({"firstName": "Odalys", "lastName": "Nakano", "skills": ["Go", "Terraform"]}, ["Odalys", "Nakano"], ["Go", "Terraform"]),
        ({"personal_info": {"full_name": "Odalys Nakano", "maritalStatus": "Married", "age": 34}}, ["Nakano", "Married", "34"], []),
        ({"name": "Odalys Nakano", "projects": [{"name": "Grace Pipeline"}]}, ["Nakano"], ["Grace Pipeline"]),
        ({"Candidate": {"PersonName": {"GivenName": "Odalys", "FamilyName": "Nakano"}}}, ["Odalys", "Nakano"], []),
        ({"applicant": {"name": "Odalys Nakano", "address": {"street": "4 Elm", "city": "Malmo"}}}, ["Nakano", "4 Elm", "Malmo"], []),
        ({"contact": {"name": "Odalys Nakano"}, "education": [{"school": "ENSTA", "degree": "MSc"}]}, ["Nakano", "ENSTA"], ["MSc"]),
        ([{"name": "Python"}, {"name": "Terraform"}], [], ["Python", "Terraform"]),
        ({"company": {"name": "Jenkins Partners"}, "tools": [{"name": "Ansible"}]}, [], ["Jenkins Partners", "Ansible"]),
        ({"name": "resume-builder", "version": "1.2.0", "scripts": {"test": "jest"}}, [], ["resume-builder", "jest"]),
    ],
)  # fmt: skip
def test_other_json_is_read_by_its_keys(value: object, hidden: list[str], kept: list[str]) -> None:
    output = redacted(json.dumps(value))
    json.loads(output)
    assert [word for word in hidden if word in output] == []
    assert [word for word in kept if word not in output] == []


@pytest.mark.parametrize(
    "text", ["{", "[", '{"a":', "{}", "[]", '{"a": }', "[NAME]\nCook", "{\\Huge Odalys}", '"a": "b"']
)
def test_what_holds_no_values_is_text(text: str) -> None:
    assert plain_text(text) == text
    assert redacted(text).strip() == redacted(f" {text}").strip()


def test_a_resume_is_scored_as_a_plain_one() -> None:
    assert plain_text(redacted(json.dumps(RESUME))) == (
        "[NAME]\nBackend engineer\n[EMAIL]\n[PHONE]\n[LINK]\n[ADDRESS], [ADDRESS], [ADDRESS], [ADDRESS]\n[PHOTO]\n"
        '[NAME] builds "fast" services.\n[PRONOUN] likes Go.\n[AGE]\n[ORIGIN]\nGitHub, [LINK], [LINK]\n\n'
        "Experience\nSalesperson\nBosch Institute Works\n2019-04-01 - 2022-01-01\nMoved Bosch Rexroth to Kubernetes\n"
        "Led five people\n\nEngineer\n[NAME] Consulting\n\n"
        "Education\nMaster, Computer Science\n[SCHOOL]\n[YEAR] - [YEAR]\nDatabases\n\n"
        "Awards\nBest paper, [SCHOOL]\n2014-11-01\n\n"
        "Skills\nPassport, Node.js, Jenkins\nPostman\n\nInterests\nChess, Capablanca\n\n"
        "References\n[NAME]\n[NAME] is kind. I trust [PRONOUN].\n\nProjects\nMiss Direction\n2016-08-24\nMaps"
    )  # fmt: skip


def test_other_texts_are_scored_as_they_are() -> None:
    text = "Odalys Nakano\n\nSkills\nGo"
    assert plain_text(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('{"name": "Odalys"}', "Odalys"),
        ('["a", "b"]', "a\nb"),
        ('{"work": [], "x": 1}', "1"),
        ('{"text": "Cook\\n\\nSkills\\nSoups", "source": null}', "Cook\n\nSkills\nSoups"),
    ],
)
def test_other_json_is_scored_by_its_values(text: str, plain: str) -> None:
    assert plain_text(text) == plain


def test_values_have_paths_and_places() -> None:
    text = '{"a": [{"b": "x"}, {"b": 12.5}], "c": true, "d": "y'
    values, keys, end = read_values(text)
    assert [(v.path, v.items, text[v.start : v.end], v.quoted) for v in values] == [
        (("a", "b"), (0,), "x", True),
        (("a", "b"), (1,), "12.5", False),
        (("d",), (), "y", True),
    ]
    assert keys == ["a", "c", "d"]
    assert end == len(text)


def test_text_that_follows_json_is_read_as_text() -> None:
    text = '{"basics": {"name": "Odalys Nakano"}}\n\nExperience\nCook, Quill {"x": "Erin"} Foods\nOdalys cooks. "[SCHOOL]"'
    assert redacted(text) == text.replace("Odalys Nakano", "[NAME]").replace("Odalys", "[NAME]")
    assert plain_text(text) == "Odalys Nakano\n\n\nExperience" + text.split("Experience")[1]
