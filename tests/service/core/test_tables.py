from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from service.core.csv_rows import csv_rows
from service.core.encodings import Encoding
from service.core.errors import TableError, UndecodableTextError
from service.core.tables import json_rows

FILE = Path("t")


def test_a_row_of_csv_is_found_by_the_line_it_begins_on() -> None:
    stream = io.BytesIO(b'a,b\n1,"two\nlines"\n\n3,4\n')
    assert list(csv_rows(FILE, stream)) == [(["a", "b"], 1), (["1", "two\nlines"], 2), (["3", "4"], 5)]


def test_a_cell_may_be_longer_than_a_hundred_thousand_characters() -> None:
    row, _ = next(csv_rows(FILE, io.BytesIO(b"a," + b"x" * 200_000 + b"\n")))
    assert row[1] == "x" * 200_000


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["utf-16", "cp1252"])
def test_a_file_may_be_closed_before_its_rows_are_read_to_the_end(name: str) -> None:
    file = io.BytesIO("a,b\n1,2\n3,4\n".encode(name))
    rows = csv_rows(FILE, file, encoding=Encoding(name))
    assert next(rows) == (["a", "b"], 1)
    file.close()
    del rows  # what goes wrong in here nobody could catch: pytest makes it an error


def test_rows_left_unread_leave_the_file_open() -> None:
    file = io.BytesIO("a,b\n1,2\n3,4\n".encode("utf-16"))
    rows = csv_rows(FILE, file, encoding=Encoding("utf-16"))
    next(rows)
    del rows
    assert not file.closed


def test_a_row_of_json_knows_what_stands_in_it_twice() -> None:
    (row, line), (other, last) = json_rows(FILE, io.BytesIO(b'{"a": 1, "a": 2}\n\n{"b": 1}'))
    assert (row, row.twice, line) == ({"a": 2}, {"a"}, 1)
    assert (other.twice, last) == (set(), 3)


@pytest.mark.parametrize(
    ("read", "content", "said"),
    [
        (csv_rows, b'a,b\nsecret,"cut', "t line 2: not CSV"),
        (csv_rows, b"a,b\nsecret\n", "t line 2: 1 cells; the header has 2"),
        (csv_rows, b"a,b\n1,secret,3\n", "t line 2: 3 cells; the header has 2"),
        (json_rows, b'{}\n{"secret"\n', "t line 2: not JSON"),
        (json_rows, b"[" * 100_000, "t line 1: not JSON"),
        (json_rows, b'{"secret": ' + b"1" * 5000 + b"}", "t line 1: not JSON"),
        (json_rows, b'["secret"]', "t line 1: not a JSON object"),
    ],
)
def test_what_is_no_row_is_named_by_its_line(
    read: Callable[[Path, BinaryIO], Iterator[object]], content: bytes, said: str
) -> None:
    with pytest.raises(TableError) as caught:
        list(read(FILE, io.BytesIO(content)))
    assert said in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("read", [csv_rows, json_rows])
def test_bytes_that_are_not_utf8_are_named_by_line_and_offset(
    read: Callable[[Path, BinaryIO], Iterator[object]],
) -> None:
    with pytest.raises(UndecodableTextError, match="t line 2 is not UTF-8: invalid byte at its offset 1"):
        list(read(FILE, io.BytesIO(b"{}\n{\xe9}\n")))
