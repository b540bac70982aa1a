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


@given(st.text(alphabet="aZsS'`5_ -.", max_size=30))
def test_plain_text_has_the_words_that_it_has_beside_other_letters(text: str) -> None:
    alone, beside = read_words(text), read_words(f"{text}\né")
    assert alone.written == beside.written[:-1]
    assert alone.starts == beside.starts[:-1]
