from __future__ import annotations

import random

import pytest

from training.data.synthetic.grammar import (
    as_gerund,
    as_title,
    gerund,
    in_past,
    indefinite,
    past,
    revoice,
    shorten,
)


@pytest.mark.parametrize(
    ("verb", "then", "doing"),
    [
        ("inspect", "inspected", "inspecting"),
        ("use", "used", "using"),
        ("carry", "carried", "carrying"),
        ("play", "played", "playing"),
        ("plan", "planned", "planning"),
        ("oversee", "oversaw", "overseeing"),
        ("write", "wrote", "writing"),
        ("dye", "dyed", "dyeing"),
    ],
)
def test_verb_forms(verb: str, then: str, doing: str) -> None:
    assert (past(verb), gerund(verb)) == (then, doing)


@pytest.mark.parametrize(
    ("phrase", "then"),
    [
        ("inspect doors", "inspected doors"),
        ("inspect doors and report faults", "inspected doors and reported faults"),
        ("sell, repair and install doors", "sold, repaired and installed doors"),
        ("use tools to inspect and repair doors", "used tools to inspect and repair doors"),
        ("use tools to inspect doors, report faults", "used tools to inspect doors, reported faults"),
    ],
)
def test_verbs_that_belong_together_change_together(phrase: str, then: str) -> None:
    assert in_past(phrase) == then


def test_gerunds() -> None:
    assert as_gerund("inspect doors and report faults") == "inspecting doors and reporting faults"


def test_a_synonym_leaves_the_rest_alone() -> None:
    said = {revoice("inspect doors and locks", random.Random(i)) for i in range(20)}
    assert said == {"check doors and locks", "examine doors and locks"}
    assert revoice("frobnicate doors", random.Random(1)) == "frobnicate doors"


def test_asides_are_cut_unless_nothing_would_be_left() -> None:
    assert shorten("inspect heavy doors, such as gates; report faults") == "inspect heavy doors"
    assert shorten("sell things such as doors") == "sell things such as doors"


def test_titles_keep_their_capitals() -> None:
    assert as_title("ICT help desk agent of IT") == "ICT Help Desk Agent of IT"
    assert (indefinite("engineer"), indefinite("nurse")) == ("an engineer", "a nurse")
