from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

START_SECONDS = 600
"""A server that cannot start ends, and is not waited for; a busy machine takes minutes for a conversion."""
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass
class Server:
    """`evenmatch serve` in a process of its own."""

    process: subprocess.Popen[str]
    url: str
    lines: list[str] = field(default_factory=list)
    reader: threading.Thread = field(default_factory=threading.Thread)

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def terminate(self) -> int:
        """Send SIGTERM and return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end, of the log too."""
        status = self.process.wait(60)
        self.reader.join(10)
        return status


Serve = Callable[..., Server]


def command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("evenmatch")), *arguments]


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    return {**os.environ, "EVENMATCH_DATA_DIR": str(data_dir), "HF_HUB_OFFLINE": "1", **settings}


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the servers of a run keep the converted model: the first one makes it."""
    return tmp_path_factory.mktemp("data")


def start_server(data_dir: Path, arguments: Sequence[str] | None = None, **settings: str) -> Server:
    process = subprocess.Popen(
        arguments or command("serve", "--port", "0"),
        cwd=CHECKOUT,
        env=environment(data_dir, **settings),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    server = Server(process, "")
    ready: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                server.lines.append(line)
                if found := re.search(r"ready to score at (http://\S+)", line):
                    ready.put(found[1])
        ready.put(None)

    server.reader = threading.Thread(target=read, daemon=True)
    server.reader.start()
    url = ready.get(timeout=START_SECONDS)
    assert url is not None, f"the server did not start:\n{server.log}"
    server.url = url
    return server


@pytest.fixture(scope="session")
def server(data_dir: Path) -> Iterator[Server]:
    """The real server with the real model. Without an embedding cache, so that every text is computed."""
    running = start_server(data_dir, EVENMATCH_CACHE_MIB="0")
    yield running
    if running.process.poll() is None:
        running.terminate()


@pytest.fixture
def serve(data_dir: Path) -> Iterator[Serve]:
    """Start further servers, with other settings."""
    started: list[Server] = []

    def begin(**settings: str) -> Server:
        started.append(start_server(data_dir, **settings))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.wait()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as connected:
        yield connected
