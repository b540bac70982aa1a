"""`evenmatch serve`."""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import BundleOption, EngineOption, exit_codes, settings_from
from service.logs import log_to_stderr
from service.runtime.runtime import load_to_serve, start_reader_pool
from service.settings import Settings, unknown_variables

log = logging.getLogger(__name__)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [EVENMATCH_HOST].")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port [EVENMATCH_PORT].")] = None,
    bundle: BundleOption = None,
    engine: EngineOption = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="PEM file, with which it speaks HTTPS [EVENMATCH_TLS_CERTIFICATE].")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file of its key [EVENMATCH_TLS_KEY].")] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(help="PEM file: callers need a certificate of these [EVENMATCH_TLS_CLIENT_CA]."),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Without keys, listen on an address that others reach, too [EVENMATCH_INSECURE].",
        ),
    ] = False,
) -> None:
    """Serve the HTTP API. Every other setting is an environment variable, see the README."""
    settings = settings_from(
        server={
            "host": host,
            "port": port,
            "tls_certificate": tls_certificate,
            "tls_key": tls_key,
            "tls_client_ca": tls_client_ca,
        },
        access={"insecure": insecure or None},
        model={"bundle": bundle, "engine": engine},
    )
    log_to_stderr(settings.server.log_level, settings.server.log_format)
    for warning in unknown_variables(os.environ):
        log.warning(warning)
    with exit_codes():
        if settings.server.workers > 1:
            _serve_in_several(settings)
        else:
            _serve_alone(settings)


def _serve_in_several(settings: Settings) -> None:
    from service.serving.listener import raise_descriptor_limit
    from service.serving.supervisor import Supervisor

    raise_descriptor_limit()
    Supervisor(settings).run()


def _serve_alone(settings: Settings) -> None:
    # Before the server is imported, which takes another core half a second meanwhile.
    reader_pool = start_reader_pool(settings.runtime)
    try:
        from service.serving.listener import raise_descriptor_limit
        from service.serving.process import serve_alone

        raise_descriptor_limit()
        serve_alone(settings, partial(load_to_serve, reader_pool=reader_pool))
    finally:
        reader_pool.stop()
