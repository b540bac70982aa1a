"""The real server when callers ask for more than it can do, or do not wait for what they asked."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from benchmarks import overload
from tests.e2e.conftest import Serve, Server
from tests.e2e.texts import BACKEND_JOB

MIB = 2**20


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return socket.create_connection((parts.hostname, parts.port), timeout=60)


def head(path: str, length: int, request_id: str = "none") -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"X-Request-ID: {request_id}",
    )
    return "\r\n".join((*lines, f"Content-Length: {length}", "", "")).encode()


def test_a_refused_body_is_answered_before_it_is_sent_and_the_answer_is_seen(server: Server) -> None:
    size = 9 * MIB
    with closing(connect(server.url)) as connection:
        connection.sendall(head("/v1/score", size))
        answer = connection.recv(65_536).decode()
        connection.sendall(b" " * size)  # most clients read an answer only then
        while more := connection.recv(65_536):
            answer += more.decode()
    status, _, rest = answer.partition("\r\n")
    headers, _, body = rest.lower().partition("\r\n\r\n")
    assert " 413 " in status
    assert "connection: close" in headers
    assert (json.loads(body)["limit"], json.loads(body)["actual"]) == (8 * MIB, size)


def test_a_caller_who_hangs_up_is_noticed_and_nothing_is_recorded(
    server: Server, client: httpx.Client
) -> None:
    def left() -> float:
        series = 'evenmatch_requests_total{route="/v1/score",status="499"} '
        (line,) = (line for line in client.get("/metrics").text.splitlines() if line.startswith(series))
        return float(line.rsplit(" ", 1)[1])

    def decided() -> float:
        start = "evenmatch_match_score_count{"
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(start))

    before = left(), decided()
    resumes = [" ".join(f"word{i}x{j}" for j in range(400)) for i in range(100)]
    candidates = [{"id": str(i), "resume": resume} for i, resume in enumerate(resumes)]
    body = json.dumps({"job": BACKEND_JOB, "candidates": candidates}).encode()
    with closing(connect(server.url)) as connection:
        connection.sendall(head("/v1/score", len(body), "left-early") + body)
    deadline = time.monotonic() + 60
    while left() == before[0] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (left(), decided()) == (before[0] + 1, before[1])
    while "request_id=left-early" not in server.log and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "POST /v1/score 499" in server.log


@contextmanager
def health(server: Server) -> Iterator[dict[str, Any]]:
    """The slowest answers of live and ready, their statuses, and the largest resident memory in bytes."""
    found: dict[str, Any] = {
        "/health/live": 0.0,
        "/health/ready": 0.0,
        "statuses": defaultdict(Counter),
        "rss": 0,
    }
    stop = threading.Event()
    process = psutil.Process(server.process.pid)

    def watch() -> None:
        with httpx.Client(base_url=server.url, timeout=120) as client:
            while not stop.wait(0.1):
                for path in ("/health/live", "/health/ready"):
                    started = time.monotonic()
                    found["statuses"][path][client.get(path).status_code] += 1
                    found[path] = max(found[path], time.monotonic() - started)
                found["rss"] = max(found["rss"], process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        {
            "job": BACKEND_JOB,
            "candidates": [{"id": str(i), "resume": "a bc def ghi " * 2_900} for i in range(195)],
        },
        {"job": BACKEND_JOB, "candidates": [[]] * 1_900_000},
        {"inputs": ["\n\n".join(f"w{i}x{j}" for j in range(900)) for i in range(250)], "passages": True},
    ],
    ids=["text", "lists", "passages"],
)
def test_fifty_of_the_largest_requests_at_once_stop_nobody(serve: Serve, body: dict[str, Any]) -> None:
    server = serve()
    data = json.dumps(body).encode()
    path = "/v1/embed" if "inputs" in body else "/v1/score"

    def send(_: int) -> int:
        with httpx.Client(base_url=server.url, timeout=300) as client:
            answer = client.post(path, content=data, headers={"content-type": "application/json"})
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1
            return answer.status_code

    with health(server) as found, ThreadPoolExecutor(50) as pool:
        statuses = Counter(pool.map(send, range(50)))
    assert set(statuses) <= {413, 422, 429}
    assert set(found["statuses"]["/health/live"]) == {200}
    assert found["rss"] < 1.2 * 1024 * MIB
    one = {"job": BACKEND_JOB, "candidates": [{"id": "c", "resume": "python engineer"}]}
    assert httpx.post(f"{server.url}/v1/score", json=one, timeout=300).status_code == 200


@pytest.mark.slow
def test_patient_callers_are_served_beside_those_who_leave(tmp_path: Path) -> None:
    result = overload.measure(tmp_path, seconds=120, threads=2)
    assert list(result.faults()) == []
    assert result.watched.dead == 0
    assert set(result.patient.statuses) == {200}
    assert result.hasty.left
    # How much a second that is depends on what else the machine does: `python -m benchmarks.overload`.
    assert result.useful > 0.7
