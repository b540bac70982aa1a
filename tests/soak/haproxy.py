"""A real HAProxy before replicas, which asks each whether it is ready."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.patience import wait_until

CONFIGURATION = """
global
  maxconn 500
defaults
  mode http
  timeout connect 5s
  timeout client 120s
  timeout server 120s
  timeout check 30s
  option redispatch
  retries 2
frontend callers
  bind 127.0.0.1:{port}
  default_backend evenmatch
backend evenmatch
  balance roundrobin
  option httpchk
  http-check send meth GET uri /health/ready hdr Host 127.0.0.1
  http-check expect status 200
  default-server check inter 1s fall 2 rise 1 observe layer4 error-limit 1 on-error mark-down
{servers}
"""
"""As in docs/operations.md, but for times. It sends a POST again only where no connection was made."""


def program() -> str | None:
    """Where HAProxy is, or None if it is not installed."""
    return shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody has, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


@contextmanager
def haproxy(folder: Path, ports: Sequence[int]) -> Iterator[str]:
    """Its URL, once it reaches a replica that is ready."""
    found = program()
    assert found is not None
    (port,) = free_ports(1)
    servers = "\n".join(f"  server replica-{i} 127.0.0.1:{one}" for i, one in enumerate(ports))
    configuration = folder / "haproxy.cfg"
    configuration.write_text(CONFIGURATION.format(port=port, servers=servers))
    with (folder / "haproxy.log").open("w") as log:
        running = subprocess.Popen([found, "-db", "-f", str(configuration)], stdout=log, stderr=log)
    try:
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}"), "HAProxy reaches no replica")
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=60).status_code == 200
    except httpx.TransportError:
        return False
