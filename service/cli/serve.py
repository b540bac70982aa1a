"""`evenmatch serve`."""

from __future__ import annotations

import logging
import os
from typing import Annotated

import typer

from service.cli.console import BundleOption, EngineOption, exit_codes, settings_from
from service.logs import log_to_stderr
from service.settings import unknown_variables

log = logging.getLogger(__name__)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [EVENMATCH_HOST].")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port [EVENMATCH_PORT].")] = None,
    bundle: BundleOption = None,
    engine: EngineOption = None,
) -> None:
    """Serve the HTTP API. Every other setting is an environment variable, see the README."""
    from service.serving.listener import raise_descriptor_limit
    from service.serving.process import serve_alone
    from service.serving.supervisor import Supervisor

    settings = settings_from(server={"host": host, "port": port}, model={"bundle": bundle, "engine": engine})
    log_to_stderr(settings.server.log_level)
    for warning in unknown_variables(os.environ):
        log.warning(warning)
    with exit_codes():
        raise_descriptor_limit()
        if settings.server.workers > 1:
            Supervisor(settings).run()
        else:
            serve_alone(settings)
