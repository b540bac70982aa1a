"""Several serving processes behind one port, and who starts, replaces and stops them.

The first process starts alone, so that the model is converted and the database migrated once; then the
others. A process that dies, does not serve `start_seconds` after its start, or whose event loop stands still
for `stall_seconds`, is replaced, after longer and longer pauses. If none is left that serves and a new one
cannot start, the service ends with an error. Where all stood still together (a paused container, Ctrl-Z),
none is at fault: each gets its full time again.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import RawArray, RawValue
from types import FrameType

from service.core.errors import MetricsLostError, ProcessError
from service.logs import OncePerMinute
from service.metrics.shared_folder import SharedFolder
from service.metrics.shared_values import forget_gauges
from service.serving.exposure import is_metrics_socket, listening_sockets, url_of_service
from service.serving.process import Assignment, serve
from service.serving.server import STOP_AS_SIGTERM, handling
from service.settings import Settings

log = logging.getLogger(__name__)

_SPAWN = multiprocessing.get_context("spawn")  # a fork would share locks and threads of the libraries
_POLL_SECONDS = 0.2
_FIRST_BACKOFF_SECONDS = 0.5
_LAST_BACKOFF_SECONDS = 30.0
_SETTLED_SECONDS = 60.0
"""A process that served this long starts again with the shortest pause."""

_STOP_MARGIN_SECONDS = 10.0
_SHORTEST_PAUSE_SECONDS = 1.0
"""A round that took less was slow, not paused."""


class _Slot:
    """A place for one process at a time."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: SpawnProcess | None = None
        self.heartbeat: ctypes.c_double = RawValue(ctypes.c_double, 0.0)
        self.ready_since: float | None = None
        self.backoff = 0.0
        self.start_at = 0.0
        self.started_at = 0.0

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.is_alive()

    @property
    def is_ready(self) -> bool:
        return self.is_alive and self.ready_since is not None


class Supervisor:
    """Runs as many processes as the settings say, until a signal that stops them. `work`: what each does."""

    def __init__(self, settings: Settings, work: Callable[[Assignment], None] = serve) -> None:
        """Raises `ConfigurationError` if there is no folder for the processes' metrics."""
        self._settings = settings
        self._work = work
        self._slots = [_Slot(number) for number in range(settings.server.workers)]
        self._signal: int | None = None
        self._joined = RawArray(ctypes.c_byte, settings.server.workers)
        self._folder = SharedFolder()
        self._digest = OncePerMinute(log)
        self._looked_at = self._awake_since = time.monotonic()

    def run(self) -> None:
        """Serve until a signal.

        Raises `ConfigurationError` if the port cannot be had, `ProcessError` if no process can serve.
        """
        try:
            sockets = listening_sockets(self._settings)
            with self._signals():
                try:
                    self._supervise(sockets)
                finally:
                    for (
                        one
                    ) in sockets:  # now, so that new connections are refused and do not wait for nothing
                        one.close()
                    self._stop()
        finally:
            self._folder.remove()
        if self._signal is not None:
            signal.raise_signal(self._signal)

    def _supervise(self, sockets: list[socket.socket]) -> None:
        announced = False
        self._start(self._slots[0], sockets, replaces=False)
        while self._signal is None:
            self._notice_pause(time.monotonic())
            self._keep_folder()
            for slot in self._slots:
                self._look_after(slot, sockets)
            if not announced and all(slot.is_ready for slot in self._slots):
                announced = True
                for one in sockets:
                    if is_metrics_socket(one, self._settings):
                        continue
                    where = url_of_service(one, self._settings)
                    log.info("ready to score at %s (docs at /docs) in %d processes", where, len(self._slots))
            connection.wait(
                [slot.process.sentinel for slot in self._slots if slot.process is not None], _POLL_SECONDS
            )

    def _keep_folder(self) -> None:
        try:
            self._folder.keep()
        except MetricsLostError as error:  # `/metrics` says so, too
            self._digest.warning(error.message)

    def _notice_pause(self, now: float) -> None:
        """Remember since when this process runs without having stood still itself."""
        if now - self._looked_at > max(_SHORTEST_PAUSE_SECONDS, self._settings.model.stall_seconds / 2):
            self._awake_since = now
        self._looked_at = now

    def _look_after(self, slot: _Slot, sockets: list[socket.socket]) -> None:
        """Start, watch and, once it is dead, forget the process of one slot."""
        now = time.monotonic()
        if slot.process is None:
            if slot.start_at <= now and (slot.backoff or self._slots[0].ready_since is not None):
                self._start(slot, sockets, replaces=slot.backoff > 0)
            return
        if slot.heartbeat.value and slot.ready_since is None:
            slot.ready_since = now
        alive_at = max(slot.heartbeat.value, self._awake_since)
        if slot.is_ready and now - alive_at > self._settings.model.stall_seconds:
            log.error("process %s hangs and is killed", slot.process.pid)
            slot.process.kill()
            slot.process.join()
        begun_at = max(slot.started_at, self._awake_since)
        if slot.ready_since is None and now - begun_at > self._settings.server.start_seconds:
            limit = self._settings.server.start_seconds
            log.error("process %s does not serve %g s after its start and is killed", slot.process.pid, limit)
            slot.process.kill()
            slot.process.join()
        if not slot.process.is_alive():
            self._bury(slot)

    def _start(self, slot: _Slot, sockets: list[socket.socket], *, replaces: bool) -> None:
        slot.heartbeat.value, slot.ready_since = 0.0, None
        slot.started_at = time.monotonic()
        assignment = Assignment(
            settings=self._settings,
            sockets=sockets,
            folder=self._folder.path,
            slot=slot.number,
            replaces=replaces,
            heartbeat=slot.heartbeat,
            joined=self._joined,
        )
        slot.process = _SPAWN.Process(target=self._work, args=(assignment,), name=f"serve-{slot.number}")
        slot.process.start()

    def _bury(self, slot: _Slot) -> None:
        """Forget a dead process, and say when the next one starts."""
        assert slot.process is not None
        pid, status = slot.process.pid, slot.process.exitcode
        was_ready = slot.ready_since is not None
        if slot.ready_since is not None and time.monotonic() - slot.ready_since >= _SETTLED_SECONDS:
            slot.backoff = 0.0
        slot.process.close()
        slot.process, slot.ready_since = None, None
        forget_gauges(self._folder.path, slot.number)
        if not was_ready and not any(other.is_ready for other in self._slots):
            raise ProcessError(f"no process can serve: process {pid} ended with status {status} at its start")
        slot.backoff = min(_LAST_BACKOFF_SECONDS, 2 * slot.backoff or _FIRST_BACKOFF_SECONDS)
        slot.start_at = time.monotonic() + slot.backoff
        log.error("process %s died with status %s; a new one starts in %g s", pid, status, slot.backoff)

    def _stop(self) -> None:
        """Let every process answer its open requests; kill what takes too long."""
        for slot in self._slots:
            if slot.process is not None and slot.process.is_alive():
                slot.process.terminate()
        end = time.monotonic() + 2 * self._settings.server.drain_seconds + _STOP_MARGIN_SECONDS
        for slot in self._slots:
            if slot.process is None:
                continue
            slot.process.join(max(0.0, end - time.monotonic()))
            if slot.process.is_alive():
                log.error("process %s did not stop in time and is killed", slot.process.pid)
                slot.process.kill()
                slot.process.join()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Note the signals that ask for an end instead of ending."""

        def note(number: int, _: FrameType | None) -> None:
            self._signal = signal.SIGTERM if number in STOP_AS_SIGTERM else number

        with handling(dict.fromkeys((signal.SIGTERM, signal.SIGINT, *STOP_AS_SIGTERM), note)):
            yield
