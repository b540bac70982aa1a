"""One of several serving processes: its own model, its own app, the port shared with the others."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import connection, parent_process
from pathlib import Path

from fastapi import FastAPI

from service.core.errors import EvenmatchError, MetricsLostError
from service.logs import OncePerMinute, log_to_stderr
from service.metrics.registry import Metrics
from service.metrics.shared_values import SharedValues
from service.runtime.devices import usable_cores
from service.runtime.observer import RuntimeObserver
from service.runtime.options import RuntimeOptions
from service.runtime.runtime import Runtime, load_runtime
from service.serving.app import create_app, create_metrics
from service.serving.body_timeouts import Draining
from service.serving.uvicorn_server import CANNOT_START, STOP_AS_SIGTERM, Server
from service.settings import Settings
from service.store.recorder import open_recorder

log = logging.getLogger(__name__)

_TICKS_BETWEEN_LOOKS = 10
"""A tenth of a second each."""

Load = Callable[[RuntimeOptions, RuntimeObserver], Runtime]


@dataclass(frozen=True)
class Assignment:
    """What a process needs to know. `replaces`: it takes the place of one that died or hung.

    `heartbeat`: 0 until the process serves, then the monotonic time at which its event loop last turned.
    """

    settings: Settings
    sockets: list[socket.socket]
    folder: Path
    slot: int
    replaces: bool
    heartbeat: ctypes.c_double
    joined: ctypes.Array[ctypes.c_byte]
    """Of all slots, which have counted: see `SharedValues`."""


class _Server(Server):
    stop_signals = ()  # ignored here: the parent hears them, too

    def __init__(self, assignment: Assignment, app: FastAPI, draining: Draining, metrics: Metrics) -> None:
        super().__init__(assignment.settings, app, draining, metrics)
        self._assignment = assignment
        self._digest = OncePerMinute(log)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        exempt_from_collection()
        self._metrics.process_ready(
            wanted=self._assignment.settings.server.workers, replaces=self._assignment.replaces
        )
        log.info("process %d serves (slot %d)", os.getpid(), self._assignment.slot)

    async def on_tick(self, counter: int) -> bool:
        self._assignment.heartbeat.value = time.monotonic()
        if counter % _TICKS_BETWEEN_LOOKS == 0:
            try:
                self._metrics.keep()
            except MetricsLostError as error:
                self._digest.warning(error.message)
        return await super().on_tick(counter)


def serve(assignment: Assignment, load: Load = load_runtime) -> None:
    """Load the model and serve until SIGTERM. The process ends if its parent does."""
    settings = assignment.settings
    log_to_stderr(settings.server.log_level)
    # A terminal's Ctrl-C and its end reach every process; the parent passes them on as SIGTERM, in its order.
    for number in (signal.SIGINT, *STOP_AS_SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    options = settings.runtime
    if not options.model.threads:
        share = max(1, usable_cores() // settings.server.workers)
        options = replace(options, model=options.model.model_copy(update={"threads": share}))
    try:
        metrics = create_metrics(
            settings, SharedValues(assignment.folder, assignment.slot, assignment.joined)
        )
        runtime = load(options, metrics)
        recorder = open_recorder(settings.store, metrics)
    except EvenmatchError as error:
        log.error("process %d cannot serve: %s", os.getpid(), error.message)
        sys.exit(CANNOT_START)
    draining = Draining()
    app = create_app(settings, runtime=runtime, metrics=metrics, recorder=recorder, draining=draining)
    _Server(assignment, app, draining, metrics).run(assignment.sockets)


def exempt_from_collection() -> None:
    """Call once when the process serves: the garbage collector leaves alone what is there now.

    Going through the libraries' and the model's objects held up every request for about 0.2 s, now and then.
    """
    gc.freeze()


def _end_with_parent() -> None:
    """A parent that was killed can neither stop nor replace its processes: they drain by themselves."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
