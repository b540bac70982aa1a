from __future__ import annotations

import io
import zipfile

import pytest

from service.core.errors import ArchiveError, ArchiveTooLargeError
from service.files.documents.archives import ArchiveLimits, Member, RefusedMember, is_archive, unpacked
from tests.service.files.documents.small_files import docx, paragraph, pdf, zipped


def codes(data: bytes, *, max_member_bytes: int = 10 * 2**20, **limits: float) -> dict[str, str]:
    """What became of each file: its error's code, or "read"."""
    found = unpacked(data, ArchiveLimits(**limits), field="files[0]", max_member_bytes=max_member_bytes)
    return {one.name: "read" if isinstance(one, Member) else one.error.code for one in found}


def test_files_come_one_by_one_and_bad_ones_say_why() -> None:
    data = zipped(
        {
            "cvs/jane.txt": "Jane Doe",
            "cvs/": "",
            "__MACOSX/cvs/._jane.txt": "x",
            "cvs/jim.docx": docx(paragraph("Jim")),
            "inner.zip": zipped({"a.txt": "a"}),
            "inner.docx": zipped({"a.txt": "a"}),
            "../../etc/cron.d/job": "x",
            "/etc/passwd": "x",
            "C:\\Windows\\x": "x",
            "bomb.txt": b"0" * 3_000_000,
        }
    )

    assert codes(data) == {
        "cvs/jane.txt": "read",
        "cvs/jim.docx": "read",
        "inner.zip": "nested_archive",
        "inner.docx": "nested_archive",
        "../../etc/cron.d/job": "unsafe_path",
        "/etc/passwd": "unsafe_path",
        "C:\\Windows\\x": "unsafe_path",
        "bomb.txt": "compression_ratio",
    }


def test_errors_name_the_number_and_never_the_name() -> None:
    (refused,) = unpacked(
        zipped({"../Jane Doe.txt": "x"}), ArchiveLimits(), field="files[0]", max_member_bytes=1_000
    )

    assert isinstance(refused, RefusedMember)
    assert refused.error.field == "files[0][1]"
    assert "Jane" not in refused.error.message + repr(refused)


def test_too_many_files_and_too_many_bytes_are_refused() -> None:
    data = zipped({f"{i}.txt": "x" * 1_000 for i in range(5)})

    with pytest.raises(ArchiveTooLargeError, match="5 files") as files:
        codes(data, max_archive_files=4)
    with pytest.raises(ArchiveTooLargeError, match="unpacks to more than 2,500") as total:
        codes(data, max_archive_bytes=2_500)

    assert (files.value.limit, files.value.actual) == (4, 5)
    assert total.value.limit == 2_500
    assert set(codes(zipped({"a": "x" * 5_000}), max_member_bytes=2_000).values()) == {"archive_too_large"}


def test_an_encrypted_file_is_refused_and_the_others_are_read() -> None:
    data = bytearray(zipped({"a.txt": "a", "b.txt": "b"}))
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x01\x02"))
    data[at + 8] |= 1  # the flag of the first file

    assert codes(bytes(data)) == {"a.txt": "encrypted_archive", "b.txt": "read"}


def test_a_link_is_no_file() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        link = zipfile.ZipInfo("cv.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")

    assert codes(written.getvalue()) == {"cv.txt": "unsafe_path"}


def test_a_damaged_archive_is_refused_and_a_damaged_file_alone() -> None:
    data = bytearray(zipped({"a.txt": "a" * 1_000, "b.txt": "b"}))
    data[40:44] = b"\xff\xff\xff\xff"

    with pytest.raises(ArchiveError, match="damaged"):
        codes(b"PK\x03\x04 nothing")
    assert codes(bytes(data)) == {"a.txt": "unusable_archive", "b.txt": "read"}


def test_a_file_without_a_name_is_refused_alone() -> None:
    data = zipped({"x.txt": "a", "b.txt": "b"})
    # The central directory: the first name's length 0, its letters taken out.
    entry = data.index(b"PK\x01\x02")
    start = entry + 46
    cut = data[: entry + 28] + b"\0\0" + data[entry + 30 : start] + data[start + len("x.txt") :]
    end = cut.index(b"PK\x05\x06")
    size = int.from_bytes(cut[end + 12 : end + 16], "little") - len("x.txt")
    cut = cut[: end + 12] + size.to_bytes(4, "little") + cut[end + 16 :]
    assert codes(cut) == {"": "unusable_archive", "b.txt": "read"}


def test_documents_in_containers_are_no_archives() -> None:
    assert is_archive(zipped({"a.txt": "a"}))
    assert not is_archive(docx(paragraph("Jane")))
    assert not is_archive(pdf(""))
