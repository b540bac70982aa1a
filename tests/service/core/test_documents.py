from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.documents import (
    MOST_BLANKS,
    MOST_MARKS,
    longest_normalised,
    normalise,
    read_document,
)
from service.core.errors import EmptyTextError, TextTooLongError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufb01nance \u2460 \uff12\uff10\uff12\uff14", "finance 1 2024"),
        ("nurse\r\nward\rclinic\u2028home", "nurse\nward\nclinic\nhome"),
        ("Py\x00thon\x07 dev", "Py thon  dev"),
        ("\u202eevil\u202c zero\u200bwidth", "evil zerowidth"),
        ("\ufeffstart", "start"),
        ("lone \ud800 surrogate", "lone   surrogate"),
        ("a  \n\n\n\n\nb", "a\n\nb"),
        ("C++ and C# at 100 %", "C++ and C# at 100 %"),
        ("مهندس برمجيات 🚀", "مهندس برمجيات 🚀"),
    ],
)
def test_normalise_cleans_without_losing_what_stands_there(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cost\u00adeffective multi\u00adtenant", "cost-effective multi-tenant"),
        ("May 2016 \u00ad June 2019", "May 2016 - June 2019"),
        ("2016\u00ad2019", "2016-2019"),
        ("infra\u00ad\nstructure", "infra\nstructure"),
        ("infra\u00ad  \r\nstructure\u00ad", "infra\nstructure"),
        ("infra\u00ad\u200b\u2028structure", "infra\nstructure"),
        ("\u00ad Led a team", "- Led a team"),
        ("on\u00ad\u00ad\u00adcall", "on-call"),
        ("on-\u00adcall, \u00ad-v", "on-call, -v"),
        ("on\u200b\u00ad\u200bcall", "on-call"),
        ("\u00ad\n\u00ad", ""),
    ],
)
def test_a_soft_hyphen_is_a_hyphen_but_where_a_line_ends(text: str, expected: str) -> None:
    # PDF files write the hyphen of a compound and the dash of a period with this character.
    assert normalise(text) == expected


@given(st.text("a1 \n\u00ad-\u200b\u0301\u0338", max_size=60))
def test_soft_hyphens_leave_no_trace_and_are_read_once(text: str) -> None:
    once = normalise(text)

    assert "\u00ad" not in once
    assert normalise(once) == once
    decomposed = unicodedata.normalize("NFD", once)
    assert list(filter(str.isalnum, decomposed)) == list(filter(str.isalnum, text))


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


MARKED = "ab \n\t\u0301\u0323\u0344é\u00a8ﬁ\u200b\u200d\r\u2028\u00a0\u3099か\u1100\u1161ệ\ud800\u0f73\u034f½"


@given(st.lists(st.tuples(st.sampled_from(MARKED), st.sampled_from([1, 2, 17, 31, 140])), max_size=12))
def test_normalising_runs_again_changes_nothing_and_no_letter_is_lost(
    runs: list[tuple[str, int]],
) -> None:
    text = "".join(ch * count for ch, count in runs)

    once = normalise(text)

    def letters(of: str) -> list[str]:
        return [ch for ch in unicodedata.normalize("NFKD", of) if ch.isalpha()]

    assert normalise(once) == once
    assert letters(once) == letters(text)
    assert longest_run_of_marks(once) <= MOST_MARKS
    assert " " * (MOST_BLANKS + 1) not in once


@given(st.text("ab \n\t\u0301é\u200bかﬁ\u00a0", max_size=MOST_MARKS))
def test_what_no_run_is_too_long_in_is_only_normalised(text: str) -> None:
    plain = unicodedata.normalize("NFKC", text).translate({0x200B: None, 0xA0: " ", ord("\t"): " "})
    plain = unicodedata.normalize("NFKC", plain)

    assert normalise(text) == re.sub(r"\n{3,}", "\n\n", re.sub(r" +\n", "\n", plain)).strip()


def longest_run_of_marks(text: str) -> int:
    decomposed = unicodedata.normalize("NFKD", text)
    runs = "".join("m" if unicodedata.combining(ch) else " " for ch in decomposed).split()
    return max(map(len, runs), default=0)


@pytest.mark.parametrize("mark", ["\u0301", "\u0344", "\u0301\u200b\u0323", "\u0301\u0316\u0345"])
def test_a_run_of_marks_ends_after_thirty(mark: str) -> None:
    text = normalise("e" + mark * 10_000 + "x")

    assert longest_run_of_marks(text) == MOST_MARKS
    assert text.endswith("x")


def test_gaps_of_columns_stay_gaps() -> None:
    assert normalise("Engineer" + " " * 60 + "2019") == "Engineer" + " " * 60 + "2019"
    assert normalise("Engineer" + "\u3000" * 9_000 + "2019") == "Engineer" + " " * MOST_BLANKS + "2019"


def test_a_text_that_becomes_too_long_is_refused() -> None:
    with pytest.raises(TextTooLongError, match=r"normalised \(100 came in\)") as refused:
        read_document("\ufdfa" * 100, field="resume", max_characters=1_000)

    assert (refused.value.limit, refused.value.actual) == (1_000, 1_800)


@given(st.text(max_size=200) | st.text("\ufdfa\u0301\u1100\u1161ｶ\uff9eﬃ e", max_size=60))
def test_no_text_becomes_longer_than_is_foretold(text: str) -> None:
    assert len(normalise(text)) <= longest_normalised(text)


def test_the_length_of_what_grows_is_foretold() -> None:
    assert longest_normalised("plain text") == 10
    assert longest_normalised("\ufdfa!" * 3) == len(normalise("\ufdfa!" * 3)) == 57
