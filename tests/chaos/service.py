"""`evenmatch` as an operator runs it: serve, kill, and the commands that touch the log meanwhile."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

CHECKOUT = Path(__file__).resolve().parents[2]
START_SECONDS = 600
COMMAND_SECONDS = 600


class ChaosError(Exception):
    """The service did what it must not do."""


@dataclass(frozen=True)
class Place:
    """Where a service keeps its things, and how it is set.

    `url`: of PostgreSQL, else empty. `port`: 0 takes another one at each start. `settings`: more variables.
    """

    data: Path
    logs: Path
    models: Path
    url: str
    workers: int
    database_seconds: int
    port: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("EVENMATCH_")}
        return {
            **kept,
            "PYTHONPATH": str(CHECKOUT),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "EVENMATCH_DATA_DIR": str(self.data),
            "EVENMATCH_MODELS_DIR": str(self.models),
            "EVENMATCH_DATABASE_URL": self.url,
            "EVENMATCH_DATABASE_SECONDS": str(self.database_seconds),
            "EVENMATCH_DURABLE": "true",
            "EVENMATCH_THREADS": "1",
            "EVENMATCH_WORKERS": str(self.workers),
            **self.settings,
        }


def command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("evenmatch")), *arguments]


def run_command(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command beside the service, to its end."""
    return subprocess.run(
        command(*arguments),
        env=place.environment(),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )


class Service:
    """Running from the beginning; ended by `kill`."""

    def __init__(self, place: Place, number: int) -> None:
        self.log = place.logs / f"serve-{number:03d}.log"
        with self.log.open("a") as stream:  # so that it may be truncated while it is written to
            self._process = subprocess.Popen(
                command("serve", "--port", str(place.port)),
                env=place.environment(),
                cwd=CHECKOUT,
                stdout=stream,
                stderr=stream,
                start_new_session=True,  # its workers can be killed with it
            )
        try:
            self.url = self._listening()
        except BaseException:
            self.kill()
            raise

    def _listening(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if found := re.search(r"ready to score at (http://\S+)", self.log.read_text()):
                return found[1]
            time.sleep(0.05)
        raise ChaosError(f"the service did not start: see {self.log}")

    def store(self) -> str:
        """What readiness says of the store, or of itself if it is not ready."""
        try:
            answer = httpx.get(f"{self.url}/health/ready", timeout=60)
        except httpx.TransportError as error:
            return type(error).__name__
        return str(answer.json()["store"]) if answer.status_code == 200 else str(answer.status_code)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """All processes at once, as when the machine loses its power, but for what the kernel has."""
        if not self.is_alive:
            return
        processes = psutil.Process(self._process.pid).children(recursive=True)
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)
        psutil.wait_procs(processes, timeout=60)

    def terminate(self) -> int:
        """SIGTERM, and the exit status once all processes are gone."""
        self._process.terminate()
        return self._process.wait(COMMAND_SECONDS)

    def workers(self) -> list[psutil.Process]:
        """The processes that serve, or are about to."""
        return [child for child in psutil.Process(self._process.pid).children() if _serves(child)]

    def kill_worker(self, chance: random.Random) -> None:
        """One of the processes that serve; the others go on."""
        workers = self.workers()
        if workers:
            chance.choice(workers).kill()


def _serves(process: psutil.Process) -> bool:
    try:
        arguments: Sequence[str] = process.cmdline()
    except psutil.Error:
        return False
    return any("spawn_main" in argument for argument in arguments)
