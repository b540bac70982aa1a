from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset as Saved
from datasets import DatasetDict

from tests.training.data.user_tables import (
    COLUMNS,
    FORMATS,
    load,
    rows,
    write_csv,
    write_jsonl,
)
from training.data.example import SPLITS, DataFormatError
from training.data.user_data import load_unsplit, load_user_data
from training.data.user_data_config import ColumnMapping, UserDataConfig


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


def test_rows_without_label_are_dropped_if_asked(tmp_path: Path) -> None:
    table = rows()
    table[2]["label"] = ""
    found = load(write_csv(tmp_path / "a.csv", table), missing_label="drop")
    assert sum(len(found[split]) for split in SPLITS) == 59
    assert any("1 of 60 rows have no label and were dropped" in w for w in found.warnings)


def test_missing_groups_are_unknown_and_counted(tmp_path: Path) -> None:
    table = rows()
    table[0]["gender"] = ""
    table[5]["gender"] = "nan"
    found = load(write_csv(tmp_path / "a.csv", table))
    assert any("2 of 60 rows say nothing about sex" in w for w in found.warnings)
    assert sum(e.groups == {} for split in SPLITS for e in found[split]) == 2


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


def test_columns_are_guessed_with_a_warning(tmp_path: Path) -> None:
    table = [{"Resume_str": row["cv"], "job_description": row["ad"], "match": row["label"]} for row in rows()]
    found = load(write_csv(tmp_path / "a.csv", table), columns=ColumnMapping())
    assert found.train[0].resume.startswith("Career of person")
    said = " ".join(found.warnings)
    for column, role in (("Resume_str", "resume"), ("job_description", "job"), ("match", "label")):
        assert f"column `{column}` is read as columns.{role}" in said
    table = [{**row, "resume_text": "x"} for row in rows()]
    with pytest.raises(DataFormatError, match=r"cv and resume_text could be columns\.resume"):
        load(write_csv(tmp_path / "b.csv", table), columns=ColumnMapping(job="ad"))


def test_labels_of_groups_are_read_as_people_write_them(tmp_path: Path) -> None:
    labels = ["F", "Woman", "M", "Prefer not to say", "D"]
    table = [row | {"gender": labels[i % 5]} for i, row in enumerate(rows())]
    file = write_csv(tmp_path / "a.csv", table)

    def groups(**options: Any) -> set[str | None]:
        examples, _ = load_unsplit(UserDataConfig(file=file, columns=COLUMNS, **options))
        return {example.groups.get("sex") for example in examples}

    assert groups() == {"female", "male", "D", None}
    assert groups(unknown_labels="unknown") == {"female", "male", None}
    assert groups(group_values={"sex": {"d": "nonbinary"}}) == {"female", "male", "nonbinary", None}
    with pytest.raises(DataFormatError, match=r"sex: 1 label stands for none of .*'D' in 12 rows"):
        groups(unknown_labels="refuse")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_tables_of_any_separator_and_encoding_are_read(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.csv"
    lines = [";".join(["cv", "ad", "label"])]
    lines += [f"Café {i};Duties of job {i % 12};{(i // 12) % 2}" for i in range(60)]
    file.write_bytes("\n".join(lines).encode(encoding))
    columns = ColumnMapping(resume="cv", job="ad")
    examples, _ = load_unsplit(UserDataConfig(file=file, columns=columns))
    assert (len(examples), examples[0].resume) == (60, "Café 0")
