"""Names in resumes that are not redacted: the same text is left whoever is named, and all else stays."""

from __future__ import annotations

import json

import pytest

from service.core.counterfactual.lexicons import load_groups
from service.core.documents import normalise
from service.core.redaction.redactor import Redactor
from tests.support.resume_corpus import samples

REDACTOR = Redactor().of_names_alone()
CAREER = (
    "She studied at Stanford University, class of 2012.\n\n"
    "Experience\nRegistered nurse, City Hospital, 2013 - 2019\n"
    "Led a ward of twelve. Wrote Python tools with Jenkins, Julia and Maven."
)


def without_names(text: str) -> str:
    return REDACTOR.redact(normalise(text)).text


def names() -> list[tuple[str, str]]:
    """One of each race x sex group."""
    lists = load_groups("audit")
    return [(of[0], lists.surnames[group.split(":")[0]][0]) for group, of in lists.given_names.items()]


@pytest.mark.parametrize(
    ("place", "left"),
    [
        ("{f} {s}\n{career}", "[NAME]\n{career}"),
        ("{f} {s} | {l}@mail.com | 555 0101\n{career}", "[NAME] | [EMAIL] | 555 0101\n{career}"),
        ("Curriculum vitae of {f} {s}\n{career}", "Curriculum vitae of [NAME]\n{career}"),
        ("Resume - {f} {s}\n{career}", "Resume - [NAME]\n{career}"),
        ("{f} {s}, RN\n{career}", "[NAME], RN\n{career}"),
        ("{f} {s}\nwww.{l}.com\n{career}", "[NAME]\n[LINK]\n{career}"),
        ("linkedin.com/in/{l}\n{career}", "[LINK]\n{career}"),
        ("{career}\n{f} {s} - page 2\nWrote plans.", "{career}\n[NAME] - page 2\nWrote plans."),
        ("{career}\nI, {f} {s}, hereby declare this.", "{career}\nI, [NAME], hereby declare this."),
        (
            "{career}\n\nSkills\nMaven, Kafka, Docker {f} {s} Terraform, Ansible, SQL, Java",
            "{career}\n\nSkills\nMaven, Kafka, Docker [NAME] Terraform, Ansible, SQL, Java",
        ),
        ("{career}\n{f} {s}", "{career}\n[NAME]"),
    ],
)
def test_the_same_text_is_left_whoever_is_named(place: str, left: str) -> None:
    found = {
        without_names(place.format(f=f, s=s, l=f"{f}{s}".lower(), career=CAREER)).strip() for f, s in names()
    }
    assert found == {left.format(career=CAREER).strip()}


@pytest.mark.parametrize(
    "text",
    [
        CAREER,
        f"{CAREER}\nSold for a bank in San Diego, in Saudi Arabia and at King Fahad Airport, see https://acme.com/tool.",
        f"{CAREER}\n\nSkills\nJulia, Jenkins, Maven, Kafka, SAP HANA, India Glass Ltd., Summer Law School",
    ],
)
def test_a_text_in_which_nobody_is_named_stays_as_it_is(text: str) -> None:
    assert without_names(text) == text


def test_links_go_only_where_somebody_is_named() -> None:
    work = "Built https://acme.com/tool for a bank."
    assert without_names(work) == work
    assert without_names(f"Jane Doe\n\n{work}") == "[NAME]\n\nBuilt [LINK] for a bank."


def test_other_clues_stay() -> None:
    text = "Jane Doe\n12 Elm Street, Springfield, IL 62704\nDate of birth: 4 May 1980\n" + CAREER
    assert without_names(text) == text.replace("Jane Doe", "[NAME]")


def test_names_in_json_are_hidden_and_it_stays_json() -> None:
    resume = {
        "basics": {"name": "Jane Doe", "email": "jane@doe.org", "phone": "555 0101 2020"},
        "education": [{"institution": "University of Leeds", "endDate": "2012"}],
    }
    left = json.loads(without_names(json.dumps(resume)))
    assert left["basics"] == {"name": "[NAME]", "email": "[EMAIL]", "phone": "555 0101 2020"}
    assert left["education"] == resume["education"]


def test_what_is_left_holds_no_name_any_more() -> None:
    for sample in samples(12, seed=23):
        once = without_names(sample.text)
        assert without_names(once) == once


def test_redaction_itself_knows_nothing_of_the_wider_rules() -> None:
    text = "Registered nurse\n\nSkills\nMaven, Kafka, Docker Jane Miller Terraform, Ansible, SQL, Java"
    assert Redactor().redact(text).text == text
    assert without_names(text) == text.replace("Jane Miller", "[NAME]")
