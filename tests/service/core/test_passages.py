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


LAYOUT = PassagePolicy(words=12, layout=True)


def test_layout_keeps_the_head_and_paragraphs_apart_and_drops_list_marks() -> None:
    text = (
        "Jane Doe\nAccountant\n\njane@example.com | 555 0100\n\n"
        "Kept the books of three companies and of their many small subsidiaries.\n\n"
        "Skills:\n- ledgers\n* audits\n• taxes"
    )
    assert split_passages(text, LAYOUT) == [
        "Jane Doe",
        "Accountant",
        "jane@example.com | 555 0100",
        "Kept the books of three companies and of their many small subsidiaries.",
        "Skills: ledgers audits taxes",
    ]


def test_with_layout_another_name_changes_one_passage_only() -> None:
    rest = "\n\nKept the books. Audited accounts of banks.\n\nDegree in economics."
    short, long = (split_passages(name + rest, LAYOUT) for name in ("Li Wu", "Maria de la Cruz y Ortega"))
    assert short[1:] == long[1:]


def test_without_layout_the_name_shares_a_passage_with_what_follows() -> None:
    assert split_passages("Li Wu\nKept the books.", PassagePolicy()) == ["Li Wu Kept the books."]


def test_a_head_of_long_lines_is_none() -> None:
    text = "This first line is far too long to be a name, a title or an address.\nSo is this."
    assert split_passages(text, PassagePolicy(words=40, layout=True)) == [" ".join(text.split())]


@given(
    st.lists(st.sampled_from(["word", "end.", "line\n", "gap\n\n", "colon:", "x"]), min_size=1, max_size=300)
)
def test_with_layout_too_every_word_stands_in_exactly_one_passage(words: list[str]) -> None:
    text = " ".join(words)
    passages = split_passages(text, PassagePolicy(words=7, layout=True))
    assert " ".join(passages).split() == text.split()
    assert all(1 <= len(p.split()) <= 8 for p in passages)


@pytest.mark.parametrize(
    ("passage", "parts"), [("a b c d e", ["a b", "c d e"]), ("abcdefg", ["abc", "defg"])]
)
def test_halve_cuts_between_words_if_it_can(passage: str, parts: list[str]) -> None:
    assert halve(passage) == parts
