from __future__ import annotations

from pathlib import Path

import pytest

from service.core.errors import DuplicateIdError, ErrorCollector, TableError
from service.files.documents.archives import ArchiveLimits
from service.files.given_files import GivenFiles, find_files


def find(*given: Path | str, leave_out: tuple[Path, ...] = ()) -> GivenFiles:
    errors = ErrorCollector()
    found = find_files(
        list(map(str, given)), limits=ArchiveLimits(), max_bytes=100, errors=errors, leave_out=leave_out
    )
    errors.raise_any()
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.txt", "b.txt", "b.md", "sub/a.txt", "sub/deep/c.d.txt", "Thumbs.db", ".x"):
        (tmp_path / "cvs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "cvs" / name).write_text(name)
    return tmp_path / "cvs"


def test_files_of_a_folder_are_named_by_their_path_in_it(folder: Path) -> None:
    assert find(folder).ids == ["a", "b.md", "b.txt", "sub/a", "sub/deep/c.d"]


def test_files_of_the_same_name_get_longer_ids(folder: Path) -> None:
    assert find(folder / "a.txt", folder / "b.txt").ids == ["a", "b"]
    assert find(folder / "b.txt", folder / "b.md").ids == ["b.txt", "b.md"]
    assert find(folder / "a.txt", folder / "sub" / "a.txt").ids == ["cvs/a.txt", "sub/a.txt"]
    other = folder.parent / "more"
    other.mkdir()
    (other / "a.txt").write_text("x")
    assert find(folder, other).ids == ["cvs/a.txt", "b.md", "b.txt", "sub/a", "sub/deep/c.d", "more/a.txt"]


def test_ids_that_differ_by_case_alone_get_longer(folder: Path) -> None:
    (folder / "A.md").write_text("x")
    assert {"A.md", "a.txt"} <= set(find(folder).ids)


def test_an_id_that_is_another_files_name_is_not_taken_twice(tmp_path: Path) -> None:
    for name in ("a.pdf", "a.txt", "a.pdf.txt"):
        (tmp_path / name).write_text("x")
    assert len(set(find(tmp_path).ids)) == 3


def test_patterns_need_no_shell(folder: Path) -> None:
    assert find(folder / "*.txt").ids == ["a", "b"]
    assert sorted(find(folder / "**" / "*.txt").ids) == ["b", "c.d", "cvs/a.txt", "sub/a.txt"]
    assert find(folder / "su*").ids == ["a", "deep/c.d"]
    with pytest.raises(TableError, match="fits no file"):
        find(folder / "*.pdf")


def test_the_posting_is_no_resume(folder: Path) -> None:
    assert find(folder, leave_out=(folder / "a.txt",)).ids == ["b.md", "b.txt", "sub/a", "sub/deep/c.d"]


def test_a_file_given_twice_is_named(folder: Path) -> None:
    with pytest.raises(DuplicateIdError, match="is given twice"):
        find(folder / "a.txt", folder / "a.txt")
    with pytest.raises(DuplicateIdError, match=r"a\.txt is given twice"):
        find(folder, folder / "sub" / "a.txt")


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"gone\.txt cannot be read: No such file"):
        find(tmp_path / "gone.txt")
    with pytest.raises(TableError, match="holds no files"):
        find(tmp_path)


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    (folder / "big.txt").write_bytes(b"x" * 101)
    (document,) = find(folder / "big.txt").documents()
    assert document.error is not None
    assert (document.error.code, document.error.actual) == ("document_too_large", 101)
