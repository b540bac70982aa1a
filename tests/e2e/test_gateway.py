"""The documented gateway, docker/gateway/nginx.conf itself, before the real server: TLS, keys, limits."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.core.bundle import Bundle
from tests.e2e.conftest import CHECKOUT, FAKE, Server, start_server
from tests.service.files.documents.small_files import docx, paragraph
from tests.support.jobs import JOB, candidates, finished, json_lines
from tests.support.patience import PATIENCE, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx"),
]

DOCUMENTED = CHECKOUT / "docker" / "gateway" / "nginx.conf"
FOLDER = "/etc/nginx/evenmatch/"
RESUME = "senior backend engineer, python, java"
BODY = {"job": JOB, "candidates": [{"id": "c-1", "resume": RESUME}]}

JSON = {"content-type": "application/json"}

AROUND = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log info; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {documented}
}}
"""


@dataclass(frozen=True)
class Gateway:
    url: str
    key: str
    trusted: ssl.SSLContext
    folder: Path

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.trusted, headers=headers, timeout=PATIENCE)

    @property
    def with_key(self) -> httpx.Client:
        return self.client(**{"x-api-key": self.key})


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def write_certificate(folder: Path) -> ssl.SSLContext:
    """A self-signed certificate for localhost, and what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ssl.create_default_context(cafile=str(folder / "tls.crt"))


def configured(folder: Path, port: int, upstream: int) -> str:
    """The documented file, with this test's places in the place of the usual ones."""
    documented = DOCUMENTED.read_text("utf-8")
    for usual, here in (
        (FOLDER, f"{folder}/"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("server 127.0.0.1:8000;", f"server 127.0.0.1:{upstream};"),
        ("/var/log/nginx/evenmatch.log", f"{folder}/access.log"),
    ):
        assert usual in documented
        documented = documented.replace(usual, here)
    return AROUND.format(folder=folder, documented=documented)


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[Gateway]:
    """The gateway before a port of this machine."""
    key, port = secrets.token_hex(16), free_port()
    trusted = write_certificate(folder)
    (folder / "api_keys").write_text(f'"{secrets.token_hex(16)}" other;\n"{key}" ats;\n')
    configuration = folder / "nginx.conf"
    configuration.write_text(configured(folder, port, upstream))
    running = subprocess.Popen(["nginx", "-c", str(configuration), "-p", str(folder)])
    try:
        wait_until(lambda: running.poll() is not None or listens(port))
        assert running.poll() is None
        yield Gateway(f"https://localhost:{port}/evenmatch", key, trusted, folder)
    finally:
        running.terminate()
        running.wait(30)


@pytest.fixture(scope="module")
def server(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """On the fake engine."""
    settings = {"EVENMATCH_BUNDLE": str(tiny_bundle.path), "EVENMATCH_PORT": "0"}
    running = start_server(tmp_path_factory.mktemp("data"), FAKE, **settings)
    yield running
    running.terminate()


@pytest.fixture
def gateway(server: Server, tmp_path: Path) -> Iterator[Gateway]:
    with nginx(tmp_path, int(httpx.URL(server.url).port or 0)) as running:
        yield running


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def test_a_key_opens_the_api_and_nothing_else_opens_anything(gateway: Gateway) -> None:
    with gateway.client() as nobody, gateway.client(authorization=f"Bearer {gateway.key}") as bearer:
        for wrong in ({}, {"x-api-key": "0" * 32}, {"authorization": "Basic YTpi"}, {"x-api-key": "ats"}):
            refused = nobody.post("/v1/score", json=BODY, headers=wrong)
            assert (refused.status_code, refused.json()["code"]) == (401, "no_key")
            assert refused.headers["www-authenticate"].startswith("Bearer")
            assert refused.headers["content-type"] == "application/problem+json"
        for path in ("/metrics", "/docs", "/openapi.json", "/score", "/swagger/swagger-ui.css", "/v1"):
            hidden = bearer.get(path)
            assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found"), path
        for path in ("/health/live", "/health/ready"):
            assert nobody.get(path).status_code == 200
        assert bearer.post("/v1/score", json=BODY).status_code == 200
        assert bearer.get("/v1/fairness").status_code == 200
    with gateway.with_key as client:
        # The prefix is needed, and so is a path below it: none of these leads round the key.
        root = str(gateway.url).removesuffix("/evenmatch")
        assert client.get(f"{root}/v1/model").status_code == 404
        assert client.get(f"{root}/metrics").status_code == 404
        assert client.get(f"{gateway.url}/v1/%2e%2e/metrics").status_code == 404
        assert client.get(f"{gateway.url}/v1//metrics").status_code == 404


def test_requests_of_all_kinds_come_through_unchanged(gateway: Gateway) -> None:
    with gateway.with_key as client:
        spaces = b" " * (7 * 2**20)  # a body that nginx would keep on disk by default
        large = client.post("/v1/score", content=json.dumps(BODY).encode() + spaces, headers=JSON)
        assert large.status_code == 200, large.text

        described = {"job": JOB, "candidates": [{"id": "c-1", "file": "resume.docx"}]}
        form = {"request": (None, json.dumps(described), "application/json")}
        upload = [("files", ("resume.docx", docx(paragraph(RESUME))))]
        scored = client.post("/v1/score", files=[*form.items(), *upload])
        assert scored.status_code == 200, scored.text

        key = {"idempotency-key": secrets.token_hex(8)}
        first, again = (client.post("/v1/score", json=BODY, headers=key) for _ in range(2))
        assert again.headers["idempotency-replayed"] == "true"
        assert first.json()["results"] == again.json()["results"]

        named = client.get("/v1/model", headers={"x-request-id": "from-the-ats"})
        assert named.headers["x-request-id"] == "from-the-ats"
        assert named.headers["x-content-type-options"] == "nosniff"


def test_bodies_beyond_the_limits_are_refused_by_whom_they_pass(gateway: Gateway) -> None:
    with gateway.with_key as client:
        of_service = client.post("/v1/score", content=b" " * (9 * 2**20), headers=JSON)
        assert (of_service.status_code, of_service.json()["limit"]) == (413, 8 * 2**20)
        of_gateway = client.post("/v1/score", content=b" " * (65 * 2**20), headers=JSON)
        assert (of_gateway.status_code, of_gateway.json()["code"]) == (413, "body_too_large")


def test_a_job_belongs_to_its_key_however_that_is_sent(gateway: Gateway) -> None:
    rows = json_lines({"job": JOB}, *candidates(30))
    with gateway.with_key as client, gateway.client(authorization=f"Bearer {gateway.key}") as same:
        created = client.post(
            "/v1/score/jobs", content=rows, headers={"content-type": "application/x-ndjson"}
        )
        assert created.status_code == 202, created.text
        finished(Prefixed(same), created.json()["id"])
        assert created.headers["location"] == f"/evenmatch/v1/score/jobs/{created.json()['id']}"
        other = (gateway.folder / "api_keys").read_text().split('"')[1]
        assert (
            same.get(f"/v1/score/jobs/{created.json()['id']}", headers={"x-api-key": other}).status_code
            == 404
        )


@dataclass(frozen=True)
class Prefixed:
    """httpx joins paths to a base URL with a prefix by itself."""

    client: httpx.Client

    def get(self, url: str, /) -> Any:
        return self.client.get(url)


def test_no_text_and_no_key_is_in_the_gateways_logs(gateway: Gateway, server: Server) -> None:
    with gateway.with_key as client:
        client.post("/v1/score", json={**BODY, "job": {"description": "a secret posting"}})
        client.get("/v1/fairness?window=all&group=secretive")
        client.post("/v1/score", content=b"secret text that is no JSON", headers=JSON)
    with gateway.client() as nobody:
        nobody.post("/v1/score", json={"job": "secret"})
    logged = (gateway.folder / "access.log").read_text()
    assert "POST /evenmatch/v1/score 200" in logged
    assert "caller=ats" in logged
    assert "caller= " in logged
    for log in (logged, (gateway.folder / "error.log").read_text(), server.log):
        for word in ("secret", RESUME, gateway.key):
            assert word not in log


def test_a_service_that_is_away_is_said_with_when_to_try_again(tmp_path: Path) -> None:
    with nginx(tmp_path, free_port()) as gateway, gateway.with_key as client:
        away = client.post("/v1/score", json=BODY)
    assert (away.status_code, away.json()["code"]) == (503, "service_away")
    assert away.headers["retry-after"] == "5"
