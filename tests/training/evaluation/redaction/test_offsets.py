from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.documents import normalise
from training.evaluation.redaction.offsets import NormalisedPlaces


def letters(text: str) -> list[str]:
    return [ch for ch in text if ch.isalnum()]


def found(raw: str, part: str) -> str:
    places = NormalisedPlaces(raw)
    start = raw.index(part)
    begin, end = places.span(start, start + len(part))
    return places.text[begin:end]


@pytest.mark.parametrize(
    ("raw", "part", "normalised"),
    [
        ("Ana Ruiz\nCook", "Cook", "Cook"),
        ("o\ufb03ce of Ana Ruiz", "Ana Ruiz", "Ana Ruiz"),  # one ligature becomes three letters
        ("o\ufb03ce of Ana Ruiz", "o\ufb03ce", "office"),
        ("Jose\u0301 Ruiz, cook", "Ruiz", "Ruiz"),  # an accent of its own joins its letter
        ("Jose\u0301 Ruiz, cook", "Jose\u0301", "Jos\u00e9"),
        ("\r\n\r\n  Ana\r\n\r\n\r\n\r\nRuiz  \r\nCook", "Ruiz", "Ruiz"),
        ("\r\n\r\n  Ana\r\n\r\n\r\n\r\nRuiz  \r\nCook", "Ana", "Ana"),
        ("Uni\u00adversity of Lakemont, 2014", "2014", "2014"),  # a soft hyphen is a hyphen
        ("Uni\u00adversity of Lakemont, 2014", "Uni\u00adversity", "Uni-versity"),
        ("\u200bAna\u200b Ruiz", "Ana\u200b Ruiz", "Ana Ruiz"),
        ("a" + " " * 500 + "Ana Ruiz", "Ana", "Ana"),  # of a run of blanks some stay
        ("\uff21\uff4e\uff41 \u2461 Ruiz", "Ruiz", "Ruiz"),
        ("Tel \u260e\ufe0f 555 Ana", "Ana", "Ana"),
    ],
)
def test_a_span_is_found_in_the_normalised_text(raw: str, part: str, normalised: str) -> None:
    assert found(raw, part) == normalised


def test_an_end_within_a_composed_character_takes_it_in() -> None:
    raw = "Jose\u0301 Ruiz"
    places = NormalisedPlaces(raw)
    assert places.text[slice(*places.span(0, 4))] == "Jos\u00e9"
    assert places.text[slice(*places.span(4, 10))] == "\u00e9 Ruiz"


def test_blanks_at_the_ends_are_no_part_and_what_vanishes_is_empty() -> None:
    raw = "Ana  \u200b Ruiz\n\n\n\nCook"
    places = NormalisedPlaces(raw)
    assert places.text[slice(*places.span(3, raw.index("Cook")))] == "Ruiz"
    start, end = places.span(3, 6)
    assert start == end


@given(
    st.lists(
        st.sampled_from(
            ["Ana", " ", "\n", "\r\n", "\u00ad", "\ufb01", "e\u0301", "\u00bd", "\t", "7", "\u2002"]
        ),
        max_size=30,
    )
)
def test_letters_of_a_span_are_those_of_its_normalised_text(parts: list[str]) -> None:
    raw = "".join(parts)
    places = NormalisedPlaces(raw)
    assert places.text == normalise(raw)
    at = 0
    for part in parts:
        begin, end = places.span(at, at + len(part))
        at += len(part)
        # Whether a soft hyphen becomes a hyphen depends on what follows it: only letters and digits count.
        assert letters(places.text[begin:end]) == letters(normalise(part))
