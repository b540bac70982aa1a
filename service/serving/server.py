"""uvicorn's server, with accepting, connections and draining of our own; one in every serving process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from service.logs import log_task_failure
from service.metrics.registry import Metrics
from service.serving.body_timeouts import Draining
from service.serving.connections import Connection, ConnectionLimits, Connections
from service.serving.exposure import is_metrics_socket
from service.serving.listener import SURPLUS_CONNECTIONS, Handshakes, Listener, most_connections
from service.serving.tls import RenewedTls
from service.settings import Settings

log = logging.getLogger(__name__)

CANNOT_START = 3
"""Exit status of a process that cannot serve; it has logged why."""

STOP_AS_SIGTERM = (signal.SIGHUP, signal.SIGQUIT)
"""A closed terminal and Ctrl-\\ stop it as SIGTERM does. (The core file of a SIGQUIT could hold resumes.)"""

_LEAST_HANDSHAKES = 8

Handler = Callable[[int, FrameType | None], object]


@contextmanager
def handling(handlers: Mapping[signal.Signals, Handler]) -> Iterator[None]:
    """Handle these signals within the context, except a SIGHUP that is ignored already, as under `nohup`."""
    nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    heard = [number for number in handlers if not (nohup and number is signal.SIGHUP)]
    before = {number: signal.signal(number, handlers[number]) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Server(uvicorn.Server):
    """Serves an app with its `draining` until a signal. `sockets` must be passed to `run`, bound already."""

    stop_signals: tuple[signal.Signals, ...] = STOP_AS_SIGTERM

    def __init__(self, settings: Settings, app: ASGIApp, draining: Draining, metrics: Metrics) -> None:
        super().__init__(uvicorn_config(settings, app))
        self._settings = settings
        self._draining = draining
        self._metrics = metrics
        self._listeners: list[Listener] = []
        self._renewal: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(log_task_failure)
        await super().startup(sockets=[])  # the app's lifespan alone: listening is done here
        most = most_connections(self._settings.server.max_connections)
        limits = ConnectionLimits(
            header_seconds=self._settings.server.header_seconds,
            body_seconds=self._settings.server.body_seconds,
            write_seconds=self._settings.server.write_seconds,
            most=most,
        )
        shared = Connections(limits, self._draining, self._metrics)
        state = self.server_state
        connection = partial(Connection, self.config, state, self.lifespan.state, shared)
        handshakes = None
        if self._settings.server.tls_certificate is not None:
            tls = RenewedTls(self._settings.server)
            self._renewal = asyncio.create_task(tls.keep_fresh(), name="tls")
            at_once = max(_LEAST_HANDSHAKES, most // 4)
            handshakes = Handshakes(lambda: tls.context, limits.header_seconds, at_once)
        for one in sockets or []:
            listener = Listener(
                one,
                connection,
                has_room=lambda: (
                    len(state.connections) < most + SURPLUS_CONNECTIONS or shared.make_room(state)
                ),
                make_room=lambda: shared.make_room(state),
                handshakes=None if is_metrics_socket(one, self._settings) else handshakes,
            )
            try:
                listener.start()
            except OSError as error:  # somebody else began to listen after the socket had been bound
                log.error("process %d cannot listen: %s", os.getpid(), error.strerror)
                await self.lifespan.shutdown()
                sys.exit(CANNOT_START)
            self._listeners.append(listener)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self._listeners:
            await listener.close()
        if self._renewal is not None:
            self._renewal.cancel()
        self._draining.begin()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        def stop(_: int, frame: FrameType | None) -> None:
            self.handle_exit(signal.SIGTERM, frame)

        with super().capture_signals(), handling(dict.fromkeys(self.stop_signals, stop)):
            yield


def uvicorn_config(settings: Settings, app: ASGIApp) -> uvicorn.Config:
    """How the app is served, in one process or in several."""
    return uvicorn.Config(
        app,
        host=settings.server.host,
        port=settings.server.port,
        log_config=None,
        access_log=False,
        http=Connection,
        ws="none",
        forwarded_allow_ips=list(map(str, settings.server.trusted_proxies)),
        timeout_keep_alive=settings.server.keep_alive_seconds,
        timeout_graceful_shutdown=int(settings.server.drain_seconds) or 1,
    )
