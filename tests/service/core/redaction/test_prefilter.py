"""A prefilter may hold back only texts in which its pattern finds nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from service.core.documents import normalise
from service.core.redaction.lexicon import load_lexicon
from service.core.redaction.names.context_cues import CUES, cues_in
from service.core.redaction.prefilter import PrefilterText, prefilter
from service.core.redaction.recognisers import LINE_RECOGNISERS, PARAGRAPH_RECOGNISERS
from service.core.redaction.schools import SCHOOL_PREFILTER, find_schools
from service.core.redaction.words import read_words
from tests.service.core.redaction.test_redactor import TEXTS
from tests.support.resume_corpus import samples

LEXICON = load_lexicon()


def lowered(text: str) -> PrefilterText:
    return PrefilterText(text.lower(), frozenset(read_words(text).folded))


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
        kinds = {cue.kind for cue in cues_in(line)}
        for kind, pattern, _ in CUES:
            assert kind in kinds or pattern.search(line) is None, kind


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
        "姓名：王伟", "Nombre: Ana", "\\name{A}{B}", "/s/ Ana Ruiz", "C.V. of Ana", "together with Ana Ruiz", "Mme Curie",
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
