from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.documents import decode, normalise, read_document
from service.core.errors import EmptyTextError, TextTooLongError, UndecodableTextError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufb01nance \u2460 \uff12\uff10\uff12\uff14", "finance 1 2024"),
        ("nurse\r\nward\rclinic\u2028home", "nurse\nward\nclinic\nhome"),
        ("Py\x00thon\x07 dev", "Py thon  dev"),
        ("soft\u00adware \u202eevil\u202c zero\u200bwidth", "software evil zerowidth"),
        ("\ufeffstart", "start"),
        ("lone \ud800 surrogate", "lone   surrogate"),
        ("a  \n\n\n\n\nb", "a\n\nb"),
        ("C++ and C# at 100 %", "C++ and C# at 100 %"),
        ("مهندس برمجيات 🚀", "مهندس برمجيات 🚀"),
    ],
)
def test_normalise_cleans_without_losing_what_stands_there(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(st.text(st.characters(), max_size=200))
def test_normalise_is_idempotent_and_leaves_no_control_characters(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert not [ch for ch in once if ch != "\n" and unicodedata.category(ch) in ("Cc", "Cf", "Cs", "Cn")]


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=100))
def test_normalise_keeps_every_letter_and_digit(text: str) -> None:
    kept = [ch for ch in normalise(text) if not ch.isspace()]
    expected = [ch for ch in unicodedata.normalize("NFKC", text) if not ch.isspace()]
    assert kept == expected


@pytest.mark.parametrize("text", ["", "   \n\t ", "\x00\x01", "\u200b\u202e"])
def test_text_without_anything_to_read_is_refused(text: str) -> None:
    with pytest.raises(EmptyTextError, match=r"candidates\[2\]\.resume holds no text") as caught:
        read_document(text, field="candidates[2].resume")
    assert caught.value.field == "candidates[2].resume"


def test_too_long_text_names_limit_and_size_but_no_text() -> None:
    with pytest.raises(TextTooLongError) as caught:
        read_document("secret " * 100, field="resume", max_characters=500)
    assert (caught.value.limit, caught.value.actual) == (500, 700)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "non_latin"),
    [
        ("Registered nurse", False),
        ("Ingénieur logiciel à Zürich", False),
        ("مهندس برمجيات في دبي", True),
        ("软件工程师 负责后端开发 Python", True),
        ("2019 - 2024 !!!", False),
    ],
)
def test_other_scripts_are_flagged(text: str, non_latin: bool) -> None:
    assert read_document(text, field="resume").non_latin_script is non_latin


def test_decode_reads_utf8_with_or_without_mark() -> None:
    assert decode(b"\xef\xbb\xbfcaf\xc3\xa9", field="a.txt") == "café"


def test_decode_names_the_offset_and_hides_the_bytes() -> None:
    with pytest.raises(
        UndecodableTextError, match=r"a\.txt is not UTF-8: invalid byte at offset 6 of 11"
    ) as caught:
        decode(b"Zurich\xe9 caf", field="a.txt")
    assert caught.value.__cause__ is None
