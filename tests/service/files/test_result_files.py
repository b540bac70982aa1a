from __future__ import annotations

import csv
import json
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest
from pyarrow import parquet

from service.core.documents import Document
from service.core.errors import TableError
from service.core.matching import Match, ReadResume
from service.core.resume_warnings import RESUME_WARNINGS, ResumeWarning
from service.core.tables import Column, inspect_table, read_rows
from service.files.document_texts import DocumentSummary
from service.files.result_files import (
    IN_WORDS,
    Result,
    ScoredCandidate,
    check_results_file,
    write_results,
)

SCORED = [
    Result(
        1,
        ScoredCandidate.of("c-1", ReadResume(Document("x", 1.0), {}, "en")),
        Match(0.5, 0.9, True, False),
    ),
    Result(
        2,
        ScoredCandidate.of(
            "=1+1", ReadResume(Document("x", 0.1), None, "ru", ("non_latin_script", "not_english"))
        ),
        Match(0.1, 0.2, False, True),
    ),
]
DOCUMENT = DocumentSummary("pdf", 2, 900, {"two_columns": 1, "images_only": 30})


def test_json_lines_are_written_in_rank_order(tmp_path: Path) -> None:
    assert write_results(SCORED, tmp_path / "out.jsonl") == 2
    records = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert records[0] == {
        "rank": 1,
        "candidate_id": "c-1",
        "raw_score": 0.5,
        "calibrated_probability": 0.9,
        "decision": "selected",
        "borderline": False,
        "redacted": True,
        "language": "en",
        "non_latin_script": False,
        "warnings": [],
    }
    assert (records[1]["rank"], records[1]["decision"]) == (2, "not_selected")


def test_a_csv_defuses_formulas(tmp_path: Path) -> None:
    write_results(SCORED, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["candidate_id"] for row in rows] == ["c-1", "'=1+1"]
    assert [row["warnings"] for row in rows] == ["", "non_latin_script not_english"]


def test_ids_of_a_csv_are_read_back_as_they_were_and_numbers_stay_numbers(tmp_path: Path) -> None:
    ids = ["\n=1+1", "\uff0d1", "a;=1+1", "\r=1", "'+1", 'x,"y']
    read = ReadResume(Document("x", 1.0), {}, "en")
    match = Match(-0.25, 0.2, False, True)
    write_results(
        [Result(i, ScoredCandidate.of(one, read), match) for i, one in enumerate(ids, 1)],
        tmp_path / "out.csv",
    )
    columns = [Column("candidate_id", ""), Column("raw_score", "")]
    with closing(read_rows(inspect_table(tmp_path / "out.csv"), columns)) as rows:
        assert [cells for cells, _ in rows] == [[one, "-0.25"] for one in ids]


def test_parquet_has_the_same_columns_with_types(tmp_path: Path) -> None:
    write_results(SCORED, tmp_path / "out.parquet")
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["candidate_id"] for row in rows] == ["c-1", "=1+1"]
    assert rows[1]["warnings"] == ["non_latin_script", "not_english"]
    assert (rows[0]["rank"], rows[0]["borderline"], rows[0]["raw_score"]) == (1, False, 0.5)


def test_what_was_read_of_a_document_stands_beside_its_score(tmp_path: Path) -> None:
    candidate = ScoredCandidate.of("c", ReadResume(Document("x", 1.0), {}, "en"), {1: 40}, DOCUMENT)
    results = [Result(1, candidate, Match(0.5, 0.9, True, False), f"j-{i}", i) for i in range(2)]
    write_results(results, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0]["document_warnings"] == "two_columns:1 images_only:30"
    assert [(row["job_id"], row["warnings"]) for row in rows] == [("j-0", ""), ("j-1", "repeats_posting")]
    assert "pages without text" in results[0].notes
    document = results[0].record()["document"]
    assert (document["type"], document["pages"], document["characters"]) == ("pdf", 2, 900)


def test_a_result_file_replaces_an_old_one_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be written"):
        write_results(SCORED, tmp_path / "no-such-folder" / "out.csv")
    old = tmp_path / "out.csv"
    old.write_text("old")
    write_results(SCORED, old)
    assert old.read_text().startswith("rank,candidate_id,")
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    def results() -> object:
        yield SCORED[0]
        raise OSError(28, "No space left on device")

    file = tmp_path / f"out.{suffix}"
    file.write_text("old")
    with pytest.raises(TableError, match="cannot be written: No space left on device"):
        write_results(results(), file)  # type: ignore[arg-type]  # an iterator that ends as a disk does
    assert file.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        TableError, match=r"writing Parquet needs pyarrow; .*pip install 'evenmatch\[parquet\]'"
    ):
        check_results_file(tmp_path / "out.parquet")


@pytest.mark.parametrize("code", RESUME_WARNINGS)
def test_a_warning_that_is_not_about_the_language_makes_a_result_borderline(code: ResumeWarning) -> None:
    read = ReadResume(Document("x", 1.0), {}, "en", (code,))
    scored = Result(1, ScoredCandidate.of("c", read), Match(0.5, 0.9, True, False))
    about_language = code in ("non_latin_script", "not_english")
    assert scored.borderline is not about_language
    assert (IN_WORDS[code] in scored.notes) is not about_language
    assert scored.record()["warnings"] == [code]
