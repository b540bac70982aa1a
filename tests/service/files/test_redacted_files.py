from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from pyarrow import parquet

from service.core.errors import TableError
from service.core.redaction.redactor import Redactor
from service.files.redacted_files import RedactedResume, check_targets, write_redacted

REDACTED = [
    RedactedResume("a", Redactor().redact("Ida Moor\nbaker"), ()),
    RedactedResume("b", Redactor().redact("baker"), ("no_name_found", "little_text")),
]


def test_redacted_resumes_are_written_with_their_warnings(tmp_path: Path) -> None:
    write_redacted(REDACTED, tmp_path / "out.jsonl")
    records = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(r["id"], r["resume"], r["warnings"]) for r in records] == [
        ("a", "[NAME]\nbaker", []),
        ("b", "baker", ["no_name_found", "little_text"]),
    ]
    write_redacted(REDACTED, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as stream:
        assert [row["warnings"] for row in csv.DictReader(stream)] == ["", "no_name_found little_text"]


def test_a_folder_keeps_the_folders_of_the_resumes(tmp_path: Path) -> None:
    nested = [RedactedResume(f"{folder}/cv", Redactor().redact(f"{folder} baker")) for folder in ("a", "b")]
    write_redacted(nested, tmp_path / "out")
    assert (tmp_path / "out" / "a" / "cv.txt").read_text() == "a baker\n"
    assert (tmp_path / "out" / "b" / "cv.txt").read_text() == "b baker\n"


@pytest.mark.parametrize("identity", ["../a", "/a", "a/../../b", "a//b", ".", "..", "a\\b"])
def test_an_id_leads_out_of_no_folder(tmp_path: Path, identity: str) -> None:
    with pytest.raises(TableError, match="an id is no file name"):
        write_redacted([RedactedResume(identity, Redactor().redact("baker"))], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_resume_is_replaced_by_its_redacted_text(tmp_path: Path) -> None:
    check_targets(["a"], tmp_path / "out", [tmp_path / "a.txt"])
    with pytest.raises(TableError, match=r"a\.txt is a file of resumes, which the output would replace"):
        check_targets(["a"], tmp_path, [tmp_path / "a.txt"])
    with pytest.raises(TableError, match="which the output would replace"):
        check_targets(["a"], tmp_path / "r.csv", [tmp_path / "r.csv"])


def test_parquet_has_the_same_columns(tmp_path: Path) -> None:
    write_redacted(REDACTED, tmp_path / "out.parquet")
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [(row["id"], row["resume"], row["warnings"]) for row in rows] == [
        ("a", "[NAME]\nbaker", []),
        ("b", "baker", ["no_name_found", "little_text"]),
    ]
