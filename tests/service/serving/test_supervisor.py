from __future__ import annotations

import pickle
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI

from service.core.errors import ConfigurationError, ProcessError
from service.serving import process
from service.serving import supervisor as supervisor_module
from service.serving.supervisor import Supervisor
from service.settings import Settings


def test_settings_reach_another_process_whatever_its_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVENMATCH_GROUPS", '{"attributes": {"veteran": ["yes", "no"]}, "intersections": []}')
    settings = Settings(
        server={"port": 9001, "workers": 3},
        model={"bundle": "minilm-base"},
        shadow_audit={"attributes": ("name",)},
    )
    sent = pickle.dumps(settings)
    monkeypatch.setenv("EVENMATCH_GROUPS", '{"attributes": {"age": ["old"]}, "intersections": []}')
    monkeypatch.setenv("EVENMATCH_PORT", "9002")
    assert pickle.loads(sent) == settings


def test_a_port_in_use_is_said_before_any_process_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}: Address already"):
            Supervisor(Settings(server={"port": port, "workers": 2})).run()


def test_a_folder_for_the_values_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(ConfigurationError, match="TMPDIR"):
        Supervisor(Settings(server={"port": 0, "workers": 2})).run()


def test_a_start_that_fails_is_not_called_a_port_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def start() -> None:
        raise RuntimeError("can't start new thread")

    @asynccontextmanager
    async def broken(_: FastAPI) -> AsyncIterator[None]:
        start()
        yield

    monkeypatch.setattr(process, "open_recorder", lambda *_: None)
    monkeypatch.setattr(process, "create_app", lambda *_, **__: FastAPI(lifespan=broken))
    with pytest.raises(ProcessError, match="could not start: the log above says why"):
        process.serve_alone(Settings(server={"port": 0}), lambda *_: None)  # type: ignore[arg-type]


class Stuck:
    """A process that lives and never comes to serve."""

    pid, exitcode = 4711, -9

    def __init__(self) -> None:
        self.alive = True

    def is_alive(self) -> bool:
        return self.alive

    def kill(self) -> None:
        self.alive = False

    def join(self) -> None: ...

    def close(self) -> None: ...


def test_a_process_that_does_not_come_to_serve_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = 1_000.0
    monkeypatch.setattr("service.serving.supervisor.time.monotonic", lambda: now)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    started: list[Stuck] = []

    class Spawn:
        def Process(self, **_: object) -> Stuck:
            started.append(Stuck())
            return started[-1]

    monkeypatch.setattr(Stuck, "start", lambda _: None, raising=False)
    monkeypatch.setattr(supervisor_module, "_SPAWN", Spawn())
    supervisor = Supervisor(Settings(server={"workers": 2, "start_seconds": 60}))
    first, second = supervisor._slots
    supervisor._start(first, [], replaces=False)
    first.heartbeat.value = now
    supervisor._look_after(first, [])
    supervisor._look_after(second, [])
    assert len(started) == 2
    now += 59
    supervisor._look_after(second, [])
    assert [one.alive for one in started] == [True, True]
    now += 2
    supervisor._look_after(second, [])
    assert [one.alive for one in started] == [True, False]
    assert "process 4711 does not serve 60 s after its start and is killed" in caplog.text
    now += 1
    supervisor._look_after(second, [])
    assert len(started) == 3
