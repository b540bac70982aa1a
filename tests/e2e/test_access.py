"""Keys from the command line to the served request, and what is refused at the start."""

from __future__ import annotations

import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from service.core.bundle import Bundle
from tests.e2e.conftest import FAKE, StartFake, command, environment
from tests.e2e.test_gateway import free_port
from tests.support.access import SECRET, bearer
from tests.support.certificates import Authority
from tests.support.patience import PATIENCE, wait_until


def keys(data_dir: Path, *arguments: str) -> str:
    done = subprocess.run(
        command("keys", *arguments),
        env=environment(data_dir, EVENMATCH_KEYS_SECRET=SECRET),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_a_key_made_while_two_processes_serve_opens_both_and_is_shut_again(
    start_fake: StartFake, tmp_path: Path
) -> None:
    server = start_fake(EVENMATCH_KEYS_SECRET=SECRET, EVENMATCH_KEYS_SECONDS="0.2", EVENMATCH_HOST="0.0.0.0")
    url = server.url.replace("0.0.0.0", "127.0.0.1")

    def status(sent: str) -> int:
        # On a connection of its own, so that both processes are asked.
        return httpx.get(f"{url}/v1/model", headers=bearer(sent), timeout=PATIENCE).status_code

    assert status("nothing") == 401
    key = keys(tmp_path, "create", "--name", "ats", "--scope", "score")
    assert status(key) == 200
    assert httpx.post(f"{url}/v1/embed", json={"inputs": "x"}, headers=bearer(key)).status_code == 403
    assert httpx.get(f"{url}/health/ready", timeout=PATIENCE).status_code == 200
    wait_until(lambda: {status(key) for _ in range(10)} == {200})
    key_id = "_".join(key.split("_")[:2])
    keys(tmp_path, "revoke", key_id)
    wait_until(lambda: {status(key) for _ in range(10)} == {401})
    assert server.terminate() in (0, -15)
    assert f"key={key_id.removeprefix('evm_')}" in server.log
    assert key.split("_", 2)[2] not in server.log
    assert SECRET not in server.log


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_without_keys_it_does_not_start_where_others_reach_it(
    tiny_bundle: Bundle, tmp_path: Path, workers: str
) -> None:
    settings = {
        "EVENMATCH_BUNDLE": str(tiny_bundle.path),
        "EVENMATCH_HOST": "0.0.0.0",
        "EVENMATCH_PORT": "0",
        "EVENMATCH_WORKERS": workers,
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run(
        FAKE, env=environment(tmp_path, **settings), capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 1
    assert "no keys are configured" in done.stderr
    assert "--insecure" in done.stderr


@pytest.mark.slow
def test_metrics_are_served_on_a_port_of_their_own(start_fake: StartFake) -> None:
    port = free_port()
    server = start_fake(EVENMATCH_METRICS_PORT=str(port), EVENMATCH_WORKERS="1")
    assert httpx.get(f"{server.url}/metrics", timeout=PATIENCE).status_code == 404
    metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE)
    assert "evenmatch_requests_total" in metrics.text
    assert httpx.get(f"http://127.0.0.1:{port}/v1/model", timeout=PATIENCE).status_code == 404


@pytest.mark.slow
def test_tls_of_its_own_lets_in_callers_with_a_certificate_only(
    start_fake: StartFake, tmp_path: Path
) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "stranger")
    own, caller, stranger = (
        authority.certificate("scoring"),
        authority.certificate("ats"),
        other.certificate("unknown"),
    )
    port = free_port()
    server = start_fake(
        EVENMATCH_TLS_CERTIFICATE=str(own.certificate),
        EVENMATCH_TLS_KEY=str(own.key),
        EVENMATCH_TLS_CLIENT_CA=str(authority.file),
        EVENMATCH_METRICS_PORT=str(port),
        EVENMATCH_HEADER_SECONDS="1",
        EVENMATCH_WORKERS="1",
    )
    assert server.url.startswith("https://127.0.0.1:")
    address = ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    kept = httpx.Limits(keepalive_expiry=None)
    with httpx.Client(
        base_url=server.url, verify=authority.trust(caller), timeout=PATIENCE, limits=kept
    ) as known:
        assert known.post("/v1/embed", json={"inputs": "java"}).status_code == 200
        large = known.post(
            "/v1/embed", content=b" " * 9 * 2**20, headers={"content-type": "application/json"}
        )
        assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
        for trust in (authority.trust(), authority.trust(stranger)):
            with pytest.raises(httpx.TransportError):  # the handshake fails, or the first thing that is read
                httpx.get(f"{server.url}/health/live", verify=trust, timeout=PATIENCE)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{address[1]}/health/live", timeout=PATIENCE)
        # Who connects and says nothing is cut off, and keeps nobody out meanwhile.
        with socket.create_connection(address, PATIENCE) as silent:
            assert known.get("/health/live").status_code == 200
            assert silent.recv(1) == b""
        # Renewed, by an authority that replaces the first: open connections stay, new ones have it.
        renewed = other.certificate("renewed")
        renewed.certificate.rename(own.certificate)
        renewed.key.rename(own.key)
        trust = other.trust(caller)

        def is_renewed() -> bool:
            with suppress(httpx.TransportError):
                return httpx.get(f"{server.url}/health/live", verify=trust).status_code == 200
            return False

        wait_until(is_renewed)
        assert known.post("/v1/embed", json={"inputs": "java"}).status_code == 200
    assert httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=PATIENCE).status_code == 200
    assert server.terminate() in (0, -15)
    assert "the renewed certificate is in use" in server.log
    assert "Traceback" not in server.log
