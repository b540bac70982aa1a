"""The first requests after "ready", all at once, where temporary files have no room."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Server, start_server
from tests.e2e.texts import BACKEND_JOB, ENGINEER

pytestmark = pytest.mark.slow

FIRST = 40
MOST_MIB = 900
"""What docs/containers.md says of the memory of 40 first requests."""

HARMLESS = re.compile(r"(decisions\.sqlite|/sys/|/proc/|/dev/|METADATA$|dist-info|python3\d+\.zip$|\.py$)")
"""Opened by every request, or read by Python for itself in microseconds; no list, model or template."""


@pytest.fixture(scope="module")
def tiny_tmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A full file system for temporary files, in memory."""
    place = tmp_path_factory.mktemp("tmpfs")
    mounted = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k,mode=1777", "tmpfs", str(place)],
            capture_output=True,
            check=False,
        )
        if sys.platform == "linux" and os.geteuid() == 0
        else None
    )
    if mounted is None or mounted.returncode:
        pytest.skip("needs to mount a tmpfs")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notes") / "opened"


@pytest.fixture(scope="module")
def cold(data_dir: Path, tiny_tmp: Path, notes: Path, server: Server) -> Iterator[Server]:
    """A server that has answered nothing yet. The model was converted for the first `server`."""
    watched = [sys.executable, "-m", "tests.e2e.watched_server", str(notes), "serve", "--port", "0"]
    running = start_server(data_dir, watched, TMPDIR=str(tiny_tmp))
    yield running
    running.terminate()


def peak_mib(server: Server) -> int:
    """Most resident memory that the process had so far."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) // 1024


def request(number: int) -> dict[str, Any]:
    candidates = [{"id": f"c-{i}", "resume": f"{ENGINEER}\nEmployee number {number}-{i}."} for i in range(5)]
    return {"job": BACKEND_JOB, "candidates": candidates}


def test_forty_first_requests_at_once_are_answered_in_bounded_memory(cold: Server) -> None:
    before = peak_mib(cold)
    with httpx.Client(base_url=cold.url, timeout=600, limits=httpx.Limits(max_connections=None)) as client:
        assert client.get("/health/ready").status_code == 200, "the log said that it is ready"
        with ThreadPoolExecutor(FIRST) as threads:
            answers = list(threads.map(lambda i: client.post("/v1/score", json=request(i)), range(FIRST)))
        assert {answer.status_code for answer in answers} == {200}
        assert client.get("/health/ready").status_code == 200
    assert peak_mib(cold) <= MOST_MIB, f"{before} MiB when it was ready"


def test_no_first_request_of_a_route_loads_anything(cold: Server, notes: Path) -> None:
    with httpx.Client(base_url=cold.url, timeout=600) as client:
        decision = client.post("/v1/score", json=request(0)).json()["results"][0]["decision_id"]
        audited = {"job": BACKEND_JOB, "resumes": [{"id": "c", "resume": ENGINEER}], "explain": True}
        outcome = {"decision_id": decision, "kind": "label", "outcome": "positive"}
        for path, body in (
            ("/v1/redact", {"resume": ENGINEER}),
            ("/v1/embed", {"inputs": [ENGINEER], "kind": "resume"}),
            ("/v1/embeddings", {"input": "java"}),
            ("/v1/audit/counterfactual", audited),
            ("/v1/outcomes", outcome),
            ("/v1/outcomes/bulk", {"outcomes": [outcome]}),
            ("/v1/score", {"nonsense": ENGINEER}),
        ):
            answer = client.post(path, json=body)
            assert answer.status_code in (200, 201, 422), (path, answer.text)
        for path in (
            "/health/live",
            "/health/ready",
            "/metrics",
            "/v1/model",
            "/v1/fairness?window=1d",
            *(f"/v1/fairness/report?format={form}" for form in ("json", "csv", "html")),
            "/openapi.json",
            "/docs",
        ):
            assert client.get(path).status_code == 200, path
    late = [line for line in notes.read_text().splitlines() if not HARMLESS.search(line)]
    assert not late
