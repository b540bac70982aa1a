"""Mutated files of each kind: each is read or refused by an error of ours, and the reader goes on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.core.errors import InputError
from service.files.documents.parsed import DocumentLimits
from service.files.documents.pool import DocumentReader
from tests.fuzz.mutation import mutated
from tests.service.files.documents.small_files import docx, line, paragraph, pdf
from tests.service.files.documents.test_formats import EUROPASS, HR_OPEN

FIXTURES = Path(__file__).parent / "fixtures"


def seeds() -> list[bytes]:
    """Small files of each kind, so that a mutation hits something."""
    made = [
        pdf(
            line("Jane Doe", 100, 700) + "0.2 g 10 10 90 90 re f " + line("engineer", 20, 20, ink="1 g"),
            image=True,
        ),
        docx(paragraph("Jane Doe") + f"<w:tbl><w:tr><w:tc>{paragraph('Go')}</w:tc></w:tr></w:tbl>"),
        b"{\\rtf1\\ansi{\\colortbl;\\red255\\green255\\blue255;}Jane {\\cf1 white}\\par caf\\'e9 \\u8211?}",
        b"<html><style>.x{color:#fff}</style><body><p class=x>Jane</p><table><tr><td>Go</td></tr></table></body></html>",
        b"# Jane\n\n**Go** [x](https://example.com)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        b"Jane Doe\nengineer of bridges\n",
        b'{"basics": {"name": "Jane"}, "work": [{"name": "Acme"}]}',
        EUROPASS.encode(),
        HR_OPEN.encode(),
    ]
    names = ("writer-p0.docx", "writertable-p1.odt", "writertable-p1.rtf", "paracol-p3.pdf")
    return made + [(FIXTURES / name).read_bytes() for name in names]


def cases(count: int, seed: int) -> Iterator[bytes]:
    draw = random.Random(seed)
    files = seeds()
    for i in range(count):
        yield mutated(files[i % len(files)], draw)


def attack(count: int, seed: int) -> tuple[int, int]:
    """How many mutated files were read, and how many were refused. What else is raised fails the test."""
    reader = DocumentReader(DocumentLimits(document_cpu_seconds=20, document_memory_mib=512))
    read = refused = 0
    try:
        for i, data in enumerate(cases(count, seed)):
            try:
                document = reader.read(data, field=f"file {i}")
            except InputError:
                refused += 1
            else:
                assert document.characters <= 400_000
                read += 1
        assert reader.read(b"Jane Doe, engineer", field="file").text == "Jane Doe, engineer"
    finally:
        reader.stop()
    return read, refused


def test_mutated_files_are_read_or_refused() -> None:
    read, refused = attack(260, seed=17)

    assert read > 50
    assert refused > 20


@pytest.mark.slow
def test_a_hundred_thousand_mutated_files_end_no_service() -> None:
    read, refused = attack(100_000, seed=1717)

    assert read + refused == 100_000
