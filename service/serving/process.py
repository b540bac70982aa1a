"""What a serving process does: load the model, open the decision log, build the app and serve it.

It is the only one (`serve_alone`), or one of several that a supervisor started (`serve`): each has a model
and an app of its own, and they share the port.
"""

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
from functools import partial
from multiprocessing import connection, parent_process
from pathlib import Path

from fastapi import FastAPI

from service.core.errors import ConfigurationError, EvenmatchError, MetricsLostError, ProcessError
from service.logs import OncePerMinute, log_to_stderr
from service.metrics.registry import Metrics
from service.metrics.shared_values import SharedValues
from service.runtime.devices import usable_cores
from service.runtime.numpy_threads import keep_numpy_to_one_thread
from service.runtime.observer import RuntimeObserver
from service.runtime.options import RuntimeOptions
from service.runtime.runtime import Runtime, load_to_serve
from service.runtime.warm_up import WarmUp
from service.serving.app import create_app, create_metrics
from service.serving.body_timeouts import Draining
from service.serving.exposure import is_metrics_socket, listening_sockets, url_of_service
from service.serving.server import CANNOT_START, STOP_AS_SIGTERM, Server
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


class _OneOfSeveral(Server):
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


def serve(assignment: Assignment, load: Load = load_to_serve) -> None:
    """Load the model and serve until SIGTERM. The process ends if its parent does."""
    settings = assignment.settings
    log_to_stderr(settings.server.log_level, settings.server.log_format)
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
        keep_numpy_to_one_thread()
        runtime = load(options, metrics)
        recorder = open_recorder(settings.store, metrics)
        draining = Draining()
        app = create_app(settings, runtime=runtime, metrics=metrics, recorder=recorder, draining=draining)
    except EvenmatchError as error:
        log.error("process %d cannot serve: %s", os.getpid(), error.message)
        sys.exit(CANNOT_START)
    _OneOfSeveral(assignment, app, draining, metrics).run(assignment.sockets)


class _Alone(Server):
    """Says where it listens, and when it is ready."""

    def __init__(self, settings: Settings, app: FastAPI, draining: Draining, metrics: Metrics) -> None:
        super().__init__(settings, app, draining, metrics)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        exempt_from_collection()
        self._metrics.process_ready(wanted=1, replaces=False)
        for listener in sockets or []:
            if is_metrics_socket(listener, self._settings):
                continue
            address = url_of_service(listener, self._settings)
            warm_up: WarmUp = self._app.state.runtime.warm_up
            if not warm_up.is_done:
                log.warning("listening at %s, not ready yet: GET /health/ready says why", address)
            warm_up.when_done(partial(log.info, "ready to score at %s (docs at /docs)", address))


def serve_alone(settings: Settings, load: Load = load_to_serve) -> None:
    """Serve in this process until a signal; open requests are answered first.

    The port is bound, the model loaded and the decision log opened before anybody can connect. Raises an
    `EvenmatchError` if that cannot be done.
    """
    sockets = listening_sockets(settings)
    try:
        metrics, draining = create_metrics(settings), Draining()
        keep_numpy_to_one_thread()
        runtime = load(settings.runtime, metrics)
        recorder = open_recorder(settings.store, metrics)
        app = create_app(settings, runtime=runtime, metrics=metrics, recorder=recorder, draining=draining)
        server = _Alone(settings, app, draining, metrics)
        try:
            server.run(sockets)
        except SystemExit:  # uvicorn's way to say that it could not begin; it has logged why
            if server.lifespan.should_exit:
                raise ProcessError("the service could not start: the log above says why") from None
            raise ConfigurationError(
                f"cannot listen on {settings.server.host}:{settings.server.port}"
            ) from None
    finally:
        for one in sockets:
            one.close()


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
