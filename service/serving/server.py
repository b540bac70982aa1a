"""Run the app until a signal; open requests are answered first."""

from __future__ import annotations

import logging
import socket
from functools import partial

from fastapi import FastAPI

from service.core.errors import ConfigurationError, ProcessError
from service.metrics.registry import Metrics
from service.runtime.runtime import load_runtime
from service.runtime.warm_up import WarmUp
from service.serving.app import create_app, create_metrics
from service.serving.body_timeouts import Draining
from service.serving.listener import bind, raise_descriptor_limit
from service.serving.process import Load, exempt_from_collection
from service.serving.supervisor import Supervisor
from service.serving.uvicorn_server import Server
from service.settings import Settings
from service.store.recorder import open_recorder

log = logging.getLogger(__name__)


class _Server(Server):
    def __init__(self, settings: Settings, app: FastAPI, draining: Draining, metrics: Metrics) -> None:
        super().__init__(settings, app, draining, metrics)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        exempt_from_collection()
        self._metrics.process_ready(wanted=1, replaces=False)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            address = f"http://{host}:{port}"
            warm_up: WarmUp = self._app.state.runtime.warm_up
            if not warm_up.is_done:
                log.warning("listening at %s, not ready yet: GET /health/ready says why", address)
            warm_up.when_done(partial(log.info, "ready to score at %s (docs at /docs)", address))


def run(settings: Settings, load: Load | None = None) -> None:
    """Serve in this process, or in several others if the settings ask for them. `load` is `load_runtime`.

    The port is bound, the model loaded and the decision log opened before anybody can connect. Raises an
    `EvenmatchError` if that cannot be done.
    """
    raise_descriptor_limit()
    if settings.server.workers > 1:
        Supervisor(settings).run()
        return
    sockets = bind(settings.server.host, settings.server.port)
    try:
        metrics, draining = create_metrics(settings), Draining()
        runtime = (load or load_runtime)(settings.runtime, metrics)
        recorder = open_recorder(settings.store, metrics)
        app = create_app(settings, runtime=runtime, metrics=metrics, recorder=recorder, draining=draining)
        server = _Server(settings, app, draining, metrics)
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
