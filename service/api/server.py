"""Run the app under uvicorn until a signal; open requests are answered first."""

from __future__ import annotations

import logging
import socket

import uvicorn

from service.api.app import create_app, create_metrics
from service.api.settings import Settings
from service.core.errors import ConfigurationError
from service.runtime.runtime import load_runtime
from service.store.recorder import open_recorder

log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            for listener in server.sockets:
                host, port = listener.getsockname()[:2]
                log.info("ready to score at http://%s:%d (docs at /docs)", host, port)


def run(settings: Settings) -> None:
    """Load the model, open the decision log, then the port.

    Raises an `EvenmatchError` if that cannot be done.
    """
    metrics = create_metrics(settings)
    runtime = load_runtime(settings.runtime_options(), metrics)
    recorder = open_recorder(settings.store_options(), metrics)
    config = uvicorn.Config(
        create_app(settings, runtime=runtime, metrics=metrics, recorder=recorder),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=int(settings.drain_seconds) or 1,
    )
    try:
        _Server(config).run()
    except SystemExit:  # uvicorn's way to say that it could not listen; it has logged why
        raise ConfigurationError(f"cannot listen on {settings.host}:{settings.port}") from None
