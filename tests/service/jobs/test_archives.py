"""ZIP files as they come: limits, tricks, and a file that nobody else can read."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from service.core.errors import ArchiveError
from service.jobs.archives import Archive, is_archive
from service.jobs.sealed_files import SealedFile


def sealed(folder: Path, content: bytes, part: int = 70_001) -> SealedFile:
    file = SealedFile(folder)
    for start in range(0, len(content), part):
        file.append(content[start : start + part])
    file.finish()
    return file


def packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def opened(folder: Path, content: bytes, **limits: int) -> Archive:
    chosen = {"max_files": 10, "max_bytes": 10_000_000, "max_file_bytes": 3_000_000, **limits}
    return Archive(sealed(folder, content), **chosen)


def test_a_sealed_file_reads_as_it_was_written_and_is_nowhere_on_the_disk(tmp_path: Path) -> None:
    content = bytes(range(256)) * 1_000
    with sealed(tmp_path, content) as file:
        assert file.read() == content
        for start, size in ((0, 10), (65_530, 20), (131_072, 65_536), (255_990, 100), (300_000, 1)):
            file.seek(start)
            assert file.read(size) == content[start : start + size]
        assert list(tmp_path.iterdir()) == []


def test_entries_in_order_without_litter_or_ways_out(tmp_path: Path) -> None:
    names = {
        "../../a.txt": b"1",
        "/b/./c.txt": b"2",
        "__MACOSX/._a": b"x",
        "d\\e.txt": b"3",
        ".DS_Store": b"",
    }
    found = [(one.name, one.content) for one in opened(tmp_path, packed(**names)).entries()]
    assert found == [("a.txt", b"1"), ("b/c.txt", b"2"), ("d/e.txt", b"3")]


def test_an_entry_at_fault_is_one_row(tmp_path: Path) -> None:
    word = packed(**{"[Content_Types].xml": b"<x/>"})
    content = packed(
        big=bytes(range(256)) * 20_000, burst=bytes(2_500_000), zip=packed(a=b""), word=word, ok=b"y"
    )
    found = {one.name: one for one in opened(tmp_path, content).entries()}
    messages = {name: one.fault.message for name, one in found.items() if one.fault is not None}
    assert {name: message[:26] for name, message in messages.items()} == {
        "big": "the file has 3,145,728 byt",
        "burst": "the file unpacks to hundre",
        "zip": "the file is a ZIP file ins",
    }
    assert (found["ok"].content, found["word"].content) == (b"y", word)


def test_an_encrypted_and_a_damaged_entry(tmp_path: Path) -> None:
    content = bytearray(packed(secret=b"x" * 50, damaged=b"abcdefgh" * 50))
    first = content.index(b"PK\x01\x02")
    content[first + 8 : first + 10] = struct.pack("<H", 1)
    place = content.index(b"damaged") + len(b"damaged")
    content[place : place + 4] = b"\xff\xff\xff\xff"
    faults = [one.fault and one.fault.message for one in opened(tmp_path, bytes(content)).entries()]
    assert faults == [
        "the file is encrypted in its ZIP file",
        "the file cannot be unpacked from its ZIP file",
    ]


def test_an_archive_of_too_much_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="has 3 files; the limit is 2"):
        opened(tmp_path, packed(a=b"", b=b"", c=b""), max_files=2)
    archive = opened(tmp_path, packed(a=b"x" * 600, b=b"y" * 600), max_bytes=1_000)
    with pytest.raises(ArchiveError, match="more than 1,000 bytes"):
        list(archive.entries())
    with pytest.raises(ArchiveError, match="damaged"):
        opened(tmp_path, b"PK\x03\x04" + b"?" * 100)


def test_documents_of_word_are_no_archives(tmp_path: Path) -> None:
    content = packed(**{"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"})
    assert is_archive(content)
    assert opened(tmp_path, content).is_document
