"""A file on disk that nobody else can read, and archives that are read from it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import BinaryIO, cast

from service.files.documents.archives import ArchiveLimits, is_archive, unpacked
from service.jobs.sealed_files import SealedFile


def sealed(folder: Path, content: bytes, part: int = 70_001) -> SealedFile:
    file = SealedFile(folder)
    for start in range(0, len(content), part):
        file.append(content[start : start + part])
    file.finish()
    return file


def test_a_sealed_file_reads_as_it_was_written_and_is_nowhere_on_the_disk(tmp_path: Path) -> None:
    content = bytes(range(256)) * 1_000
    with sealed(tmp_path, content) as file:
        assert file.read() == content
        for start, size in ((0, 10), (65_530, 20), (131_072, 65_536), (255_990, 100), (300_000, 1)):
            file.seek(start)
            assert file.read(size) == content[start : start + size]
        assert list(tmp_path.iterdir()) == []


def test_an_archive_is_unpacked_from_it(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(300):
            archive.writestr(f"{i}.txt", bytes(f"resume {i} " * 500, "ascii"))
    with sealed(tmp_path, out.getvalue(), 999) as file:
        source = cast(BinaryIO, file)
        assert is_archive(source)
        found = list(unpacked(source, ArchiveLimits(), field="file", max_member_bytes=10_000))
        assert [one.name for one in found] == [f"{i}.txt" for i in range(300)]
        assert {getattr(one, "data", b"")[:7] for one in found} == {b"resume "}
