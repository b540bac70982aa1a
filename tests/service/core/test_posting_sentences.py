from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.documents import normalise
from service.core.posting_sentences import sentences_of


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("We build ships. You weld.", ["We build ships.", "You weld."]),
        ("- weld steel\n- read plans", ["weld steel", "read plans"]),
        ("good communication skillsBachelor's degreeBenefits:Five weeks off", ["good communication skills", "Bachelor's degree", "Benefits:", "Five weeks off"]),
        ("Location: Boston, MAPrimary Responsibilities:Weld", ["Location:", "Boston, MA", "Primary Responsibilities:", "Weld"]),
        ("on site.The next part", ["on site.", "The next part"]),
        ("Skills in PowerPoint and JavaScript", ["Skills in PowerPoint and JavaScript"]),
        ("Five yrs. in sales, e.g. of cars", ["Five yrs. in sales, e.g. of cars"]),
        ("Preferred Qualifications: CPA", ["Preferred Qualifications:", "CPA"]),
        ("See https://example.com/jobs: it is short", ["See https://example.com/jobs: it is short"]),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_would_end_them(text: str, sentences: list[str]) -> None:
    assert [sentence.text for sentence in sentences_of(text)] == sentences


@given(st.text(alphabet="aBcd. :\n•-1(){}", max_size=300).map(normalise))
def test_sentences_are_spans_in_order_and_leave_out_blanks_and_list_marks_only(text: str) -> None:
    found = sentences_of(text)

    at = 0
    for sentence in found:
        assert text[sentence.start : sentence.end] == sentence.text
        assert at <= sentence.start < sentence.end
        assert not any(ch.isalnum() and ch != "o" for ch in text[at : sentence.start])
        at = sentence.end
    assert not any(map(str.isalnum, text[at:]))
