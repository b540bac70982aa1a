from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from service.core.errors import TableError
from service.core.redaction.redactor import Redactor
from service.files.redacted_files import RedactedResume, write_redacted

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
