from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.passages import PassagePolicy, halve, split_passages


def test_passages_end_at_sentences_and_lines() -> None:
    text = "One two three. Four five six!\nSeven eight • nine ten"
    assert split_passages(text, PassagePolicy(words=6)) == [
        "One two three. Four five six!",
        "Seven eight nine ten",
    ]


def test_a_sentence_longer_than_a_passage_is_cut_between_words() -> None:
    text = " ".join(f"w{i}" for i in range(12))
    assert split_passages(text, PassagePolicy(words=5)) == ["w0 w1 w2 w3 w4", "w5 w6 w7 w8 w9", "w10 w11"]


@given(st.lists(st.sampled_from(["word", "end.", "line\n", "colon:", "x"]), min_size=1, max_size=300))
def test_every_word_stands_in_exactly_one_passage_in_order(words: list[str]) -> None:
    text = " ".join(words)
    passages = split_passages(text, PassagePolicy(words=7))
    assert " ".join(passages).split() == text.split()
    assert all(1 <= len(p.split()) <= 7 for p in passages)


@pytest.mark.parametrize(
    ("passage", "parts"), [("a b c d e", ["a b", "c d e"]), ("abcdefg", ["abc", "defg"])]
)
def test_halve_cuts_between_words_if_it_can(passage: str, parts: list[str]) -> None:
    assert halve(passage) == parts
