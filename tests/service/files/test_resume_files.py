from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from service.core.documents import Document
from service.core.errors import (
    DuplicateIdError,
    ErrorCollector,
    EvenmatchError,
    InputError,
    InputErrors,
    NotTextError,
    TableError,
    UndecodableTextError,
)
from service.core.matching import Match, ReadResume
from service.core.redaction.redactor import Redactor
from service.core.resume_warnings import RESUME_WARNINGS, ResumeWarning
from service.files.resume_files import (
    IN_WORDS,
    RedactedResume,
    ResumeFile,
    ScoredResume,
    read_job,
    read_resumes,
    write_redacted,
    write_results,
)


def read(*files: Path, id_column: str = "id", text_column: str = "resume") -> list[ResumeFile]:
    return read_resumes(files, id_column=id_column, text_column=text_column)


def write(file: Path, content: str | bytes) -> Path:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_text_files_are_named_by_their_stems(tmp_path: Path) -> None:
    files = [write(tmp_path / "ann.txt", "\ufeffpython"), write(tmp_path / "bob.txt", "nurse\r\nward")]
    assert [(r.id, r.text) for r in read(*files)] == [("ann", "python"), ("bob", "nurse\r\nward")]


def test_a_csv_may_hold_line_breaks_and_long_fields(tmp_path: Path) -> None:
    long = "word " * 40_000
    file = write(tmp_path / "r.csv", f'who,cv\n7,"two\nlines, one comma"\n8,{long}\n')
    resumes = read(file, id_column="who", text_column="cv")
    assert [(r.id, r.text) for r in resumes] == [("7", "two\nlines, one comma"), ("8", long)]
    assert [r.source[-6:] for r in resumes] == ["line 2", "line 4"]


def test_json_lines_take_numbers_as_ids(tmp_path: Path) -> None:
    file = write(
        tmp_path / "r.jsonl", '{"id": 7, "resume": "python", "extra": 1}\n\n{"id": "b", "resume": "x"}\n'
    )
    assert [(r.id, r.text, r.source[-6:]) for r in read(file)] == [
        ("7", "python", "line 1"),
        ("b", "x", "line 3"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("r.csv", "a,b\n1,2\n", TableError, r"line 1: no column 'id'; name another with --id-column"),
        ("r.csv", "id,b\n1,2\n", TableError, r"no column 'resume'; name another with --text-column"),
        ("r.csv", "id,resume\n", TableError, "holds no resumes"),
        ("r.csv", "id,resume\n1\n", TableError, "line 2: 1 cells; the header has 2"),
        ("r.csv", "id,resume\n1,x, y\n", TableError, "line 2: 3 cells; the header has 2"),
        ("r.csv", "id,resume,resume\n1,x,y\n", TableError, "line 1: column 'resume' stands there twice"),
        ("r.csv", "id,resume\n ,x\n", TableError, "column 'id' is empty"),
        ("r.csv", 'id,resume\n1,"x\n', TableError, "line 2"),
        ("r.csv", "id,resume\n1,x\n1,y\n", DuplicateIdError, r"line 3 has the same id as .*line 2"),
        ("r.jsonl", '{"id": 1, "resume": "x"}\nsecret', TableError, "line 2: not JSON"),
        ("r.jsonl", "[1]", TableError, "line 1: not a JSON object"),
        ("r.jsonl", '{"id": true, "resume": "x"}', TableError, "column 'id'"),
        ("r.jsonl", '{"id": "a", "resume": null}', TableError, "column 'resume'"),
        ("r.jsonl", "[" * 100_000, TableError, "line 1: not JSON"),
        ("r.jsonl", '{"id": "\\ud800", "resume": "x"}', TableError, "column 'id' holds null characters"),
        ("r.jsonl", '{"id": "a\\u0000", "resume": "x"}', TableError, "column 'id' holds null characters"),
        ("r.txt", b"caf\xe9", UndecodableTextError, "not UTF-8: invalid byte at offset 3 of 4"),
    ],
)
def test_an_unusable_file_is_named_with_its_line(
    tmp_path: Path, name: str, content: str | bytes, error: type[EvenmatchError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        read(write(tmp_path / name, content))
    assert str(tmp_path / name) in caught.value.message
    assert "secret" not in caught.value.message


def test_a_table_is_one_whatever_the_case_of_its_suffix(tmp_path: Path) -> None:
    assert [r.id for r in read(write(tmp_path / "R.CSV", "id,resume\n1,x\n2,y\n"))] == ["1", "2"]
    assert [r.id for r in read(write(tmp_path / "R.JSONL", '{"id": 1, "resume": "x"}\n'))] == ["1"]


def test_a_file_name_that_is_not_utf8_makes_an_id_that_can_be_written(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/ren\xe9.txt"
    try:
        Path(os.fsdecode(name)).write_text("python")
    except OSError:
        pytest.skip("this file system takes only UTF-8 in names")
    (resume,) = read(Path(os.fsdecode(name)))
    assert resume.id == "ren?"
    assert resume.source.encode()


def test_a_table_stands_alone(tmp_path: Path) -> None:
    table, text = write(tmp_path / "r.csv", "id,resume\n1,x\n"), write(tmp_path / "a.txt", "y")
    with pytest.raises(TableError, match="give it alone"):
        read(table, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"job\.txt cannot be read: No such file"):
        read_job(tmp_path / "job.txt")


SCORED = [
    ScoredResume("c-1", Match(0.5, 0.9, True, False), ReadResume(Document("x", 1.0), {}, "en")),
    ScoredResume(
        "=1+1",
        Match(0.1, 0.2, False, True),
        ReadResume(Document("x", 0.1), None, "ru", ("non_latin_script", "not_english")),
    ),
]


def test_json_lines_are_written_in_rank_order(tmp_path: Path) -> None:
    write_results(SCORED, tmp_path / "out.jsonl")
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


def test_a_result_file_replaces_an_old_one_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be written"):
        write_results(SCORED, tmp_path / "no-such-folder" / "out.csv")
    old = write(tmp_path / "out.csv", "old")
    write_results(SCORED, old)
    assert old.read_text().startswith("rank,candidate_id,")
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("code", RESUME_WARNINGS)
def test_a_warning_that_is_not_about_the_language_makes_a_result_borderline(code: ResumeWarning) -> None:
    scored = ScoredResume(
        "c", Match(0.5, 0.9, True, False), ReadResume(Document("x", 1.0), {}, "en", (code,))
    )
    about_language = code in ("non_latin_script", "not_english")
    assert scored.borderline is not about_language
    assert (IN_WORDS[code] in scored.notes) is not about_language
    assert scored.record(1)["warnings"] == [code]


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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%PDF-1.4\n1 0 obj", "is a PDF; extract its text first, for instance with pdftotext"),
        (b"junk\n%PDF-1.4 endobj", "is a PDF"),
        (b"PK\x03\x04...word/document.xml", r"is a Word document \(DOCX\); save it as plain text first"),
        (b"PK\x03\x04...", "is a ZIP archive"),
        (b"{\\rtf1 x}", "is RTF; save it as plain text first"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Word or Excel file"),
        (b"\x89PNG\r\n\x1a\n", r"is an image \(PNG\); read its text first"),
        (b"\xff\xd8\xff\xe0", r"is an image \(JPEG\)"),
        (b"\x1f\x8b\x08", r"is compressed \(gzip\); unpack it first"),
        ("Ida".encode("utf-16-le") * 9, "holds null bytes; if it is UTF-16, say --encoding utf-16-le"),
        (
            b"caf\xe9",
            "is not UTF-8: invalid byte at offset 3 of 4; if it comes from Windows, say --encoding cp1252",
        ),
    ],
)
def test_what_is_no_text_is_named_as_what_it_is(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(write(tmp_path / "a.bin", content))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    assert read(write(tmp_path / "a.txt", "José Núñez".encode(encoding)))[0].text == "José Núñez"
    table = write(tmp_path / "a.csv", "id,resume\n1,José\n".encode(encoding))
    assert read(table)[0].text == "José"


def test_another_encoding_can_be_said(tmp_path: Path) -> None:
    def read_as(file: Path, encoding: str) -> list[str]:
        found = read_resumes([file], id_column="id", text_column="resume", encoding=encoding)
        return [resume.text for resume in found]

    text = write(tmp_path / "a.txt", "José Núñez".encode("cp1252"))
    assert read_as(text, "cp1252") == ["José Núñez"]
    table = write(tmp_path / "a.csv", "id,resume\n1,José\n2,Ida\n".encode("cp1252"))
    assert read_as(table, "cp1252") == ["José", "Ida"]
    with pytest.raises(UndecodableTextError, match=r"line 2 is not UTF-8.*say --encoding cp1252"):
        read(table)
    with pytest.raises(UndecodableTextError, match="is not ascii: invalid byte at offset 3 of 10"):
        read_as(text, "ascii")


def test_the_bytes_that_were_wrong_are_not_kept(tmp_path: Path) -> None:
    with pytest.raises(UndecodableTextError) as caught:
        read(write(tmp_path / "a.txt", b"Zurich\xe9 caf"))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_all_bad_files_are_named_at_once_or_gathered(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "a.pdf", b"%PDF-1.4"),
        write(tmp_path / "b.txt", "python"),
        tmp_path / "gone.txt",
    ]
    with pytest.raises(InputErrors) as caught:
        read(*files)
    assert [type(error) for error in caught.value.errors] == [NotTextError, TableError]
    errors = ErrorCollector()
    found = read_resumes(files, id_column="id", text_column="resume", errors=errors)
    assert [resume.id for resume in found] == ["b"]
    assert len(errors.errors) == 2


def test_a_workbook_by_the_name_of_a_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotTextError, match=r"r\.csv is an Excel workbook \(XLSX\); save it as CSV first"):
        read(write(tmp_path / "r.csv", b"PK\x03\x04 xl/workbook.xml"))
