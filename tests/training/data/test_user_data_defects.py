"""What is wrong with a user's data is named by file, row and column, and never repeated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset as Saved
from datasets import DatasetDict
from pydantic import ValidationError

from tests.training.data.user_tables import (
    load,
    rows,
    write_csv,
    write_jsonl,
    write_saved,
)
from training.data.example import DataError, DataFormatError
from training.data.user_data_config import ColumnMapping, UserDataConfig


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "maybe"}, "row 3, column `label`: must be 0, 1, true, false, or No Fit"),
        ({"label": None}, "row 3, column `label`: no label; `missing_label: drop`"),
        ({"label": float("nan")}, "row 3, column `label`: no label"),
        ({"cv": ""}, "row 3, column `cv`: text holds no text"),
        ({"cv": None}, "row 3, column `cv`: must be a text, is missing"),
        ({"ad": 7}, "row 3, column `ad`: must be a text, is a int"),
        ({"cv": "x" * 2_000_000}, "row 3, column `cv`: text has 2,000,000 characters; the limit is"),
    ],
)
def test_a_bad_cell_is_named_by_file_row_and_column(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    table = rows()
    table[2] |= change
    file = write_jsonl(tmp_path / "mine.jsonl", table)
    with pytest.raises(DataFormatError) as caught:
        load(file)
    assert f"{file}: {message}" in caught.value.message
    assert "Career" not in caught.value.message


def test_several_bad_rows_are_named_at_once_up_to_ten(tmp_path: Path) -> None:
    table = rows(label="perhaps")
    with pytest.raises(DataFormatError) as caught:
        load(write_csv(tmp_path / "a.csv", table))
    assert [f"row {i}," in caught.value.message for i in (1, 10, 11)] == [True, True, False]
    assert caught.value.message.endswith("(and perhaps more)")


def test_an_unknown_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", rows())
    with pytest.raises(DataFormatError) as caught:
        load(file, columns=ColumnMapping(resume="cv", job="ad", groups={"school": "school_category"}))
    assert (
        f"{file} has no column `school_category` (columns.groups.school); it has cv, ad"
        in caught.value.message
    )
    assert caught.value.field == "columns.groups.school"


def test_a_column_of_names_is_no_attribute(tmp_path: Path) -> None:
    table = [{**row, "gender": f"Jane Doe {i}"} for i, row in enumerate(rows())]
    with pytest.raises(
        DataFormatError, match=r"\(columns.groups.sex\) has 60 .* at most 50 can be groups"
    ) as caught:
        load(write_csv(tmp_path / "a.csv", table))
    assert "Jane" not in caught.value.message
    assert caught.value.field == "columns.groups.sex"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"resume,job,label\nx,y\n", "line 2: 2 cells; the header has 3"),
        ("a.csv", b"resume,job,label\nx,y,1,z\n", "line 2: 4 cells; the header has 3"),
        ("a.csv", b'resume,job,label\nx,y,1\n"cut', "line 3: not CSV"),
        ("a.csv", b"", "has no header line"),
        ("a.csv", b"resume,job,label\n", "holds no rows"),
        ("a.csv", b"resume,job,label\ncaf\xe9,y,1\ncaf\xc3\xa9,y,1\n", "is not UTF-8"),
        ("a.jsonl", b'{"resume": "x"}\n{"resume"\n', "line 2: not JSON"),
        ("a.jsonl", b"[1]\n", "line 1: not a JSON object"),
        ("a.parquet", b"PAR0", "is not Parquet"),
        (
            "a.xlsx",
            b"x",
            "cannot read `.xlsx` files; known are .csv, .tsv, .jsonl, .ndjson, .parquet and folders",
        ),
    ],
)
def test_an_unreadable_file_is_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(DataFormatError) as caught:
        load(file)
    assert str(file) in caught.value.message
    assert message in caught.value.message


def test_a_missing_file_and_a_foreign_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataFormatError, match=r"none\.csv cannot be read: No such file"):
        load(tmp_path / "none.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataFormatError, match="not a folder that `save_to_disk` wrote"):
        load(tmp_path / "folder")


def test_a_split_of_an_unknown_name_is_refused(tmp_path: Path) -> None:
    DatasetDict({"holdout": Saved.from_list(rows(3))}).save_to_disk(str(tmp_path / "s"))
    with pytest.raises(DataFormatError, match="has a split `holdout`; known are train"):
        load(tmp_path / "s")


@pytest.mark.parametrize(
    "wrong",
    [{}, {"file": "a.csv", "files": {"train": "b.csv"}}, {"files": {"test": "a.csv"}}, {"file": "a", "x": 1}],
)
def test_a_config_needs_one_source(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UserDataConfig.model_validate(wrong)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_cells_in_place_of_column_names_are_not_told(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    resume = "Ada Lovelace, mathematician, wrote the first program for an engine"
    file.write_text(f'"{resume}",x,1\n"b",y,0\n' if name == "a.csv" else json.dumps({resume: 1}), "utf-8")
    with pytest.raises(DataFormatError, match="which do not look like a header") as caught:
        load(file)
    assert "Ada" not in caught.value.message


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("cv,ad,label,,,label\nx,y,1,,,0\n", "utf-8")
    with pytest.raises(DataFormatError, match=r"columns 3 and 6 of the header have the same name"):
        load(file)


@pytest.mark.parametrize("line", ["[" * 100_000, '{"label": ' + "1" * 5_000 + "}"])
def test_json_that_python_cannot_hold_is_named_by_line(line: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(f'{{"cv": "x"}}\n{line}\n', "utf-8")
    with pytest.raises(DataFormatError, match=r"a\.jsonl line 2: not JSON"):
        load(file)


@pytest.mark.parametrize("content", ["{}", "[]"])
def test_a_damaged_saved_folder_is_named(content: str, tmp_path: Path) -> None:
    folder = write_saved(tmp_path / "saved", rows())
    (folder / "state.json").write_text(content)
    with pytest.raises(DataFormatError, match="saved is not a folder that `save_to_disk` wrote"):
        load(folder)


@pytest.mark.parametrize("column", ["ad_title", "gender", "who"])
def test_half_a_character_is_named_by_row_and_column(column: str, tmp_path: Path) -> None:
    table = rows()
    table[4][column] = "\ud83d"
    file = write_jsonl(tmp_path / "a.jsonl", table)
    with pytest.raises(DataFormatError, match=f"row 5, column `{column}`: holds half of a character"):
        load(file)


def test_a_column_of_texts_is_not_taken_for_groups(tmp_path: Path) -> None:
    """A wrong mapping must not put resumes or names into reports as the names of groups."""
    table = rows(gender="a long text " * 10)
    with pytest.raises(DataFormatError, match="row 1, column `gender`: has 119 characters; a group's name"):
        load(write_csv(tmp_path / "a.csv", table))
    table = [row | {"gender": f"Person {i}"} for i, row in enumerate(rows())]
    with pytest.raises(DataFormatError, match=r"column `gender` \(columns.groups.sex\) has 60 different"):
        load(write_csv(tmp_path / "b.csv", table))


def test_an_error_of_a_split_says_how_it_came_about(tmp_path: Path) -> None:
    """Every person with every job: too entangled to part, so that small splits hold next to nothing."""
    table = [
        {
            "cv": f"Career of {i}",
            "ad": f"Duties of {j}",
            "who": f"p{i}",
            "ad_id": f"j{j}",
            "label": i % 12 == j,
        }
        for i in range(20)
        for j in range(12)
    ]
    file = write_csv(tmp_path / "a.csv", table)
    columns = ColumnMapping(resume="cv", job="ad", resume_id="who", job_id="ad_id")
    with pytest.raises(DataError, match=r"has (one class only|no examples)") as caught:
        load(file, columns=columns, folds=0)
    assert "too entangled to part" in caught.value.message
    assert "`split_by: person` keeps them" in caught.value.message
