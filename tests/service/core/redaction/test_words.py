"""Words column by column, and what is told from a line's end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.redaction.line_features import is_closing
from service.core.redaction.names.context_cues import CLOSING
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


@given(
    st.text(alphabet="ab ,.!\t", max_size=8),
    st.sampled_from(["Regards", "/s/", "yours truly", "Mit freundlichen Grüßen"]),
)
def test_a_closing_is_told_from_the_lines_end(end: str, phrase: str) -> None:
    line = f"So long, {phrase}{end}"
    assert is_closing(line) == (CLOSING.search(line) is not None)


@pytest.mark.parametrize("line", ["Best", "Mit freundlichen Grüßen, .", "Thanks!!  ", "", "...", "Regards x"])
def test_what_closes_and_what_does_not(line: str) -> None:
    assert is_closing(line) == (CLOSING.search(line) is not None)
