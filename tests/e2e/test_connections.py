"""Connections that misbehave, byte for byte: what becomes of them, and of everybody else."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import psutil
import pytest

from service.core.bundle import Bundle
from tests.e2e.conftest import FAKE, Server, StartFake, start_server

POST = b"POST /v1/redact HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
PATIENCE_SECONDS = 60
"""For what comes after a second or two on an idle machine."""


@pytest.fixture(scope="module")
def hasty(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service that gives nobody more than a second or two."""
    running = start_server(
        tmp_path_factory.mktemp("hasty"),
        FAKE,
        EVENMATCH_BUNDLE=str(tiny_bundle.path),
        EVENMATCH_PORT="0",
        EVENMATCH_HEADER_SECONDS="1",
        EVENMATCH_BODY_SECONDS="1.5",
        EVENMATCH_WRITE_SECONDS="1",
        EVENMATCH_KEEP_ALIVE_SECONDS="2",
    )
    yield running
    running.process.kill()
    running.wait()


def connect(server: Server, data: bytes = b"") -> socket.socket:
    url = httpx.URL(server.url)
    connection = socket.create_connection((url.host, url.port or 0), timeout=PATIENCE_SECONDS)
    connection.sendall(data)
    return connection


def to_the_end(connection: socket.socket) -> bytes:
    """All that the service sends until it closes the connection; a reset is an error."""
    received = b""
    with connection:
        while data := connection.recv(65_536):
            received += data
    return received


def answer_in(received: bytes) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of the one answer."""
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body.decode()


def closed(server: Server, reason: str) -> float:
    """How many connections were closed for this reason."""
    found = re.search(
        rf'^evenmatch_connections_closed_total{{reason="{reason}"}} (\S+)$',
        httpx.get(f"{server.url}/metrics", timeout=PATIENCE_SECONDS).text,
        re.MULTILINE,
    )
    assert found is not None
    return float(found[1])


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.1)


def silence(server: Server) -> bytes:
    return to_the_end(connect(server))


def two_requests_and_a_pause(server: Server) -> bytes:
    connection = connect(server, GET)
    assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
    connection.sendall(GET)
    return to_the_end(connection)


def half_a_body_that_nobody_reads(server: Server) -> bytes:
    return to_the_end(connect(server, GET[:-2] + b"Content-Length: 100\r\n\r\n{"))


def a_slow_body(server: Server) -> bytes:
    """Longer than the time for a body, but fast enough. It has no resume, which only who read it can know."""
    body = json.dumps({"no resume": "nurse " * 8_000}).encode()
    connection = connect(server, POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
    for start in range(0, len(body), 10_000):
        connection.sendall(body[start : start + 10_000])
        time.sleep(0.3)
    return to_the_end(connection)


def a_trickling_body(server: Server) -> bytes:
    """No pause in it is as long as the time for a body."""
    end = time.monotonic() + PATIENCE_SECONDS
    with connect(server, POST + b"Content-Length: 1000\r\n\r\n") as connection:
        connection.settimeout(0.05)
        while time.monotonic() < end:
            connection.sendall(b" ")
            try:
                return connection.recv(65_536)
            except TimeoutError:
                continue
    return b""


def a_refused_upload(server: Server) -> bytes:
    """Were it closed at once, a reset would answer what is still under way, and the answer be lost."""
    connection = connect(server, b"no HTTP\r\n\r\n")
    for _ in range(20):
        connection.sendall(b"x" * 10_000)
        time.sleep(0.01)
    return to_the_end(connection)


def answers_that_nobody_reads(server: Server) -> bytes:
    """Until the service drops them."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    url = httpx.URL(server.url)
    with connection:
        connection.connect((url.host, url.port))
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 60)
        wait_for(lambda: closed(server, "write_timeout") > 0)
    return b""


HALVES = {
    "half a request line": (b"POST /v1/re", 408, "header_timeout"),
    "half a header": (POST + b"Content-Length: 100\r\n", 408, "header_timeout"),
    "no body": (POST + b"Content-Length: 100\r\n\r\n", 408, "body_timeout"),
    "half a body": (POST + b"Content-Length: 100\r\n\r\n{", 408, "body_timeout"),
    "half a chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc", 408, "body_timeout"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 30, 400, "invalid_http"),
    "no chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", 400, "invalid_http"),
}
SCENES = (
    silence,
    two_requests_and_a_pause,
    half_a_body_that_nobody_reads,
    a_slow_body,
    a_trickling_body,
    a_refused_upload,
    answers_that_nobody_reads,
)
Scene = Callable[[Server], bytes]


@pytest.fixture(scope="module")
def endings(hasty: Server) -> dict[str | Scene, bytes]:
    """What each of them received, all at the same time."""
    with ThreadPoolExecutor(len(HALVES) + len(SCENES)) as pool:
        running: dict[str | Scene, Future[bytes]] = {scene: pool.submit(scene, hasty) for scene in SCENES}
        for name, (sent, _, _) in HALVES.items():
            running[name] = pool.submit(lambda data: to_the_end(connect(hasty, data)), sent)
        return {name: future.result() for name, future in running.items()}


@pytest.mark.parametrize("name", HALVES)
def test_half_a_request_is_answered_with_a_problem_and_ended(
    hasty: Server, endings: dict[str | Scene, bytes], name: str
) -> None:
    _, status, code = HALVES[name]
    got, headers, body = answer_in(endings[name])
    assert (got, headers["connection"]) == (status, "close")
    assert headers["content-type"] == "application/problem+json"
    problem = json.loads(body)
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["request_id"] == headers["x-request-id"]
    wait_for(lambda: problem["request_id"] in hasty.log)


def test_silence_is_ended_without_a_word(hasty: Server, endings: dict[str | Scene, bytes]) -> None:
    assert endings[silence] == b""
    assert closed(hasty, "header_timeout") > 0


def test_a_connection_is_kept_between_requests_and_then_ended(endings: dict[str | Scene, bytes]) -> None:
    status, headers, _ = answer_in(endings[two_requests_and_a_pause])
    assert status == 200
    assert "connection" not in headers


def test_the_rest_of_a_request_that_was_answered_is_not_waited_for_long(
    hasty: Server, endings: dict[str | Scene, bytes]
) -> None:
    assert answer_in(endings[half_a_body_that_nobody_reads])[0] == 200
    assert closed(hasty, "body_timeout") > 0


def test_a_slow_body_is_read_and_one_that_trickles_is_given_up(endings: dict[str | Scene, bytes]) -> None:
    assert answer_in(endings[a_slow_body])[0] == 422
    assert answer_in(endings[a_trickling_body])[0] == 408


def test_an_answer_that_nobody_reads_is_dropped(hasty: Server, endings: dict[str | Scene, bytes]) -> None:
    assert closed(hasty, "write_timeout") == 1


def test_a_refused_upload_still_gets_its_answer(endings: dict[str | Scene, bytes]) -> None:
    assert answer_in(endings[a_refused_upload])[0] == 400


def test_the_service_may_open_as_many_files_as_the_system_allows(hasty: Server) -> None:
    soft, hard = psutil.Process(hasty.process.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert soft >= min(hard, 65_536)


@pytest.fixture
def cramped(tiny_bundle: Bundle, tmp_path: Path) -> Iterator[Server]:
    """A service that may open 256 files."""
    arguments = ["bash", "-c", 'ulimit -n 256; exec "$@"', "bash", *FAKE]
    running = start_server(
        tmp_path,
        arguments,
        EVENMATCH_BUNDLE=str(tiny_bundle.path),
        EVENMATCH_PORT="0",
        EVENMATCH_HEADER_SECONDS="600",
        EVENMATCH_BODY_SECONDS="600",
        EVENMATCH_KEEP_ALIVE_SECONDS="600",
    )
    yield running
    running.process.kill()
    running.wait()


@pytest.mark.slow
def test_300_connections_leave_room_for_others_where_256_files_may_be_open(cramped: Server) -> None:
    most = int(re.findall(r"(\d+) connections at most, not 1000: only 256 files", cramped.log)[0])
    assert 100 <= most <= 200

    def probe() -> list[int]:
        return [
            httpx.get(f"{cramped.url}{path}", timeout=PATIENCE_SECONDS).status_code
            for path in ("/health/live", "/health/ready", "/metrics", "/v1/model")
        ]

    with ExitStack() as stack:
        for data in (b"", GET, POST[:20]):  # silent, kept alive, half a header
            for _ in range(300):
                stack.enter_context(connect(cramped, data))
            assert probe() == [200, 200, 200, 200]
    with ExitStack() as stack:
        open_requests = [
            stack.enter_context(connect(cramped, POST + b"Content-Length: 9\r\n\r\n{")) for _ in range(300)
        ]
        # All that fit are open requests, which are not dropped: others are refused, but probes are not.
        assert probe() == [200, 200, 200, 503]
        refused = answer_in(to_the_end(open_requests[most + 5]))
        assert (refused[0], json.loads(refused[2])["code"]) == (503, "too_many_connections")
        assert (refused[1]["connection"], refused[1]["retry-after"]) == ("close", "1")
        open_requests[0].sendall(b"        ")
        assert answer_in(open_requests[0].recv(65_536))[0] in (400, 422)
    assert cramped.log.count("was closed to make room") == 1
    assert "Too many open files" not in cramped.log


@pytest.mark.slow
def test_without_a_free_descriptor_one_line_is_logged_and_no_time_is_spent(start_fake: StartFake) -> None:
    server = start_fake(EVENMATCH_WORKERS="1", EVENMATCH_HEADER_SECONDS="600", EVENMATCH_BODY_SECONDS="600")
    process = psutil.Process(server.process.pid)
    hard = process.rlimit(psutil.RLIMIT_NOFILE)[1]
    with ExitStack() as stack:
        for _ in range(5):  # open requests: nothing can be closed to make room
            stack.enter_context(connect(server, POST + b"Content-Length: 9\r\n\r\n{"))
        wait_for(lambda: httpx.get(f"{server.url}/health/live").status_code == 200)
        process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds(), hard))
        for _ in range(40):
            stack.enter_context(connect(server))
        before = process.cpu_times()
        time.sleep(5)
        after = process.cpu_times()
        assert after.user + after.system - before.user - before.system < 2
        process.rlimit(psutil.RLIMIT_NOFILE, (hard, hard))
        assert httpx.get(f"{server.url}/health/live", timeout=PATIENCE_SECONDS).status_code == 200
    assert server.log.count("no connection can be accepted for the moment: EMFILE") == 1
    assert "Traceback" not in server.log


def keep_asking(server: Server) -> tuple[int, bool]:
    """Embed over one kept connection until told that it ends; how often, and whether an answer was lost."""
    answered = 0
    body = json.dumps({"inputs": "nurse on the surgical ward", "redact": False}).encode()
    with closing(http.client.HTTPConnection(httpx.URL(server.url).netloc.decode(), timeout=60)) as kept:
        kept.connect()
        while True:
            try:
                kept.request("POST", "/v1/embed", body, {"Content-Type": "application/json"})
                response = kept.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                return answered, True
            assert response.status == 200
            answered += 1
            if response.getheader("connection") == "close":
                return answered, False


@pytest.mark.slow
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP", "SIGQUIT"])
def test_kept_connections_are_told_of_the_end_and_nothing_is_lost(start_fake: StartFake, number: str) -> None:
    server = start_fake(EVENMATCH_WORKERS="1")
    with ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(keep_asking, server) for _ in range(8)]
        wait_for(lambda: server.log.count("POST /v1/embed 200") > 16)
        half = connect(server, POST + b"Content-Length: 100\r\n\r\n{")
        wait_for(lambda: httpx.get(f"{server.url}/health/live").status_code == 200)
        subprocess.run(["kill", f"-{number.removeprefix('SIG')}", str(server.process.pid)], check=True)
        assert [client.result()[1] for client in clients] == [False] * 8
    status, headers, body = answer_in(to_the_end(half))
    assert (status, headers["connection"], json.loads(body)["code"]) == (503, "close", "shutting_down")
    assert server.wait() == -15
    assert "Traceback" not in server.log
    asked = sum(client.result()[0] for client in clients)
    assert server.log.count("POST /v1/embed 200") == asked


@pytest.mark.slow
def test_nohup_keeps_the_service_running(tiny_bundle: Bundle, tmp_path: Path) -> None:
    server = start_server(
        tmp_path,
        ["nohup", *FAKE],
        EVENMATCH_BUNDLE=str(tiny_bundle.path),
        EVENMATCH_PORT="0",
    )
    try:
        server.process.send_signal(1)
        assert httpx.get(f"{server.url}/health/live").status_code == 200
        assert server.terminate() == -15
    finally:
        server.process.kill()


def test_head_and_absolute_addresses_are_understood(hasty: Server) -> None:
    host = b"Host: localhost\r\n"
    requests = (
        b"HEAD /health/live HTTP/1.1\r\n" + host + b"\r\n",
        b"GET http://localhost/health/live HTTP/1.1\r\n" + host + b"\r\n",
        b"GET http://evil.example/v1/fairness HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n",
    )
    received = to_the_end(connect(hasty, b"".join(requests)))
    found = re.findall(rb"HTTP/1\.1 (\d+) .*?\r\n\r\n([^H]*)", received, re.DOTALL)
    head, absolute, other = found
    assert head == (b"200", b"")
    assert absolute == (b"200", b'{"status":"alive"}')
    assert other[0] == b"421"
