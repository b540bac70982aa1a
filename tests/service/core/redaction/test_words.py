"""Words column by column."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.core.redaction.words import Words, fold, read_words, words_of


@given(st.lists(st.text(alphabet="aZé'’ßİ \u0301中9-_.", max_size=12)))
def test_words_of_lines_are_those_of_the_text(lines: list[str]) -> None:
    text = "\n".join(lines)
    joined = Words()
    position = 0
    for line in lines:
        joined.add(read_words(line), position)
        position += len(line) + 1
    assert joined == read_words(text)


@given(st.text(max_size=60))
def test_words_are_folded_as_each_alone(text: str) -> None:
    for word in words_of(text):
        assert text[word.start : word.end] == word.text
        assert fold(word.text) == word.folded
