"""`evenmatch redact` on documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from tests.service.files.documents.small_files import docx, line, paragraph, pdf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cvs" / "deep").mkdir(parents=True)
    (tmp_path / "cvs" / "a.pdf").write_bytes(pdf(line("Jane Roe", 72, 700) + line("engineer", 72, 680)))
    (tmp_path / "cvs" / "deep" / "a.docx").write_bytes(docx(paragraph("Jane Roe") + paragraph("nurse")))
    (tmp_path / "cvs" / "deep" / "w.txt").write_bytes("Jane Roe\nCafé engineer".encode("cp1252"))
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["redact", *map(str, arguments)])


def test_documents_are_redacted_into_a_folder_like_theirs(folder: Path) -> None:
    done = run(folder / "cvs", "--output", folder / "out")
    assert done.exit_code == 0, done.output
    written = {
        str(file.relative_to(folder / "out")): file.read_text() for file in folder.glob("out/**/*.txt")
    }
    assert {name: text.split() for name, text in written.items()} == {
        "a.txt": ["[NAME]", "engineer"],
        "deep/a.txt": ["[NAME]", "nurse"],
        "deep/w.txt": ["[NAME]", "Café", "engineer"],
    }
    assert "deep/w: 1 name" in done.stderr
    assert "encoding guessed" in done.stderr


def test_no_resume_is_replaced(folder: Path) -> None:
    done = run(folder / "cvs" / "deep" / "w.txt", "--output", folder / "cvs" / "deep")
    assert done.exit_code == 3
    assert "is a file of resumes, which the output would replace" in " ".join(done.stderr.split())
    assert (folder / "cvs" / "deep" / "w.txt").read_bytes().startswith(b"Jane")
