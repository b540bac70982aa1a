from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import pytest

from service.core.bundle import Bundle
from tests.support.forked import Forked
from tests.support.patience import PATIENCE
from tests.support.postgres import PostgresServer, programs

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass
class Server:
    """`evenmatch serve` in a process of its own."""

    process: subprocess.Popen[str] | Forked
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
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return status


Serve = Callable[..., Server]
StartFake = Callable[..., Server]
FAKE = [sys.executable, "-m", "tests.e2e.fake_workers"]


def command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("evenmatch")), *arguments]


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    return {**os.environ, "EVENMATCH_DATA_DIR": str(data_dir), "HF_HUB_OFFLINE": "1", **settings}


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the servers of a run keep the converted model: the first one makes it."""
    return tmp_path_factory.mktemp("data")


@contextmanager
def hangup_as_by_default() -> Iterator[None]:
    """For what is started meanwhile: tests may run under `nohup`, and ignored signals are inherited."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def start_server(data_dir: Path, arguments: Sequence[str] | None = None, **settings: str) -> Server:
    with hangup_as_by_default():
        process = subprocess.Popen(
            arguments or command("serve", "--port", "0"),
            cwd=CHECKOUT,
            env=environment(data_dir, **settings),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
    return watched(process)


def watched(process: subprocess.Popen[str] | Forked) -> Server:
    """A server that was started, once it is ready. Its log is read from now on."""
    if process.stdout is not None:
        process.stdout.close()  # it says everything on stderr
    server = Server(process, "")
    ready: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                server.lines.append(line)
                if found := re.search(r"ready to score at (https?://\S+)", line):
                    ready.put(found[1])
        ready.put(None)

    server.reader = threading.Thread(target=read, daemon=True)
    server.reader.start()
    url = ready.get(timeout=PATIENCE)
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


@contextmanager
def _several(start: Serve) -> Iterator[Serve]:
    """Servers as `start` starts them, killed at the end."""
    started: list[Server] = []

    def begin(**settings: str) -> Server:
        started.append(start(**settings))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.wait()


@pytest.fixture
def serve(data_dir: Path) -> Iterator[Serve]:
    """Start further servers, with other settings."""
    with _several(partial(start_server, data_dir)) as begin:
        yield begin


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as connected:
        yield connected


@pytest.fixture
def start_fake(tiny_bundle: Bundle, tmp_path: Path) -> Iterator[StartFake]:
    """Start services on the fake engine, of two processes unless told otherwise."""

    def start(**settings: str) -> Server:
        chosen = {
            "EVENMATCH_BUNDLE": str(tiny_bundle.path),
            "EVENMATCH_PORT": "0",
            "EVENMATCH_WORKERS": "2",
            "TMPDIR": str(tmp_path),
            **settings,
        }
        return start_server(tmp_path, FAKE, **chosen)

    with _several(start) as begin:
        yield begin


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    found = programs()
    if found is None:
        pytest.skip("needs PostgreSQL's initdb and pg_ctl, and as root a user postgres")
    server = PostgresServer(found)
    server.start()
    yield server
    server.remove()
