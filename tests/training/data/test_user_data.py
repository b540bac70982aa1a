from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from datasets import Dataset as Saved
from datasets import DatasetDict
from pyarrow import parquet
from pydantic import ValidationError

from training.data.errors import DataError, DataFormatError
from training.data.example import SPLITS, Dataset
from training.data.user_data import (
    ColumnMapping,
    UserDataConfig,
    load_unsplit,
    load_user_data,
)

Rows = list[dict[str, Any]]
COLUMNS = ColumnMapping(
    resume="cv", job="ad", title="ad_title", resume_id="who", job_id="ad_id", groups={"sex": "gender"}
)


def rows(count: int = 60, **changes: Any) -> Rows:
    """Pairs of `count` persons, each with one of 12 jobs."""
    return [
        {
            "cv": f"Career of person {i}",
            "ad": f"Duties of job {i % 12}",
            "ad_title": f"Title {i % 12}",
            "who": f"p{i}",
            "ad_id": f"j{i % 12}",
            "label": ["No Fit", "Potential Fit", "Good Fit"][(i // 12) % 3],
            "gender": "female" if i % 2 else "male",
            **changes,
        }
        for i in range(count)
    ]


def write_csv(path: Path, table: Rows) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    return path


def write_jsonl(path: Path, table: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in table), "utf-8")
    return path


def write_parquet(path: Path, table: Rows) -> Path:
    parquet.write_table(pyarrow.Table.from_pylist(table), path)
    return path


def write_saved(path: Path, table: Rows) -> Path:
    Saved.from_list(table).save_to_disk(str(path))
    return path


def load(path: Path, **changes: Any) -> Dataset:
    return load_user_data(UserDataConfig(**{"file": path, "columns": COLUMNS, **changes}))


FORMATS: dict[str, Callable[[Path, Rows], Path]] = {
    "pairs.csv": write_csv,
    "pairs.jsonl": write_jsonl,
    "pairs.parquet": write_parquet,
    "saved": write_saved,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_data(name: str, tmp_path: Path) -> None:
    found = load(FORMATS[name](tmp_path / name, rows()))
    assert found == load(write_csv(tmp_path / "same.csv", rows()))
    everything = [e for split in SPLITS for e in found[split]]
    assert len(everything) == 60
    first = next(e for e in everything if e.resume_id == "p13")
    assert (first.job_id, first.title, first.description) == ("j1", "Title 1", "Duties of job 1")
    assert (first.grade, first.label, first.true_label) == (1, 0, None)
    assert first.groups == {"sex": "female"}
    assert first.occupation is None


def test_for_evaluation_every_pair_is_kept_in_order(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows(60)))
    examples, warnings = load_unsplit(UserDataConfig(file=path, columns=COLUMNS))
    assert [e.resume_id for e in examples] == [f"p{i}" for i in range(60)]
    assert warnings == []


def test_potential_fit_counts_as_told(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", rows())
    for potential in (0, 1):
        found = load(file, potential_label=potential)
        assert {e.label for e in found.train if e.grade == 1} == {potential}
        assert {e.label for e in found.train if e.grade == 2} == {1}


@pytest.mark.parametrize("values", [(0, 1), (0.0, 1.0), (False, True), ("no", "YES"), ("no_fit", "good-fit")])
def test_binary_labels_of_every_kind(values: tuple[Any, Any], tmp_path: Path) -> None:
    table = rows()
    for i, row in enumerate(table):
        row["label"] = values[(i // 12) % 2]
    found = load(write_jsonl(tmp_path / "a.jsonl", table))
    assert {(e.label, e.grade) for e in found.train} == {(0, 0), (1, 2)}


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


def test_rows_without_label_are_dropped_if_asked(tmp_path: Path) -> None:
    table = rows()
    table[2]["label"] = ""
    found = load(write_csv(tmp_path / "a.csv", table), missing_label="drop")
    assert sum(len(found[split]) for split in SPLITS) == 59
    assert any("1 of 60 rows have no label and were dropped" in w for w in found.warnings)


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


def test_missing_groups_are_unknown_and_counted(tmp_path: Path) -> None:
    table = rows()
    table[0]["gender"] = ""
    table[5]["gender"] = "nan"
    found = load(write_csv(tmp_path / "a.csv", table))
    assert any("2 of 60 rows say nothing about sex" in w for w in found.warnings)
    assert sum(e.groups == {} for split in SPLITS for e in found[split]) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"resume,job,label\nx,y\n", "row 1 has more or fewer fields than the header's 3"),
        ("a.csv", b"resume,job,label\nx,y,1,z\n", "row 1 has more or fewer fields"),
        ("a.csv", b'resume,job,label\nx,y,1\n"cut', "row 2 is not CSV"),
        ("a.csv", b"", "has no header line"),
        ("a.csv", b"resume,job,label\n", "holds no rows"),
        ("a.csv", "resume,job,label\ncafé,y,1\n".encode("latin-1"), "is not UTF-8"),
        ("a.jsonl", b'{"resume": "x"}\n{"resume"\n', "row 2 is not JSON"),
        ("a.jsonl", b"[1]\n", "row 1 is not a JSON object"),
        ("a.parquet", b"PAR0", "is not Parquet"),
        ("a.xlsx", b"x", "cannot read `.xlsx` files; known are .csv, .jsonl, .ndjson, .parquet and folders"),
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


def test_given_splits_are_kept_and_the_missing_ones_cut_off(tmp_path: Path) -> None:
    table = rows(180)
    parts = {"train": table[:60], "validation": table[60:150], "test": table[150:]}
    for row in table:
        row["label"] = int(row["who"][1:]) % 5 < 2
        row["ad"], row["ad_id"] = f"Duties of {row['who']}", f"j{row['who']}"
    folder = tmp_path / "saved"
    DatasetDict({name: Saved.from_list(part) for name, part in parts.items()}).save_to_disk(str(folder))
    found = load(folder)
    assert {e.resume_id for e in found.train} == {row["who"] for row in parts["train"]}
    assert {e.resume_id for e in found.test} == {row["who"] for row in parts["test"]}
    assert [len(found[split]) for split in ("validation", "calibration", "threshold")] == [30, 30, 30]
    assert "no calibration, threshold given: cut off from validation" in found.warnings
    files = {name: write_csv(tmp_path / f"{name}.csv", part) for name, part in parts.items()}
    assert load(folder) == load_user_data(UserDataConfig(files=files, columns=COLUMNS))


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


@pytest.mark.parametrize("kind", ["saved", "parquet"])
def test_class_labels_mean_their_names_not_their_numbers(kind: str, tmp_path: Path) -> None:
    """`ClassLabel` numbers names by the alphabet: 0 is "Good Fit", and 1 is "No Fit"."""
    table = rows()
    for i, row in enumerate(table):
        row["label"] = "Good Fit" if (i // 12) % 2 else "No Fit"
    encoded = Saved.from_list(table).class_encode_column("label").class_encode_column("gender")
    assert encoded[0]["label"] == 1
    file = tmp_path / "pairs.parquet"
    if kind == "parquet":
        encoded.to_parquet(str(file))
    else:
        file = tmp_path / "saved"
        encoded.save_to_disk(str(file))
    assert load(file) == load(write_csv(tmp_path / "same.csv", table))


def test_splits_of_two_names_for_one_are_joined(tmp_path: Path) -> None:
    table = [row | {"label": i % 3 == 0, "ad_id": f"j{i}"} for i, row in enumerate(rows(180))]
    parts = {"train": table[:120], "val": table[120:150], "dev": table[150:]}
    folder = tmp_path / "saved"
    DatasetDict({name: Saved.from_list(part) for name, part in parts.items()}).save_to_disk(str(folder))
    found = load(folder)
    people = {e.resume_id for split in SPLITS for e in found[split]}
    assert people == {row["who"] for row in table}


@pytest.mark.parametrize("label", ["Good  Fit", " GOOD_fit", "good - fit"])
def test_the_form_of_a_label_in_words_does_not_matter(label: str, tmp_path: Path) -> None:
    table = [row | {"label": label if (i // 12) % 2 else "nO\tFIT"} for i, row in enumerate(rows())]
    found = load(write_csv(tmp_path / "a.csv", table))
    assert {e.grade for split in SPLITS for e in found[split]} == {0, 2}


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
def test_json_that_python_cannot_hold_is_named_by_row(line: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(f'{{"cv": "x"}}\n{line}\n', "utf-8")
    with pytest.raises(DataFormatError, match=r"a\.jsonl: row 2 is JSON that cannot be read"):
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
        load(file, columns=columns)
    assert "too entangled to part" in caught.value.message
    assert "`split_by: person` keeps them" in caught.value.message
