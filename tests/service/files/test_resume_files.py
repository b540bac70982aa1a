from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from service.core.errors import (
    DuplicateIdError,
    ErrorCollector,
    EvenmatchError,
    InputErrors,
    NotTextError,
    TableError,
    UndecodableTextError,
)
from service.files.document_texts import DocumentTexts
from service.files.documents.parsed import DocumentLimits
from service.files.resume_files import GivenResumes, ResumeFile, ResumeOptions, read_resumes
from tests.service.files.documents.small_files import docx, line, paragraph, pdf, zipped

TEXT = "Jane Roe, engineer. Built payment services in Python."


@pytest.fixture(scope="module")
def texts() -> Iterator[DocumentTexts]:
    with DocumentTexts(DocumentLimits()) as opened:
        yield opened


class Reader:
    """Reads resumes and keeps what was said."""

    def __init__(self, texts: DocumentTexts) -> None:
        self.texts = texts
        self.said: list[str] = []

    def __call__(
        self, *files: Path | str, errors: ErrorCollector | None = None, **options: str | bool
    ) -> list[ResumeFile]:
        given = [str(file) for file in files]
        chosen = ResumeOptions(**options)  # type: ignore[arg-type]  # strings and one flag
        return read_resumes(given, chosen, self.texts, errors=errors, say=self.said.append)


@pytest.fixture
def read(texts: DocumentTexts) -> Reader:
    return Reader(texts)


def write(file: Path, content: str | bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_text_files_are_named_by_their_stems(read: Reader, tmp_path: Path) -> None:
    files = [write(tmp_path / "ann.txt", "\ufeffpython"), write(tmp_path / "bob.txt", "nurse\r\nward")]
    assert [(r.id, r.text) for r in read(*files)] == [("ann", "python"), ("bob", "nurse\r\nward")]


def test_documents_are_read_by_their_content_whatever_they_are_called(read: Reader, tmp_path: Path) -> None:
    write(tmp_path / "cv" / "one.pdf", pdf(line(TEXT, 72, 700)))
    write(tmp_path / "cv" / "deep" / "two.doc", docx(paragraph(TEXT)))
    write(tmp_path / "cv" / "three.csv.txt", f"<html><body><p>{TEXT}</p></body></html>")
    write(tmp_path / "cv" / ".hidden", "no resume")
    write(tmp_path / "cv" / "~$two.doc", "no resume")
    found = read(tmp_path / "cv")
    assert {r.id: (r.text.strip(), r.document and r.document.kind) for r in found} == {
        "one": (TEXT, "pdf"),
        "three.csv": (TEXT, "html"),
        "deep/two": (TEXT, "docx"),
    }


def test_a_document_by_the_name_of_a_table_is_a_document(read: Reader, tmp_path: Path) -> None:
    (resume,) = read(write(tmp_path / "cv.csv", pdf(line(TEXT, 72, 700))))
    assert (resume.id, resume.text.strip()) == ("cv", TEXT)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_the_encoding_of_a_text_is_found_out(read: Reader, tmp_path: Path, encoding: str) -> None:
    (resume,) = read(write(tmp_path / "a.txt", "José Núñez, engineer".encode(encoding)))
    assert resume.text == "José Núñez, engineer"
    assert resume.document is not None
    assert ("guessed_encoding" in resume.document.warnings) is (encoding == "cp1252")


def test_another_encoding_can_be_said(tmp_path: Path) -> None:
    with DocumentTexts(DocumentLimits(), encoding="cp1251") as texts:
        assert Reader(texts)(write(tmp_path / "a.txt", "Иван".encode("cp1251")))[0].text == "Иван"
    with (
        DocumentTexts(DocumentLimits(), encoding="ascii") as texts,
        pytest.raises(UndecodableTextError, match="is not ascii: invalid byte at offset 3 of 10") as caught,
    ):
        Reader(texts)(write(tmp_path / "a.txt", "José Núñez".encode("cp1252")))
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_tables_are_read_whatever_wrote_them(
    read: Reader, tmp_path: Path, encoding: str, separator: str
) -> None:
    text = 'id,resume\n1,"José; Núñez, | nurse"\n2,"two\nlines"\n'.replace("d,r", f"d{separator}r").replace(
        ',"', f'{separator}"'
    )
    found = read(write(tmp_path / "a.csv", text.encode(encoding)))
    assert [(r.id, r.text) for r in found] == [("1", "José; Núñez, | nurse"), ("2", "two\nlines")]
    assert [r.source.rpartition(" ")[2] for r in found] == ["2", "3"]
    said = " ".join(read.said)
    assert ("separated" in said) is (separator != ",")
    assert ("Windows-1252" in said) is (encoding == "cp1252")


def test_excels_own_first_line_tells_the_separator(read: Reader, tmp_path: Path) -> None:
    (resume,) = read(write(tmp_path / "a.csv", "sep=;\r\nid;resume\r\n1;x, y\r\n"))
    assert (resume.id, resume.text, resume.source[-6:]) == ("1", "x, y", "line 3")


def test_columns_are_guessed_and_the_guess_is_said(read: Reader, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "ID,Resume_str,Resume_html,Category\n7,engineer,<p>,IT\n")
    assert [(r.id, r.text) for r in read(file)] == [("7", "engineer")]
    assert any(
        "'Resume_str' is read as the resume's text (--text-column names another)" in s for s in read.said
    )
    assert [r.text for r in read(file, text_column="Category")] == ["IT"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "id,cv,resume_text",
            "'cv' and 'resume_text' could be the resume's text; say which with --text",
        ),
        ("candidate_id,applicant,cv", "'candidate_id' and 'applicant' could be the candidate's id"),
        ("who,cv,x", "no column looks like the candidate's id; it has who, cv, x; name one with --id-column"),
        ("id,y,x", "no column looks like the resume's text; it has id, y, x; name one with --text-column"),
        ("id,resume,resume", "column 'resume' stands there twice"),
    ],
)
def test_what_cannot_be_guessed_is_asked_for(read: Reader, tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        read(write(tmp_path / "a.csv", f"{header}\n1,2,3\n"))


def test_a_file_without_a_header_does_not_show_its_cells(read: Reader, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="it has 2 columns, which do not look like a header") as caught:
        read(write(tmp_path / "a.csv", f'Jane Doe,"{TEXT}"\nSam Roe,nurse\n'))
    assert "Jane" not in caught.value.message


def test_rows_without_ids_can_be_numbered(read: Reader, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", 'resume_text,category\n"two\nlines",x\nnurse,y\n')
    assert [r.id for r in read(file, number_rows=True)] == ["line-2", "line-4"]


def test_json_lines_take_numbers_as_ids(read: Reader, tmp_path: Path) -> None:
    rows = '{"id": 7, "resume": "python", "extra": 1}\n\n{"id": "b", "resume": "x"}\n'
    found = read(write(tmp_path / "r.ndjson", rows))
    assert [(r.id, r.text, r.source[-6:]) for r in found] == [("7", "python", "line 1"), ("b", "x", "line 3")]


def test_parquet_is_read_in_batches(read: Reader, tmp_path: Path) -> None:
    file = tmp_path / "r.parquet"
    rows = [{"applicant_id": i, "cv": f"engineer {i}", "other": 1.5} for i in range(600)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    found = read(file)
    assert [(r.id, r.text) for r in (found[0], found[-1])] == [("0", "engineer 0"), ("599", "engineer 599")]
    assert found[-1].source.endswith("row 600")
    with pytest.raises(TableError, match="is not Parquet"):
        read(write(tmp_path / "no.parquet", "id,resume\n"))


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("r.csv", "id,resume\n", TableError, "holds no resumes"),
        ("r.csv", "", TableError, "is empty"),
        ("r.csv", "id,resume\n1\n", TableError, "line 2: 1 cells; the header has 2"),
        ("r.csv", "id,resume\n1,x, y\n", TableError, "line 2: 3 cells; the header has 2"),
        ("r.csv", "id,resume\n ,x\n", TableError, "column 'id' is empty"),
        ("r.csv", 'id,resume\n1,"x\n', TableError, "line 2"),
        ("r.csv", "id,resume\n1,x\n1,y\n", DuplicateIdError, r"line 3 has the same id as line 2"),
        ("r.csv", b"id,resume\n1,caf\xe9\n2,caf\xc3\xa9\n", UndecodableTextError, "line 2 is not UTF-8"),
        ("r.jsonl", '{"id": 1, "resume": "x"}\nsecret', TableError, "line 2: not JSON"),
        ("r.jsonl", "[1]", TableError, "line 1: not a JSON object"),
        ("r.jsonl", '{"id": true, "resume": "x"}', TableError, "column 'id'"),
        ("r.jsonl", '{"id": "a", "resume": null}', TableError, "column 'resume'"),
        ("r.jsonl", "[" * 100_000, TableError, "line 1: not JSON"),
        ("r.jsonl", '{"id": "\\ud800", "resume": "x"}', TableError, "column 'id' holds null characters"),
        ("r.jsonl", '{"id": "a\\u0000", "resume": "x"}', TableError, "column 'id' holds null characters"),
        (
            "r.csv",
            b"PK\x03\x04 xl/workbook.xml",
            NotTextError,
            r"Excel workbook \(XLSX\); save its sheet as CSV",
        ),
        ("r.txt", b"", EvenmatchError, "is empty: it has 0 bytes"),
        ("r.pdf", b"%PDF-1.7\n1 0 obj", EvenmatchError, r"r\.pdf"),
    ],
)
def test_an_unusable_file_is_named_with_its_line(
    read: Reader, tmp_path: Path, name: str, content: str | bytes, error: type[EvenmatchError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        read(write(tmp_path / name, content))
    assert str(tmp_path / name) in caught.value.message
    assert "secret" not in caught.value.message
    assert caught.value.__cause__ is None


def test_one_malformed_row_of_many_is_named_and_the_others_come(read: Reader, tmp_path: Path) -> None:
    lines = ["id,resume", *(f"{i},engineer {i}" for i in range(2, 10_001))]
    lines[6] = "7,engineer,7"
    errors = ErrorCollector()
    found = read(write(tmp_path / "r.csv", "\n".join(lines) + "\n"), errors=errors)
    (error,) = errors.errors
    assert error.message.endswith("r.csv line 7: 3 cells; the header has 2")
    assert len(found) == 9_998
    assert "7" not in {resume.id for resume in found[:8]}


def test_a_line_of_another_encoding_loses_its_row_alone(read: Reader, tmp_path: Path) -> None:
    rows = b'id,resume\n1,caf\xe9\n2,caf\xc3\xa9\n3,"a\nb \xe9"\n4,x\n'
    errors = ErrorCollector()
    found = read(write(tmp_path / "r.csv", rows), errors=errors)
    assert [(one.id, one.text) for one in found] == [("2", "café"), ("4", "x")]
    assert [error.message.partition("r.csv ")[2][:6] for error in errors.errors] == ["line 2", "line 5"]


def test_a_table_stands_alone(read: Reader, tmp_path: Path) -> None:
    table, text = write(tmp_path / "r.csv", "id,resume\n1,x\n"), write(tmp_path / "a.txt", "y")
    with pytest.raises(TableError, match="give it alone"):
        read(table, text)
    with pytest.raises(TableError, match=r"r\.csv is a table: give it alone, not in a folder"):
        read(tmp_path)


def test_all_bad_files_are_named_at_once_or_gathered(read: Reader, tmp_path: Path) -> None:
    scan = pdf("q 500 0 0 500 50 50 cm /I Do Q", image=True)
    files = [
        write(tmp_path / "a.pdf", scan),
        write(tmp_path / "b.txt", "python"),
        tmp_path / "gone.txt",
        write(tmp_path / "c.png", b"\x89PNG\r\n\x1a\n"),
    ]
    with pytest.raises(InputErrors) as caught:
        read(*files)
    assert {error.code for error in caught.value.errors} == {
        "no_text_layer",
        "unusable_table",
        "unsupported_document",
    }
    errors = ErrorCollector()
    assert [resume.id for resume in read(*files, errors=errors)] == ["b"]
    assert len(errors.errors) == 3


def test_a_file_name_that_is_not_utf8_makes_an_id_that_can_be_written(read: Reader, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/ren\xe9.txt"
    try:
        Path(os.fsdecode(name)).write_text("python")
    except OSError:
        pytest.skip("this file system takes only UTF-8 in names")
    (resume,) = read(os.fsdecode(name))
    assert resume.id == "ren?"
    assert resume.source.encode()


def test_a_table_of_many_rows_is_not_held_in_memory(texts: DocumentTexts, tmp_path: Path) -> None:
    import tracemalloc

    file = write(tmp_path / "r.csv", "id,resume\n" + "".join(f"{i},{'word ' * 100}\n" for i in range(10_000)))
    errors = ErrorCollector()
    tracemalloc.start()
    found = GivenResumes([str(file)], ResumeOptions(), max_bytes=1_000, errors=errors, say=lambda _: None)
    count = sum(1 for _ in found.each(errors))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, found.count(errors)) == (10_000, 10_000)
    assert peak < file.stat().st_size


def test_archives_are_read_like_folders(read: Reader, tmp_path: Path) -> None:
    bomb = b"0" * (30 * 2**20)
    content = zipped(
        {
            "cvs/a.txt": "engineer",
            "cvs/a.pdf": pdf(line(TEXT, 72, 700)),
            "__MACOSX/cvs/._a.txt": "x",
            "nested.zip": zipped({"b.txt": "nurse"}),
            "../escape.txt": "nurse",
            "bomb.txt": bomb,
        }
    )
    errors = ErrorCollector()
    found = read(write(tmp_path / "all.zip", content), errors=errors)
    assert [(r.id, r.text.strip()) for r in found] == [("cvs/a.txt", "engineer"), ("cvs/a.pdf", TEXT)]
    assert {error.code for error in errors.errors} == {"nested_archive", "unsafe_path", "compression_ratio"}
    assert all("all.zip[" in error.message for error in errors.errors)
