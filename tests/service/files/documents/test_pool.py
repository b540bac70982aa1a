from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.core.errors import (
    CallerGoneError,
    ConfigurationError,
    DamagedDocumentError,
    DocumentTooCostlyError,
    DocumentTooLargeError,
    ShuttingDownError,
)
from service.files.documents.parsed import DocumentLimits
from service.files.documents.pool import DocumentReader
from tests.service.files.documents.small_files import docx, line, paragraph, pdf

RESUME = pdf(line("Jane Doe, engineer of bridges", 100, 700))
COSTLY = b"<p>" + b"<b><i>word</i></b> " * 150_000
"""Seconds of CPU time, and some hundred megabytes."""


@pytest.fixture(scope="module")
def shared() -> Iterator[DocumentReader]:
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("EVENMATCH_LOG_KEY", "secret")
        reader = DocumentReader()
        reader.warm_up()
    yield reader
    reader.stop()


def test_a_document_is_read_by_another_process(shared: DocumentReader) -> None:
    document = shared.read(RESUME, field="file")

    assert document.text == "Jane Doe, engineer of bridges"
    assert shared.pids
    assert os.getpid() not in shared.pids
    assert "Jane" not in repr(document)


def test_errors_name_the_input_that_they_are_about(shared: DocumentReader) -> None:
    with pytest.raises(DamagedDocumentError, match=r"candidates\[3\]\.file is damaged") as damaged:
        shared.read(b"%PDF-1.7 and no more", field="candidates[3].file")
    with pytest.raises(DocumentTooLargeError, match=r"^file has 11,000,000 bytes") as large:
        shared.read(bytes(11_000_000), field="file")

    assert damaged.value.field == "candidates[3].file"
    assert large.value.limit == 10 * 2**20


def test_a_worker_keeps_documents_and_settings_to_itself(shared: DocumentReader) -> None:
    shared.read(RESUME, field="file")
    process = Path(f"/proc/{shared.pids[0]}")

    assert b"EVENMATCH" not in (process / "environ").read_bytes()
    limits = {row[:26].strip(): row[26:].split()[0] for row in (process / "limits").read_text().splitlines()}
    assert limits["Max core file size"] == "1"  # 0 does not stop a dump that is piped
    assert limits["Max address space"] != "unlimited"


def test_a_killed_worker_costs_no_document(shared: DocumentReader) -> None:
    for pid in shared.pids:
        os.kill(pid, signal.SIGKILL)

    assert shared.read(RESUME, field="file").text == "Jane Doe, engineer of bridges"


def test_limits_of_time_and_memory_refuse_one_document_and_the_next_is_read() -> None:
    slow = DocumentReader(DocumentLimits(document_cpu_seconds=0.2))
    small = DocumentReader(DocumentLimits(document_memory_mib=64, max_unpacked_bytes=2**30))
    try:
        with pytest.raises(
            DocumentTooCostlyError, match=r"^reading cv took more than 0.2 s of CPU time"
        ) as time:
            slow.read(COSTLY, field="cv")
        with pytest.raises(DocumentTooCostlyError, match="memory") as memory:
            small.read(docx(paragraph("x" * 90_000_000)), field="cv")

        assert time.value.field == memory.value.field == "cv"
        assert memory.value.limit == 64
        for reader in (slow, small):
            assert reader.read(b"Jane Doe, engineer", field="cv").text == "Jane Doe, engineer"
    finally:
        slow.stop()
        small.stop()


def test_a_document_that_ends_two_workers_is_refused() -> None:
    reader = DocumentReader()
    try:
        reader.warm_up()
        killed: set[int] = set()

        def kill_each() -> bool:
            for pid in set(reader.pids) - killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
            return False

        for pid in reader.pids:
            os.kill(pid, signal.SIGSTOP)  # so that it is not done before it is killed
        with pytest.raises(DocumentTooCostlyError, match="reader ended") as refused:
            reader.read(COSTLY, field="cv", cancelled=kill_each)

        assert refused.value.field == "cv"
        assert len(killed) == 2
        assert reader.read(RESUME, field="cv").pages == 1
    finally:
        reader.stop()


def test_a_worker_killed_in_the_midst_of_a_document_reads_it_again(shared: DocumentReader) -> None:
    shared.read(RESUME, field="cv")
    killed: list[int] = []

    def kill_once() -> bool:
        if not killed:
            killed.extend(shared.pids)
            os.kill(killed[0], signal.SIGKILL)
        return False

    os.kill(shared.pids[0], signal.SIGSTOP)  # so that it is not done before it is killed

    assert shared.read(RESUME, field="cv", cancelled=kill_once).text == "Jane Doe, engineer of bridges"
    assert not set(killed) & set(shared.pids)


@pytest.mark.slow
def test_a_worker_that_hangs_is_replaced() -> None:
    reader = DocumentReader(stall_seconds=10)
    try:
        reader.warm_up()
        os.kill(reader.pids[0], signal.SIGSTOP)

        assert reader.read(RESUME, field="cv").pages == 1
    finally:
        reader.stop()


def test_a_caller_who_has_gone_is_not_waited_for() -> None:
    reader = DocumentReader()
    try:
        reader.warm_up()
        os.kill(reader.pids[0], signal.SIGSTOP)
        with pytest.raises(CallerGoneError):
            reader.read(RESUME, field="cv", cancelled=lambda: True)
    finally:
        reader.stop()


def test_several_processes_read_side_by_side_and_none_after_stop() -> None:
    reader = DocumentReader(size=2)
    read: list[str] = []
    threads = [
        threading.Thread(target=lambda: read.append(reader.read(RESUME, field="cv").text)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    reader.stop()

    assert read == ["Jane Doe, engineer of bridges"] * 4
    with pytest.raises(ShuttingDownError):
        reader.read(RESUME, field="cv")


def test_ocr_without_its_program_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(ConfigurationError, match="tesseract"):
        DocumentReader(DocumentLimits(ocr=True))
