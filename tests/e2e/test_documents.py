"""Documents of the tools that people have, sent by curl to the real server with the real model."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.e2e.conftest import CHECKOUT, Server
from tests.e2e.texts import BACKEND_JOB

FIXTURES = CHECKOUT / "tests/service/files/documents/fixtures"
RESUMES = ("kendall-p2.pdf", "typstside-p1.pdf", "even-p0.pdf", "writer-p0.docx", "writertable-p1.docx")
SCORES = ("raw_score", "calibrated_probability", "decision", "redactions")

curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def sent(server: Server, path: str, *parts: str) -> tuple[int, dict[str, Any]]:
    """Status and answer of a form that curl sends."""
    command = ["curl", "-sS", "-w", "\n%{http_code}", server.url + path]
    done = subprocess.run(
        [*command, *(word for part in parts for word in ("-F", part))],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(answer)


def readers(server: Server) -> list[psutil.Process]:
    """The processes of a server that read documents."""
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [one for one in children if "service.files.documents.process" in one.cmdline()]


@curl
@pytest.mark.slow
def test_documents_score_as_the_text_that_is_read_of_them(server: Server, client: httpx.Client) -> None:
    read = [sent(server, "/v1/documents", f"file=@{FIXTURES / name}") for name in RESUMES]
    assert [status for status, _ in read] == [200] * len(RESUMES)
    assert [document["type"] for _, document in read] == ["pdf"] * 3 + ["docx"] * 2
    people = [{"id": name, "file": name} for name in RESUMES]
    request = json.dumps({"job": BACKEND_JOB, "candidates": people})
    files = [f"files=@{FIXTURES / name}" for name in RESUMES]
    status, answer = sent(server, "/v1/score", f"request={request};type=application/json", *files)
    assert status == 200, answer
    texts = [{"id": name, "resume": one["text"]} for name, (_, one) in zip(RESUMES, read, strict=True)]
    plain = client.post("/v1/score", json={"job": BACKEND_JOB, "candidates": texts}).json()
    assert [[one[key] for key in SCORES] for one in answer["results"]] == [
        [one[key] for key in SCORES] for one in plain["results"]
    ]
    assert [one["document"]["characters"] for one in answer["results"]] == [
        one["characters"] for _, one in read
    ]


@curl
def test_a_killed_reader_costs_no_request(server: Server) -> None:
    document = f"file=@{FIXTURES / RESUMES[0]}"
    first = sent(server, "/v1/redact", document)
    for reader in readers(server):
        os.kill(reader.pid, signal.SIGKILL)
    assert sent(server, "/v1/redact", document) == first


@curl
def test_neither_text_nor_the_name_of_a_file_reaches_log_or_answer(server: Server, tmp_path: Path) -> None:
    broken = tmp_path / "Zaphod Beeblebrox.pdf"
    broken.write_bytes(b"%PDF-1.7\nZaphod")
    status, answer = sent(server, "/v1/redact", f"file=@{broken}")
    assert (status, answer["code"]) == (422, "damaged_document")
    people = json.dumps({"job": BACKEND_JOB, "candidates": [{"id": "a", "file": broken.name}]})
    status, answer = sent(server, "/v1/score", f"request={people}", f"files=@{broken}")
    assert (status, answer["errors"][0]["field"]) == (422, "candidates[0].file")
    assert "Zaphod" not in server.log + json.dumps(answer)
