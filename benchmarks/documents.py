"""PDF files read a second, beside what PDFium alone takes to hand out their text, in turns.

`python -m benchmarks.documents` reads the fixtures of the tests; give a folder for other files. Files named
`NAME-pSEED.pdf` (tests/support/made_documents) are also checked for their reading order. A shared machine
changes its speed, so the ratio of CPU times within a round says more than the files a second.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2

from service.core.errors import DocumentError
from service.files.documents.parsed import DocumentLimits
from service.files.documents.parsers import parse_document
from service.files.documents.pool import DocumentReader
from tests.support.made_documents.people import person
from tests.support.made_documents.reading_order import faults

FIXTURES = Path(__file__).resolve().parents[1] / "tests/service/files/documents/fixtures"
_MADE = re.compile(r"(.+)-p(\d+)\.pdf$")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FIXTURES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    files = [file for file in sorted(given.folder.glob("*.pdf")) if _is_read(file)]
    contents = [file.read_bytes() for file in files]
    limits = DocumentLimits()
    read, raw = [], []
    for _ in range(given.rounds):
        raw.append(_cpu(_raw_text, contents))
        read.append(_cpu(lambda data: parse_document(data, limits), contents))
    pages = sum(parse_document(data, limits).pages or 0 for data in contents)
    reader = DocumentReader(limits, size=given.processes)
    try:
        with ThreadPoolExecutor(given.processes) as threads:
            list(threads.map(lambda data: reader.read(data, field="file"), contents))
            start = time.perf_counter()
            list(threads.map(lambda data: reader.read(data, field="file"), contents * given.rounds))
            pooled = time.perf_counter() - start
    finally:
        reader.stop()
    ratio = statistics.median(a / b for a, b in zip(read, raw, strict=True))
    per_file = statistics.median(read) / len(files)
    sys.stdout.write(
        f"{len(files)} PDF files, {pages} pages\n"
        f"reading: {1000 * per_file:.1f} ms of CPU time a file, {1 / per_file:.0f} a second and core\n"
        f"PDFium alone: {1000 * statistics.median(raw) / len(files):.1f} ms; ratio: {ratio:.1f}\n"
        f"{given.processes} processes: {len(files) * given.rounds / pooled:.0f} files a second by the clock\n"
        f"in the right order: {_order(files, limits)}\n"
    )


def _is_read(file: Path) -> bool:
    try:
        return "no_text_layer" not in parse_document(file.read_bytes(), DocumentLimits()).warnings
    except DocumentError:
        return False


def _cpu(read: Callable[[bytes], object], contents: Sequence[bytes]) -> float:
    """Seconds of CPU time for all files."""
    start = time.process_time()
    for data in contents:
        read(data)
    return time.process_time() - start


def _raw_text(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def _order(files: Sequence[Path], limits: DocumentLimits) -> str:
    good = made = 0
    for file in files:
        match = _MADE.match(file.name)
        if match is None or match[1] in ("hidden", "headers"):
            continue
        seed = int(match[2])
        made += 1
        text = parse_document(file.read_bytes(), limits).text
        good += not faults(text, person(seed, posts=3 + seed % 3, bullets=3 + seed % 4))
    return f"{good} of {made} files"


if __name__ == "__main__":
    main()
