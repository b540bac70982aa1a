"""The end of a letter, as a cue that a signature follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.redaction.names.context_cues import CLOSING, is_closing


@given(
    st.text(alphabet="ab ,.!\t", max_size=8),
    st.sampled_from(["Regards", "/s/", "yours truly", "Mit freundlichen Grüßen"]),
)
def test_searching_the_lines_end_finds_every_closing(end: str, phrase: str) -> None:
    line = f"So long, {phrase}{end}"
    assert is_closing(line) == (CLOSING.search(line) is not None)


@pytest.mark.parametrize("line", ["Best", "Mit freundlichen Grüßen, .", "Thanks!!  ", "", "...", "Regards x"])
def test_lines_that_close_a_letter_and_others(line: str) -> None:
    assert is_closing(line) == (CLOSING.search(line) is not None)
