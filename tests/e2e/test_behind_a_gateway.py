"""Two replicas behind a real nginx that keeps connections to them, while they are restarted under load."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Server, StartFake

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx"),
]

CONFIGURATION = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log warn; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream evenmatch {{
    server 127.0.0.1:{first} max_fails=0; server 127.0.0.1:{second} max_fails=0;
    keepalive 16; keepalive_timeout 60s;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://evenmatch; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host;
    }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def nginx(folder: Path, first: Server, second: Server) -> Iterator[str]:
    """nginx before two replicas, with its default of asking the other one only where none was reached."""
    port = free_port()
    ports = {"first": httpx.URL(first.url).port, "second": httpx.URL(second.url).port}
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, **ports))
    running = subprocess.Popen(["nginx", "-c", str(configuration), "-p", str(folder)])
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            assert client.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(30)


def test_no_request_is_lost_when_a_replica_stops_under_load(start_fake: StartFake, tmp_path: Path) -> None:
    first, second = (start_fake(EVENMATCH_WORKERS="1") for _ in range(2))
    stop = threading.Event()

    def keep_asking(url: str) -> Counter[int]:
        statuses: Counter[int] = Counter()
        with httpx.Client(timeout=120) as client:
            while not stop.is_set():
                body = {"inputs": "nurse on the surgical ward", "redact": False}
                statuses[client.post(f"{url}/v1/embed", json=body).status_code] += 1
        return statuses

    with nginx(tmp_path, first, second) as url, ThreadPoolExecutor(6) as pool:
        clients = [pool.submit(keep_asking, url) for _ in range(6)]
        while first.log.count("POST /v1/embed 200") < 30:
            assert not any(client.done() for client in clients)
        assert first.terminate() == -15
        answered = second.log.count("POST /v1/embed 200")
        while second.log.count("POST /v1/embed 200") < answered + 30:
            assert not any(client.done() for client in clients)
        stop.set()
        statuses = sum((client.result() for client in clients), Counter[int]())
    assert set(statuses) == {200}
