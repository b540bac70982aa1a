"""The documented gateways that leave keys to the service, docker/gateway/service-keys, before a real one."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from service.access.keys import utc_now
from service.core.bundle import Bundle
from tests.e2e.conftest import CHECKOUT, FAKE, Server, start_server
from tests.e2e.test_gateway import AROUND, FOLDER, free_port, listens, write_certificate
from tests.support.access import SECRET, bearer, new_key, write_keys
from tests.support.jobs import JOB
from tests.support.patience import PATIENCE, wait_until

pytestmark = pytest.mark.slow

DOCUMENTED = CHECKOUT / "docker" / "gateway" / "service-keys"
KEY = new_key(now=utc_now())
BODY = {"job": JOB, "candidates": [{"id": "c-1", "resume": "senior backend engineer, python, java"}]}
WRONG = bearer("evm_aaaaaaaaaaaa_" + "w" * 43)


@dataclass(frozen=True)
class Gateway:
    url: str
    trusted: ssl.SSLContext
    addresses: str
    """Addresses of callers begin so."""
    service: str

    def client(self, headers: dict[str, str] | None = None, number: int = 1) -> httpx.Client:
        """Of a caller with an address of its own."""
        transport = httpx.HTTPTransport(verify=self.trusted, local_address=f"{self.addresses}.{number}")
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE, transport=transport)


def placed(documented: str, usual: dict[str, str]) -> str:
    """A documented file, with this test's places in the place of the usual ones."""
    for name, here in usual.items():
        assert name in documented
        documented = documented.replace(name, here)
    return documented


def nginx(folder: Path, port: int, upstream: str) -> list[str]:
    usual = {
        FOLDER: f"{folder}/",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "server 127.0.0.1:8000;": f"server {upstream};",
        "/var/log/nginx/evenmatch.log": f"{folder}/access.log",
    }
    documented = placed((DOCUMENTED / "nginx.conf").read_text("utf-8"), usual)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, documented=documented))
    return ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def haproxy(folder: Path, port: int, upstream: str) -> list[str]:
    pem = folder / "evenmatch.pem"
    pem.write_bytes((folder / "tls.crt").read_bytes() + (folder / "tls.key").read_bytes())
    usual = {
        "/etc/haproxy/evenmatch.pem": str(pem),
        "bind :443": f"bind 127.0.0.1:{port}",
        "127.0.0.1:8000": upstream,
    }
    (folder / "haproxy.cfg").write_text(placed((DOCUMENTED / "haproxy.cfg").read_text("utf-8"), usual))
    return ["haproxy", "-f", str(folder / "haproxy.cfg"), "-db"]


@pytest.fixture(scope="module")
def server(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """On the fake engine, with keys of its own."""
    folder = tmp_path_factory.mktemp("data")
    running = start_server(
        folder,
        FAKE,
        EVENMATCH_BUNDLE=str(tiny_bundle.path),
        EVENMATCH_PORT="0",
        EVENMATCH_ROOT_PATH="/evenmatch",
        EVENMATCH_KEYS_SECRET=SECRET,
        EVENMATCH_KEYS_FILE=str(write_keys(folder, KEY)["keys_file"]),
        EVENMATCH_WRONG_KEYS_PER_MINUTE="3",
    )
    yield running
    running.terminate()


@pytest.fixture(scope="module", params=["nginx", "haproxy"])
def gateway(
    server: Server, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Gateway]:
    if shutil.which(request.param) is None:
        pytest.skip(f"needs {request.param}")
    folder, port = tmp_path_factory.mktemp(request.param), free_port()
    trusted = write_certificate(folder)
    start = nginx if request.param == "nginx" else haproxy
    running = subprocess.Popen(start(folder, port, server.url.removeprefix("http://")))
    try:
        wait_until(lambda: running.poll() is not None or listens(port))
        assert running.poll() is None
        addresses = "127.0.1" if request.param == "nginx" else "127.0.2"
        yield Gateway(f"https://localhost:{port}/evenmatch", trusted, addresses, server.url)
    finally:
        running.terminate()
        running.wait(30)


def test_the_services_own_keys_open_it_below_the_prefix_and_nothing_without(gateway: Gateway) -> None:
    root = gateway.url.removesuffix("/evenmatch")
    with gateway.client(bearer(KEY.text)) as client:
        scored = client.post("/v1/score", json=BODY)
        assert scored.status_code == 200, scored.text
        assert scored.headers["x-content-type-options"] == "nosniff"
        job = client.post("/v1/score/jobs", json=BODY)
        assert job.headers["location"].startswith("/evenmatch/v1/score/jobs/")
        assert client.get(urljoin(root, job.headers["location"])).status_code == 200
        for hidden in ("/evenmatch/metrics", "/evenmatch/%6detrics", "/metrics", "/v1/model", "/evenmatch"):
            assert client.get(f"{root}{hidden}").status_code == 404, hidden
    with gateway.client({"x-api-key": KEY.text}) as client:
        assert client.get("/v1/model").status_code == 200
    with gateway.client() as nobody:
        assert nobody.get("/health/ready").status_code == 200
        refused = nobody.post("/v1/score", json=BODY)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="evenmatch"')
        asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        assert "access-control-allow-origin" not in nobody.options("/v1/score", headers=asked).headers
        page = nobody.post("/v1/score", json=BODY, headers={"Origin": "https://evil.example"})
        assert (page.status_code, page.json()["code"]) == (403, "cross_origin")


def test_the_reference_works_below_the_prefix(gateway: Gateway) -> None:
    with gateway.client() as browser:
        begin = browser.get("/")
        page = urljoin(f"{gateway.url}/", begin.headers["location"])
        assert page == f"{gateway.url}/docs"
        html = browser.get(page)
        assert html.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        named = re.findall(r"""(?:href|src|url)\s*[=:]\s*["']([^"']+)""", html.text)
        assert len(named) >= 4
        for one in named:
            found = urljoin(page, one)
            assert found.startswith(gateway.url)
            assert browser.get(found).status_code == 200, found


def test_wrong_keys_are_counted_by_the_address_that_the_gateway_saw(gateway: Gateway) -> None:
    def status(client: httpx.Client, **headers: str) -> int:
        return client.get("/v1/model", headers={**WRONG, **headers}).status_code

    with gateway.client(number=7) as caller, gateway.client(number=8) as other:
        assert [status(caller) for _ in range(4)] == [401, 401, 401, 429]
        assert status(caller, **{"X-Forwarded-For": "203.0.113.9"}) == 429
        assert status(other) == 401
        assert other.get("/v1/model", headers=bearer(KEY.text)).status_code == 200
    # Who asks the service itself, and is no gateway of the settings, is believed no address.
    transport = httpx.HTTPTransport(local_address=f"{gateway.addresses}.9")
    with httpx.Client(base_url=gateway.service, transport=transport, timeout=PATIENCE) as direct:
        assert [status(direct, **{"X-Forwarded-For": f"203.0.113.{i}"}) for i in range(4)] == [401] * 3 + [
            429
        ]
