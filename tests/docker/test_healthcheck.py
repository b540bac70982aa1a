"""docker/healthcheck.py, run as the image runs it."""

from __future__ import annotations

import importlib.util
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from service.settings import Settings
from tests.support.certificates import Authority

SCRIPT = Path(__file__).resolve().parents[2] / "docker" / "healthcheck.py"
_SPEC = importlib.util.spec_from_file_location("healthcheck", SCRIPT)
assert _SPEC is not None
assert _SPEC.loader is not None
healthcheck = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(healthcheck)


class Readiness(HTTPServer):
    """Answers /health/ready with `status`."""

    status = 200


@pytest.fixture
def readiness() -> Iterator[Readiness]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/health/ready"
            self.send_response(server.status if known else 404)
            self.end_headers()
            self.wfile.write(b'{"code": "worker_down"}')

        def log_message(self, *_: object) -> None:
            pass

    server = Readiness(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def check(port: int) -> subprocess.CompletedProcess[str]:
    environment = {"EVENMATCH_PORT": str(port)}
    return subprocess.run(
        [sys.executable, "-IS", str(SCRIPT)], env=environment, capture_output=True, text=True
    )


def test_a_ready_service_is_healthy(readiness: Readiness) -> None:
    done = check(readiness.server_port)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_service_that_is_not_ready_is_not_healthy_and_says_why(readiness: Readiness) -> None:
    readiness.status = 503
    done = check(readiness.server_port)
    assert done.returncode == 1
    assert "status 503" in done.stderr
    assert "worker_down" in done.stderr


def test_nobody_on_the_port_is_not_healthy() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as closed:
        port = closed.server_port
    done = check(port)
    assert done.returncode == 1
    assert f"port {port} does not answer" in done.stderr


def test_a_service_with_tls_is_asked_by_tls_whatever_name_its_certificate_has(
    readiness: Readiness, tmp_path: Path
) -> None:
    made = Authority(tmp_path).certificate("scoring.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    readiness.socket = context.wrap_socket(readiness.socket, server_side=True)
    environment = {
        "EVENMATCH_PORT": str(readiness.server_port),
        "EVENMATCH_TLS_CERTIFICATE": str(made.certificate),
    }
    assert healthcheck.found_problem(environment) is None
    assert healthcheck.found_problem({"EVENMATCH_PORT": str(readiness.server_port)}) is not None


def test_a_port_of_metrics_and_probes_is_asked_in_place_of_the_others(readiness: Readiness) -> None:
    elsewhere = {"EVENMATCH_PORT": "1", "EVENMATCH_TLS_CERTIFICATE": "/tls.crt"}
    port = str(readiness.server_port)
    assert healthcheck.found_problem({**elsewhere, "EVENMATCH_METRICS_PORT": port}) is None


def test_it_waits_longer_than_readiness_does() -> None:
    seconds = next(line for line in SCRIPT.read_text("utf-8").splitlines() if line.startswith("SECONDS = "))
    assert float(seconds.removeprefix("SECONDS = ")) > Settings().model.ready_seconds
