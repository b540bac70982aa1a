"""A prefilter may hold back only texts in which its pattern finds nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from service.core.documents import normalise
from service.core.redaction.emails_and_links import LABELLED_HANDLE, SITES_WITH_LABEL
from service.core.redaction.handles import SITE_PATTERNS, SITE_PREFILTER
from service.core.redaction.lexicon import load_lexicon
from service.core.redaction.names.context_cues import CUES, cues_in
from service.core.redaction.postal_addresses import ADDRESS_LABELS, LABELLED_ADDRESS
from service.core.redaction.prefilter import PrefilterSet, PrefilterText, prefilter, prefilter_text
from service.core.redaction.recognisers import LINE_PREFILTERS, LINE_RECOGNISERS, PARAGRAPH_RECOGNISERS
from service.core.redaction.school_slots import SLOTS, schools_in_slots
from service.core.redaction.schools import SCHOOL_PREFILTER, find_schools
from service.core.redaction.words import read_words
from tests.service.core.redaction.test_redactor import TEXTS
from tests.support.resume_corpus import samples

LEXICON = load_lexicon()


def lowered(text: str) -> PrefilterText:
    return prefilter_text(text, read_words(text))


def check(text: str) -> None:
    seen = lowered(text)
    for one, find in (*LINE_RECOGNISERS, *PARAGRAPH_RECOGNISERS):
        if not one.may_match(seen):
            assert list(find(text)) == [], find.__name__
    if not SCHOOL_PREFILTER.may_match(seen):
        words = read_words(text)
        found = list(find_schools(text, words, LEXICON, by_pattern=True))
        assert found == list(find_schools(text, words, LEXICON, by_pattern=False))
    for line in text.split("\n"):
        kinds = {cue.kind for cue in cues_in(line, lowered(line))}
        for kind, pattern, _ in CUES:
            assert kind in kinds or pattern.search(line) is None, kind
        if not SITE_PREFILTER.may_match(lowered(line)):
            assert not any(pattern.search(line) for pattern in SITE_PATTERNS)
        if not SITES_WITH_LABEL.may_match(lowered(line)):
            assert LABELLED_HANDLE.search(line) is None
        if not ADDRESS_LABELS.may_match(lowered(line)):
            assert LABELLED_ADDRESS.search(line) is None
        if not SLOTS.may_match(lowered(line)):
            assert list(schools_in_slots(line, read_words(line), LEXICON)) == []


def test_no_resume_is_held_back_that_the_pattern_matches() -> None:
    for sample in samples(300, 81):
        for paragraph in sample.text.split("\n\n"):
            check(paragraph)


@pytest.mark.parametrize(
    "text",
    [
        "D.O.B.: 1.2.1990", "Born in Lagos in 1980", "on an ead", "statut d'ead", "l’EAD", "(*1980)", "Né le 3 mars 1979", "出生日期：1990年1月1日", "Age: 44",
        "EAD holder, DACA recipient", "国籍：中国", "Hails from Kenya", "State of origin: Kano", "Work authorization: yes",
        "a father of two", "Kinder: 2", "Situation familiale : célibataire", "on parental leave", "my wife",
        "jane [at] x [dot] org", "Jalan Sudirman 5", "Musterweg 7, 12345 Ulm", "ul. Nowa 3", "P.O. Box 12", "PLZ: 10115",
        "12 Elm Terrace", "profile_pic_1.png", "alt text: Jane", "Latinx in AI", "Afro-Caribbean Society", "Girl Scouts",
        "Sigma Gamma Rho", "LGBTQ+ Network", "Bahá'í faith", "Jehovah's Witness", "St. Mary Parish", "Latter-day Saint",
        "Frau Müller", "Geschlecht: weiblich", "I am a woman", "cleaning lady", "pronouns: ze/hir", "Graduated '09",
        "UiTM Shah Alam", "КФУ Казанский университет", "北京大学", "연세대학교", "Liceo Galilei", "Politechnika Gdańska",
        "github: ana5", "l'github: ana5", "GithubUser: ana5", "ana5 on Stack Overflow", "dev.to/ana5", "Hugging Face @ana5",
        "the CV of: Ana", "Résumé of: Ana", "prepared by: Ana Ruiz", "trained by Ana Ruiz", "\" — Ana Ruiz, head", "姓名：王伟", "Nombre: Ana", "\\name{A}{B}", "/s/ Ana Ruiz", "C.V. of Ana", "together with Ana Ruiz", "Mme Curie",
        "B.Sc. from RVCE", "BA at Haberdashers", "alumna of Wellesley", "Alma Mater: Haberdashers", "Univ.: Haberdashers", "Haberdashers alum",
        "Wohnort: Ulm", "Dirección: Calle Mayor 5", "Home Town: Pune", "residing at: 5 Elm Road", "LinkedIn ID: ana5", "git lab: ana5", "alt-text: Jane",
    ],
)  # fmt: skip
def test_no_rare_form_is_held_back(text: str) -> None:
    check(normalise(text))


@settings(max_examples=300)
@given(TEXTS)
def test_no_text_is_held_back_that_the_pattern_matches(text: str) -> None:
    check(normalise(text))


def test_a_prefilter_looks_for_words_and_for_substrings() -> None:
    one = prefilter("age", ["birth"])
    assert one.may_match(lowered("Age: 40"))
    assert one.may_match(lowered("place of birthday"))
    assert not one.may_match(lowered("managed wages"))


def test_a_set_of_prefilters_lets_through_what_each_of_them_does() -> None:
    ones = [
        prefilter("age", ["birth"]),
        prefilter("street"),
        prefilter("", ["birth", "#"]),
        prefilter("age street"),
    ]
    together = PrefilterSet(ones)

    for text in ("Age: 40", "birthday", "12 Elm Street #4", "wages", "l'age", "née", ""):
        seen = lowered(text)
        expected = [i for i, one in enumerate(ones) if one.may_match(seen)]
        assert together.passed(seen) == expected
        around = together.substrings_in(f"paragraph with {text.lower()} and more")
        assert together.passed(seen, around) == expected


def test_what_stands_in_no_paragraph_is_looked_for_in_none_of_its_lines() -> None:
    found = dict(LINE_PREFILTERS.substrings_in("call 030 or write to a@b.de"))

    assert {"0", "3", "@"} <= set(found)
    assert "www." not in found


def test_words_are_seen_folded_and_as_they_stand() -> None:
    text = "O'Neill, Señora"

    assert prefilter_text(text, read_words(text)).words == {
        "oneill",
        "senora",
        "o",
        "neill",
        "señora",
    }
