from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.counterfactual.grammar import has_pronouns, with_pronouns

PAIRS = [
    ("I met her at work.", "I met him at work."),
    ("Her team grew; she led her team.", "His team grew; he led his team."),
    ("The idea was hers.", "The idea was his."),
    ("She taught herself Python.", "He taught himself Python."),
    ("We promoted her twice.", "We promoted him twice."),
    ("Clients trust her, and her work shows why.", "Clients trust him, and his work shows why."),
    ("It gave her a start.", "It gave him a start."),
    ("Her manager praised her highly.", "His manager praised him highly."),
    ("Mentors helped her succeed.", "Mentors helped him succeed."),
    ("She / her own words", "He / his own words"),
    ("SHE LED HER TEAM", "HE LED HIS TEAM"),
    ("Ms. Lee thanked us; Ms. Lee's report stands.", "Mr. Lee thanked us; Mr. Lee's report stands."),
    ("Jane Doe (she/her)", "Jane Doe (he/him)"),
    ("Gender: Female", "Gender: Male"),
    ("A waitress, chairwoman and saleswoman", "A waiter, chairman and salesman"),
    ("She's on call; she'd stay.", "He's on call; he'd stay."),
]


@pytest.mark.parametrize(("her", "him"), PAIRS)
def test_her_becomes_him_or_his(her: str, him: str) -> None:
    assert with_pronouns(her, "he_him") == him


@pytest.mark.parametrize(("her", "him"), PAIRS)
def test_swapping_back_restores(her: str, him: str) -> None:
    assert with_pronouns(him, "she_her") == her


@pytest.mark.parametrize(("her", "him"), PAIRS)
def test_the_same_sex_changes_nothing(her: str, him: str) -> None:
    assert with_pronouns(her, "she_her") == her
    assert with_pronouns(him, "he_him") == him


def test_mrs_and_miss_become_mr() -> None:
    assert with_pronouns("Mrs. Lee and Miss Wong", "he_him") == "Mr. Lee and Mr. Wong"


@pytest.mark.parametrize(
    "text", ["The team shipped it.", "HER2 testing, sheets, other, this, thermal", "MS Excel"]
)
def test_texts_without_pronouns_are_left(text: str) -> None:
    assert not has_pronouns(text)


WORDS = st.sampled_from(
    [
        "she",
        "her",
        "hers",
        "herself",
        "he",
        "him",
        "his",
        "himself",
        "team",
        "met",
        "the",
        "and",
        "led",
        ".",
        ",",
        "Ms.",
    ]
)


@given(st.lists(WORDS, max_size=30).map(" ".join), st.sampled_from(["she_her", "he_him"]))
def test_nothing_of_the_other_sex_is_left(text: str, pronouns: str) -> None:
    turned = with_pronouns(text, pronouns)  # type: ignore[arg-type]  # one of the two
    gone = {"she_her": {"he", "him", "himself"}, "he_him": {"she", "her", "hers", "herself"}}[pronouns]
    assert gone.isdisjoint(turned.lower().replace(".", " ").replace(",", " ").split())
    assert len(turned.split()) == len(text.split())
