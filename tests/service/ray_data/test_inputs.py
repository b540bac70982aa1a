"""Inputs are told apart, and tables that do not agree are refused by column and file."""

from __future__ import annotations

from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from service.core.errors import TableError
from service.ray_data.blocks import Block, Fault, blocks_of_documents, blocks_of_table, rows_a_block
from service.ray_data.inputs import TableColumns, check_schemas, find_inputs, inspect


def checked(folder: Path, wanted: TableColumns = TableColumns()) -> None:  # noqa: B008
    check_schemas([inspect(file, wanted) for file in find_inputs([str(folder)]).files])


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text)
    return folder


def test_a_folder_of_tables_is_read_without_what_other_programs_leave_in_it(tmp_path: Path) -> None:
    write(tmp_path, b_csv="id,resume\n", a_jsonl="{}\n")
    for litter in ("_SUCCESS", ".a.crc", "_delta_log/0.json"):
        (tmp_path / litter).parent.mkdir(exist_ok=True)
        (tmp_path / litter).write_text("x")
    inputs = find_inputs([str(tmp_path)])
    assert inputs.of_tables
    assert [Path(file.source).name for file in inputs.files] == ["a.jsonl", "b.csv"]


def test_documents_are_called_by_their_paths(tmp_path: Path) -> None:
    for name in ("a.pdf", "a.txt", "deep/c.docx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    inputs = find_inputs([str(tmp_path)])
    assert [file.id for file in inputs.files] == ["a.pdf", "a.txt", "deep/c"]


@pytest.mark.parametrize("other", ["b.pdf", "b.zip"])
def test_tables_beside_documents_are_refused(tmp_path: Path, other: str) -> None:
    write(tmp_path, a_csv="id,resume\n")
    (tmp_path / other).write_text("x")
    with pytest.raises(TableError, match=rf"a\.csv is a table and .*{other} is none"):
        find_inputs([str(tmp_path)])


def test_mixed_schemas_are_refused_by_column_and_file(tmp_path: Path) -> None:
    write(tmp_path, a_csv="id,resume\n1,x\n", b_csv="id,cv\n1,x\n")
    with pytest.raises(TableError, match=r"column 'resume' in .*a\.csv and column 'cv' in .*b\.csv"):
        checked(tmp_path)


def test_a_file_without_the_column_that_was_named_is_refused(tmp_path: Path) -> None:
    write(tmp_path, a_csv="id,words\n1,x\n", b_csv="id,resume\n1,x\n")
    with pytest.raises(TableError, match=r"b\.csv: no column 'words'.*a\.csv has it"):
        checked(tmp_path, TableColumns(text_column="words"))


def test_columns_of_another_type_are_refused(tmp_path: Path) -> None:
    for name, texts in (("a", ["x"]), ("b", [1.5])):
        parquet.write_table(pyarrow.table({"id": [1], "resume": texts}), tmp_path / f"{name}.parquet")
    with pytest.raises(TableError, match=r"b\.parquet: column 'resume' holds double, text is needed"):
        checked(tmp_path)


def test_more_columns_another_order_and_parts_without_rows_are_no_difference(tmp_path: Path) -> None:
    write(
        tmp_path, a_csv="id,resume\n1,x\n", b_csv="more,resume,id\nm,x,2\n", c_jsonl="", d_csv="id,resume\n"
    )
    checked(tmp_path)


def test_blocks_hold_the_same_rows_whichever_of_them_are_finished(tmp_path: Path) -> None:
    rows = "".join(f"{i},text {i}\n" for i in range(7))
    write(tmp_path, a_csv=f"id,resume\n{rows}")
    (file,) = find_inputs([str(tmp_path)]).files
    read = inspect(file, TableColumns())
    blocks = [one for one in blocks_of_table(read, 3) if isinstance(one, Block)]
    assert [[row.id for row in one.rows] for one in blocks] == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    assert [row.line for row in blocks[1].rows] == [5, 6, 7]
    (left,) = blocks_of_table(read, 3, {blocks[0].name, blocks[2].name})
    assert left == blocks[1]


def test_a_block_ends_early_when_its_texts_are_long(tmp_path: Path) -> None:
    write(tmp_path, a_csv="id,resume\n" + "".join(f"{i},{'x' * 60}\n" for i in range(4)))
    (file,) = find_inputs([str(tmp_path)]).files
    blocks = list(blocks_of_table(inspect(file, TableColumns()), 100, most_bytes=100))
    assert [one.taken for one in blocks if isinstance(one, Block)] == [2, 2]


def test_rows_at_fault_have_their_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_jsonl='{"id":"1","resume":"x"}\nno json\n{"id":"2","resume":" "}\n{"id":"3","resume":"y"}\n',
    )
    (file,) = find_inputs([str(tmp_path)]).files
    (block,) = blocks_of_table(inspect(file, TableColumns()), 10)
    assert isinstance(block, Block)
    assert [row.id for row in block.rows] == ["1", "3"]
    assert [(fault.line, fault.code) for fault in block.faults] == [(2, "unusable_table"), (3, "empty_text")]


def test_a_file_that_breaks_off_ends_in_a_fault_and_keeps_its_whole_blocks(tmp_path: Path) -> None:
    write(tmp_path, a_csv='id,resume\n1,x\n2,y\n3,"never closed\n4,z\n')
    (file,) = find_inputs([str(tmp_path)]).files
    block, fault = blocks_of_table(inspect(file, TableColumns()), 2)
    assert isinstance(block, Block)
    assert [row.id for row in block.rows] == ["1", "2"]
    assert isinstance(fault, Fault)
    assert fault.line == 4


def test_a_vanished_file_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path, a_csv="id,resume\n1,x\n")
    (file,) = find_inputs([str(tmp_path)]).files
    read = inspect(file, TableColumns())
    (tmp_path / "a.csv").unlink()
    (fault,) = blocks_of_table(read, 2)
    assert isinstance(fault, Fault)
    assert "cannot be read" in fault.message
    assert inspect(file, TableColumns()).fault is not None


def test_documents_are_cut_by_number_and_size(tmp_path: Path) -> None:
    for i in range(5):
        (tmp_path / f"{i}.txt").write_text("x" * 10)
    files = find_inputs([str(tmp_path)]).files
    assert [one.taken for one in blocks_of_documents(files, 2)] == [2, 2, 1]
    assert [one.taken for one in blocks_of_documents(files, 9, most_bytes=30)] == [3, 2]


def test_many_postings_make_small_blocks() -> None:
    assert rows_a_block(500, 1) == 500
    assert rows_a_block(500, 1_000) == 100
    assert rows_a_block(500, 10**6) == 1
