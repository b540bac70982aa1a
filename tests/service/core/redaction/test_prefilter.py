"""Gates may only be shut where their pattern finds nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from service.core.documents import normalise
from service.core.redaction.lexicon import load_lexicon
from service.core.redaction.names import context_cues as anchors
from service.core.redaction.prefilter import Clues, Gate
from service.core.redaction.recognisers import LINE_DETECTORS, PARAGRAPH_DETECTORS, SCHOOL_GATE
from service.core.redaction.schools import find_schools
from service.core.redaction.words import read_words
from tests.service.core.redaction.corpus import samples
from tests.service.core.redaction.test_redactor import TEXTS

NO_UNIVERSITIES = load_lexicon()


def clues_of(text: str) -> Clues:
    return Clues(text.lower(), frozenset(read_words(text).folded))


def check(text: str) -> None:
    clues = clues_of(text)
    for one, find in (*LINE_DETECTORS, *PARAGRAPH_DETECTORS):
        if not one.opens(clues):
            assert list(find(text)) == [], find.__name__
    if not SCHOOL_GATE.opens(clues):
        words = read_words(text)
        opened = list(find_schools(text, words, NO_UNIVERSITIES, gate_is_open=True))
        assert opened == list(find_schools(text, words, NO_UNIVERSITIES, gate_is_open=False))
    for line in text.split("\n"):
        found = {anchor.kind for anchor in anchors.anchors_of(line)}
        for kind, pattern in anchors.PATTERNS:
            assert kind in found or pattern.search(line) is None, kind


def test_no_gate_is_shut_on_a_resume_that_its_pattern_matches() -> None:
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
def test_no_gate_is_shut_on_rare_forms(text: str) -> None:
    check(normalise(text))


@settings(max_examples=300)
@given(TEXTS)
def test_no_gate_is_shut_on_any_text_that_its_pattern_matches(text: str) -> None:
    check(normalise(text))


def test_a_gate_opens_for_words_and_for_parts() -> None:
    gate = Gate(frozenset({"age"}), ("birth",))
    assert gate.opens(clues_of("Age: 40"))
    assert gate.opens(clues_of("place of birthday"))
    assert not gate.opens(clues_of("managed wages"))
