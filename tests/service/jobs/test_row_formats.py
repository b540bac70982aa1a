"""Rows of JSON Lines and CSV, however the upload is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.core.group_reading import GroupReader
from service.core.groups import GroupSchema
from service.jobs.row_formats import CsvRows, JsonLines, RowFormat
from service.jobs.rows import Row, RowChecker, pack_rows, unpack_rows

JSON = (
    b'\xef\xbb\xbf{"job": {"description": "python"}}\r\n\n'
    b'{"id": "a", "resume": "one \\n two"}\n'
    b"[1]\n"
    b'{"id": "b", "resume": "x", "groups": {"sex": ""}}\n'
    b'{"job": {"description": "late"}}\n'
    b'{"id": "c", "resume": "\\ud800"}'
)
CSV = (
    b'\xef\xbb\xbfid,resume,job_description\r\na,"one\r\n""two"", three",python\r\n\r\n'
    b"b,x\r\nc,\xff,java\r\n"
    b'd,"y",python'
)


def json_lines(most: int = 10_000) -> JsonLines:
    return JsonLines(RowChecker(GroupReader(GroupSchema()), 1_000), most)


def csv_rows(most: int = 10_000) -> CsvRows:
    return CsvRows(RowChecker(GroupReader(GroupSchema()), 1_000), GroupReader(GroupSchema()), most)


def read(form: RowFormat, content: bytes, cuts: list[int]) -> list[Row]:
    rows, start = [], 0
    for cut in (*sorted(cut % (len(content) + 1) for cut in cuts), len(content)):
        rows += form.feed(content[start:cut])
        start = cut
    return [*rows, *form.finish()]


@given(st.lists(st.integers(0, 10_000), max_size=6))
def test_rows_do_not_depend_on_where_the_upload_is_cut(cuts: list[int]) -> None:
    assert read(json_lines(), JSON, cuts) == read(json_lines(), JSON, [])
    assert read(csv_rows(), CSV, cuts) == read(csv_rows(), CSV, [])


def test_lines_and_faults_of_json_lines() -> None:
    rows = read(json_lines(), JSON, [])
    assert [(row.line, row.id, row.fault and row.fault.code) for row in rows] == [
        (3, "a", None),
        (4, None, "malformed_row"),
        (5, "b", None),
        (6, None, "malformed_row"),
        (7, "c", None),
    ]
    assert rows[0].resume == "one \n two"
    assert unpack_rows(pack_rows(rows)) == rows


def test_lines_and_faults_of_csv() -> None:
    rows = read(csv_rows(), CSV, [])
    assert [(row.line, row.id, row.fault and row.fault.code) for row in rows] == [
        (2, "a", None),
        (5, None, "malformed_row"),
        (6, None, "not_utf8"),
        (7, "d", None),
    ]
    assert rows[0].resume == 'one\r\n"two", three'


def test_line_7_of_10_000() -> None:
    lines = [b'{"job": {"description": "x"}}\n']
    lines += [b'{"id": "c-%d", "resume": "x"}\n' % i for i in range(9_999)]
    lines[6] = b'{"id": "c-5", "resume": "x\n'
    rows = read(json_lines(), b"".join(lines), list(range(0, 400_000, 10_000)))
    assert [(row.line, row.fault and row.fault.code) for row in rows if row.fault] == [(7, "malformed_row")]
    assert [row.line for row in rows] == list(range(2, 10_001))


def test_a_row_that_is_too_long_is_a_fault_and_holds_no_memory() -> None:
    form = json_lines(most=100)
    form.feed(b'{"job": {"description": "x"}}\n')
    rows = []
    for _ in range(50):
        rows += form.feed(b"y" * 90)
    rows += form.feed(b'\n{"id": "a", "resume": "z"}\n')
    assert [(row.line, row.id, row.fault is None) for row in rows] == [(2, None, False), (3, "a", True)]
