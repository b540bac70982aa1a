"""Rows of tables that users give: each with its line, and errors that name the line but no cell."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from service.core.errors import TableError
from service.core.tables import csv_rows, json_rows


def test_a_row_of_csv_is_found_by_the_line_it_begins_on() -> None:
    text = io.StringIO('a,b\n1,"two\nlines"\n\n3,4\n', newline="")
    assert list(csv_rows(text, "t.csv")) == [(1, ["a", "b"]), (2, ["1", "two\nlines"]), (5, ["3", "4"])]


def test_a_cell_may_be_longer_than_a_hundred_thousand_characters() -> None:
    assert next(iter(csv_rows([f"a,{'x' * 200_000}\n"], "t.csv")))[1][1] == "x" * 200_000


def test_a_row_of_json_knows_what_stands_in_it_twice() -> None:
    (number, row), other = json_rows(['{"a": 1, "a": 2}\n', "\n", '{"b": 1}'], "t.jsonl")
    assert (number, row, row.twice) == (1, {"a": 2}, {"a"})
    assert (other[0], other[1].twice) == (3, set())


@pytest.mark.parametrize(
    ("read", "lines", "said"),
    [
        (csv_rows, ["a,b\n", 'secret,"cut'], "t line 2: not CSV"),
        (json_rows, ["{}\n", '{"secret"\n'], "t line 2: not JSON"),
        (json_rows, ["[" * 100_000], "t line 1: not JSON"),
        (json_rows, [f'{{"secret": {"1" * 5000}}}'], "t line 1: not JSON"),
        (json_rows, ['["secret"]'], "t line 1: not a JSON object"),
    ],
)
def test_what_is_no_row_is_named_by_its_line(
    read: Callable[[list[str], str], object], lines: list[str], said: str
) -> None:
    with pytest.raises(TableError) as caught:
        list(read(lines, "t"))  # type: ignore[call-overload]  # an iterator of rows
    assert said in caught.value.message
    assert "secret" not in caught.value.message
