"""Names by a spaCy model, with a pipeline that stands for one: spaCy is an optional extra."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from service.core.errors import ConfigurationError
from service.core.redaction.names.ner import EntityFinder
from service.core.redaction.redactor import Redactor

TEXT = "Summary\nlearned it all from zork blib in Oslo"


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> EntityFinder:
    def pipeline(text: str) -> SimpleNamespace:
        found = [("zork blib", "PERSON"), ("Oslo", "GPE")]
        entities = [
            SimpleNamespace(start_char=text.index(name), end_char=text.index(name) + len(name), label_=label)
            for name, label in found
            if name in text
        ]
        return SimpleNamespace(ents=entities)

    spacy = ModuleType("spacy")
    spacy.load = lambda name, exclude: pipeline  # type: ignore[attr-defined]  # a stand-in for the module
    monkeypatch.setitem(sys.modules, "spacy", spacy)
    return EntityFinder("any")


def test_persons_of_the_model_are_hidden_beside_those_of_the_rules(finder: EntityFinder) -> None:
    assert Redactor().redact(TEXT).text == TEXT
    assert Redactor(entities=finder).redact(TEXT).text == "Summary\nlearned it all from [NAME] in Oslo"


def test_other_categories_keep_the_model(finder: EntityFinder) -> None:
    redactor = Redactor(["email"], entities=finder).with_categories(["name"])
    assert redactor.redact(TEXT).counts == {"name": 1}


def test_without_spacy_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(ConfigurationError, match="spaCy is not installed"):
        EntityFinder("en_core_web_sm")


def test_a_model_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, exclude: list[str]) -> None:
        raise OSError

    spacy = ModuleType("spacy")
    spacy.load = load  # type: ignore[attr-defined]  # a stand-in for the module
    monkeypatch.setitem(sys.modules, "spacy", spacy)
    with pytest.raises(ConfigurationError, match="no model 'gone'"):
        EntityFinder("gone")
