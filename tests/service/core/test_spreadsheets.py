from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.csv_rows import csv_rows
from service.core.spreadsheets import cell_as_given, csv_record, spreadsheet_safe

TEXTS = st.text(alphabet="=-+@'\"; |,\t\r\nab1\uff1d\uff0b\uff0d\uff20\u200b\u2212", max_size=12)
FORMULA = re.compile('[\\s\x00-\x1f\u200b"]*[=+\\-@\uff1d\uff0b\uff0d\uff20\u2212]')


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("\n=1+1", "'\n'=1+1"),
        ("\r=1+1", "'\r'=1+1"),
        ("\tx", "'\tx"),
        ("  =1+1", "'  =1+1"),
        ("\u200b=1+1", "'\u200b=1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20SUM(1)", "'\uff20SUM(1)"),
        ("-5", "'-5"),
        ("a;=1+1", "a;'=1+1"),
        ('a|"=1+1"', 'a|\'"=1+1"'),
        ("a\t=1+1", "a\t'=1+1"),
        ("'=1+1", "''=1+1"),
        ("c-17", "c-17"),
        ("O'Neill; Ann", "O'Neill; Ann"),
    ],
)
def test_what_a_spreadsheet_would_run_gets_a_quote(text: str, safe: str) -> None:
    assert spreadsheet_safe(text) == safe
    assert cell_as_given(safe) == text


@pytest.mark.parametrize("number", [-5, -0.25, True, 0])
def test_numbers_stay_numbers(number: float) -> None:
    assert spreadsheet_safe(number) is number


@given(TEXTS)
def test_no_cell_begins_a_formula_whatever_the_separator(text: str) -> None:
    safe = spreadsheet_safe(text)
    assert isinstance(safe, str)
    assert not any(FORMULA.match(cell) for cell in re.split(r"[;|\t\r\n]", safe))


@given(TEXTS)
def test_our_own_reader_reads_what_was_written(text: str) -> None:
    written = csv_record(["id", "x"]) + csv_record([spreadsheet_safe(text), "1"])
    rows = list(csv_rows(Path("t"), io.BytesIO(written.encode())))
    assert rows[1][0] == [text, "1"]


def test_list_items_of_a_text_stay_as_they_are() -> None:
    text = "Work\n- led a team\n- wrote code"
    assert spreadsheet_safe(text, lines=False) == text
    assert cell_as_given(text) == text


def test_a_long_cell_takes_no_longer_for_its_length_than_a_short_one() -> None:
    for text in ("\n" * 300_000, "\n'" * 300_000, "'" * 300_000, " " * 300_000 + "x"):
        assert cell_as_given(f"{spreadsheet_safe(text)}") == text
