from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.core.errors import EmptyTextError, ErrorCollector, InputError, TableError
from service.files.document_texts import DocumentTexts
from service.files.documents.archives import ArchiveLimits
from service.files.documents.parsed import DocumentLimits
from service.files.postings import Posting, PostingOptions, read_posting, read_postings
from tests.service.files.documents.small_files import docx, paragraph


@pytest.fixture(scope="module")
def texts() -> Iterator[DocumentTexts]:
    with DocumentTexts(DocumentLimits()) as opened:
        yield opened


def read(
    given: Path, texts: DocumentTexts, said: list[str] | None = None, options: PostingOptions | None = None
) -> list[Posting]:
    errors = ErrorCollector()
    found = read_postings(
        str(given),
        options or PostingOptions(),
        texts,
        archives=ArchiveLimits(),
        errors=errors,
        say=(said if said is not None else []).append,
    )
    errors.raise_any()
    return found


def test_postings_of_a_table_are_found_by_what_their_columns_are_called(
    tmp_path: Path, texts: DocumentTexts
) -> None:
    (tmp_path / "p.csv").write_text("Req ID;Title;Description;City\n17;Nurse;Wound care;Leeds\n18;;Python;\n")
    said: list[str] = []
    found = read(tmp_path / "p.csv", texts, said)
    assert [(one.id, one.title, one.text) for one in found] == [
        ("17", "Nurse", "Wound care"),
        ("18", None, "Python"),
    ]
    assert any("'Req ID' is read as the posting's id (--job-id-column names another)" in one for one in said)
    options = PostingOptions(title_column="City", text_column="Title")
    with pytest.raises(EmptyTextError, match=r"p\.csv line 3 holds no text in column 'Title'"):
        read(tmp_path / "p.csv", texts, options=options)


def test_postings_without_ids_are_numbered_and_it_is_said(tmp_path: Path, texts: DocumentTexts) -> None:
    (tmp_path / "p.jsonl").write_text('{"job_description": "Wound care"}\n{"job_description": "Python"}\n')
    said: list[str] = []
    assert [(one.id, one.title) for one in read(tmp_path / "p.jsonl", texts, said)] == [
        ("job-1", None),
        ("job-2", None),
    ]
    assert any("they are job-1, job-2 and so on" in one for one in said)


def test_a_folder_of_documents_is_a_posting_each(tmp_path: Path, texts: DocumentTexts) -> None:
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "python.docx").write_bytes(docx(paragraph("Build services in Python.")))
    (tmp_path / "nurse.txt").write_text("Wound care")
    assert [(one.id, one.text.strip()) for one in read(tmp_path, texts)] == [
        ("nurse", "Wound care"),
        ("it/python", "Build services in Python."),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("job_id,text\n1,a\n1,b\n", "line 3 has the same id as line 2"),
        ("job_id,text\n,a\n", "line 2: the posting's id is empty"),
        ("job_id,text\n", "holds no postings"),
        ("job_id,who\n1,a\n", "no column looks like the posting's text; it has job_id, who"),
    ],
)
def test_an_unusable_table_is_named(tmp_path: Path, texts: DocumentTexts, content: str, message: str) -> None:
    (tmp_path / "p.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "p.csv", texts)


def test_one_posting_is_one_document(tmp_path: Path, texts: DocumentTexts) -> None:
    (tmp_path / "p.csv").write_text("job_id,text\n1,a\n")
    (tmp_path / "cvs").mkdir()
    (tmp_path / "cvs" / "a.txt").write_text("Wound care")
    limits = ArchiveLimits()
    assert read_posting(str(tmp_path / "cvs" / "a.txt"), "Nurse", texts, archives=limits).title == "Nurse"
    (tmp_path / "cvs" / "b.txt").write_text("Python")
    wrong = {"p.csv": "--jobs takes many", "cvs": "holds 2 files", "gone": "cannot be read"}
    for given, message in wrong.items():
        with pytest.raises(TableError, match=message):
            read_posting(str(tmp_path / given), None, texts, archives=limits)
