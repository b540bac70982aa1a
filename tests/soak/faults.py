"""What is broken under the running service, one thing at a time, until it came right again."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal, get_args

import httpx
import psutil
import psycopg
from sqlalchemy.engine import make_url

from service.store.recorder import SPOOL_FOLDER
from service.store.spool import spooled_lines
from tests.chaos import failures
from tests.chaos.service import ChaosError, Place, Service
from tests.soak.ledger import BROKEN, Window
from tests.soak.traffic import FAIRNESS, JOBS, OUTCOMES, SCORE
from tests.support.postgres import PostgresServer

Fault = Literal[
    "serving process killed", "reader killed", "restarted by SIGTERM", "database stopped",
    "database restarted", "database frozen", "log's head locked", "connections to the database cut",
    "disk full", "disk full and database stopped", "service's log rotated",
]  # fmt: skip
ENDS_PROCESSES: tuple[Fault, ...] = ("serving process killed", "restarted by SIGTERM")
"""After which serving processes are others: their memory cannot be watched across it."""

NEED_MOUNTING: tuple[Fault, ...] = ("disk full", "disk full and database stopped")
_AT_ONCE: tuple[Fault, ...] = ("database restarted", "connections to the database cut")
_FOR_A_WHILE: tuple[Fault, ...] = (
    "database stopped",
    "database frozen",
    "log's head locked",
    "disk full and database stopped",
)
OF_THE_DATABASE: tuple[Fault, ...] = (*_AT_ONCE, *_FOR_A_WHILE)

RECOVERY_SECONDS = 600.0
"""Longest from the end of a fault until all is as before; the rest of the run is not worth it otherwise."""

_SETTLE_SECONDS = 3.0
"""Every process tries the database every second; which of them answered is not to be seen from outside."""

_KILL_SECONDS = 1.0
"""From a kill until its callers know."""

_PROBES = 8
"""Of new connections at once, so that not one process takes them all."""

_STORE = ("503 store_unavailable", "503 store_conflict")
_WITHOUT_DATABASE: Mapping[str, Collection[str]] = {
    OUTCOMES: (*_STORE, "404 unknown_decision"),  # a decision that waits in the spool has no outcome yet
    FAIRNESS: _STORE,
    JOBS: _STORE,
}
_BROKEN: Mapping[str, Collection[str]] = {"": (BROKEN,)}
_ALLOWED: Mapping[Fault, Mapping[str, Collection[str]]] = {
    "serving process killed": _BROKEN,
    "restarted by SIGTERM": {"": (BROKEN, "503 shutting_down")},
    "disk full and database stopped": {
        **_WITHOUT_DATABASE,
        SCORE: ("503 store_down",),
        "/health/ready": ("503 store_down",),
    },
    "database stopped": _WITHOUT_DATABASE,
    "database restarted": _WITHOUT_DATABASE,
    "database frozen": _WITHOUT_DATABASE,
    "log's head locked": _WITHOUT_DATABASE,
    "connections to the database cut": _WITHOUT_DATABASE,
}
"""By the table of faults in docs/operations.md. What is not here is seen by no client."""


@dataclass
class World:
    """What can be broken. `service`: another one after a restart. `key`: with all scopes."""

    place: Place
    server: PostgresServer
    service: Service
    key: str
    started: int = 1

    @property
    def log_text(self) -> str:
        """Of all starts, rotated parts too."""
        return "".join(path.read_text("utf-8", "replace") for path in sorted(self.place.logs.glob("serve-*")))


class Faults:
    """`windows`: of all that was broken until now; the last is open while `is_open`."""

    def __init__(self, world: World, chance: random.Random, *, mounted: bool) -> None:
        self._world = world
        self._chance = chance
        self._mounted = mounted
        self._waiting: list[Fault] = []
        self.windows: list[Window] = []

    def next_one(self, *, ends_processes: bool) -> Fault:
        """Each once, in a random order, then again."""
        left_out = {*(() if self._mounted else NEED_MOUNTING), *(() if ends_processes else ENDS_PROCESSES)}
        allowed = [one for one in get_args(Fault) if one not in left_out]
        self._waiting = [one for one in self._waiting if one in allowed]
        if not self._waiting:
            self._waiting = self._chance.sample(allowed, len(allowed))
        return self._waiting.pop()

    def happen(self, fault: Fault, hold: float) -> Window:
        """Break it, hold it for so many seconds where it lasts, mend it, and wait until all is as before.

        Blocks. Raises `ChaosError` if it does not come right.
        """
        start = time.monotonic()
        with ExitStack() as stack:
            self._break(fault, stack)
            if fault in _FOR_A_WHILE:
                time.sleep(hold)
        end = time.monotonic()
        if fault in OF_THE_DATABASE:
            self._wait_for_the_database(end)
            end = time.monotonic() + _SETTLE_SECONDS
        elif fault == "serving process killed":
            self._wait_for_processes(end)
            end = start + _KILL_SECONDS
        elif fault == "restarted by SIGTERM":
            end = time.monotonic()
        window = Window(fault, start, end, _ALLOWED.get(fault, {}))
        self.windows.append(window)
        time.sleep(max(0.0, end - time.monotonic()))
        return window

    def _break(self, fault: Fault, stack: ExitStack) -> None:
        world = self._world
        if fault == "serving process killed":
            world.service.kill_worker(self._chance)
        elif fault == "reader killed":
            self._kill_a_reader()
        elif fault == "restarted by SIGTERM":
            self._restart()
        elif fault == "connections to the database cut":
            self._cut()
        elif fault == "service's log rotated":
            self._rotate()
        elif fault == "disk full":
            stack.enter_context(failures.full(world.place.data))
            time.sleep(2)
        elif fault == "disk full and database stopped":
            stack.enter_context(failures.full(world.place.data))
            stack.enter_context(failures.fail("stopped", world.place, world.server))
        else:
            names = {
                "database stopped": "stopped",
                "database restarted": "restarted",
                "database frozen": "frozen",
                "log's head locked": "locked",
            }
            stack.enter_context(failures.fail(names[fault], world.place, world.server))

    def _kill_a_reader(self) -> None:
        """One of the processes that read long texts or documents; the kernel may do that for memory."""
        readers = [
            process
            for process in psutil.Process(self._world.service.pid).children(recursive=True)
            if _reads(process)
        ]
        if readers:
            self._chance.choice(readers).kill()

    def _restart(self) -> None:
        world = self._world
        status = world.service.terminate()
        if status not in (0, -15):
            raise ChaosError(f"after SIGTERM the service ended with status {status}: see {world.service.log}")
        world.started += 1
        world.service = Service(world.place, world.started)

    def _cut(self) -> None:
        url = make_url(self._world.place.url).render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def _rotate(self) -> None:
        """As logrotate's `copytruncate` does it; lines in between are lost, as its manual says."""
        log = self._world.service.log
        shutil.copyfile(log, log.with_name(f"{log.name}.{len(self.windows):05d}"))
        with log.open("r+b") as stream:
            stream.truncate(0)

    def _wait_for_processes(self, since: float) -> None:
        """Until as many serve as should, each with a forward pass behind it."""
        world = self._world
        while True:
            if not world.service.is_alive:
                raise ChaosError(f"the service ended by itself: see {world.service.log}")
            alive = {process.pid for process in world.service.workers()}
            serving = {pid for pid in alive if f"process {pid} serves" in world.log_text}
            if len(serving) == world.place.workers:
                return
            self._check_patience(since, "its processes did not come back")

    def _wait_for_the_database(self, since: float) -> None:
        """Until the spool is empty and whichever process is asked has the database."""
        spool = self._world.place.data / SPOOL_FOLDER
        with ThreadPoolExecutor(_PROBES) as pool:
            while spooled_lines(spool) or not all(pool.map(self._has_the_database, range(_PROBES))):
                self._check_patience(since, "the database did not come back for it")

    def _has_the_database(self, _probe: int) -> bool:
        headers = {"Authorization": f"Bearer {self._world.key}", "Connection": "close"}
        try:
            ready = httpx.get(f"{self._world.service.url}/health/ready", headers=headers, timeout=60)
            fairness = httpx.get(f"{self._world.service.url}{FAIRNESS}", headers=headers, timeout=60)
        except httpx.TransportError:
            return False
        statuses = ready.status_code, fairness.status_code
        return statuses == (200, 200) and ready.json()["store"] == "ok"

    def _check_patience(self, since: float, otherwise: str) -> None:
        if time.monotonic() - since > RECOVERY_SECONDS:
            raise ChaosError(f"{otherwise} within {RECOVERY_SECONDS:g} s: see {self._world.service.log}")
        time.sleep(0.2)


def _reads(process: psutil.Process) -> bool:
    try:
        arguments = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "reader_process" in arguments or "documents.process" in arguments
