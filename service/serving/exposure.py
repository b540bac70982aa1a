"""Where the service listens, and whether it may: without keys only where no other machine can reach it."""

from __future__ import annotations

import ipaddress
import logging
import socket

from service.core.errors import ConfigurationError
from service.serving.listener import bind, url_of
from service.serving.tls import tls_context
from service.settings import Settings

log = logging.getLogger(__name__)


def listening_sockets(settings: Settings) -> list[socket.socket]:
    """Bound sockets for requests, and for metrics where they have a port of their own; none listens yet.

    Raises `ConfigurationError` if a port cannot be had, if the secret of keys or the certificate cannot be
    used, or if other machines could send requests without a key and `insecure` does not allow it.
    """
    host, access = settings.server.host, settings.access
    if access.metrics_port is not None and access.metrics_port == settings.server.port:
        raise ConfigurationError(
            f"metrics_port is {access.metrics_port}, the port of requests; it has to be another",
            field="metrics_port",
        )
    # Each process makes its own of both; what is wrong with them is said here, once.
    access.secret()
    tls_context(settings.server)
    sockets = bind(host, settings.server.port)
    try:
        if not settings.keyed:
            _check_exposure(sockets, insecure=access.insecure)
        if access.metrics_port is not None:
            sockets += bind(host, access.metrics_port)
    except ConfigurationError:
        for one in sockets:
            one.close()
        raise
    return sockets


def url_of_service(one: socket.socket, settings: Settings) -> str:
    """Where the service is reached, as `https://[::]:8000`."""
    return url_of(one, "http" if settings.server.tls_certificate is None else "https")


def is_metrics_socket(one: socket.socket, settings: Settings) -> bool:
    """Whether it is that of metrics and probes alone."""
    return bool(one.getsockname()[1] == settings.access.metrics_port)


def _check_exposure(sockets: list[socket.socket], *, insecure: bool) -> None:
    reached = [one.getsockname()[:2] for one in sockets if not _is_loopback(one)]
    if not reached:
        log.info("no keys are configured: only this machine can reach the service")
    elif insecure:
        log.warning("no keys are configured: whoever reaches %s:%d is answered", *reached[0])
    else:
        address, port = reached[0]
        raise ConfigurationError(
            f"other machines can reach {address}:{port}, and no keys are configured: set "
            "EVENMATCH_KEYS_SECRET or EVENMATCH_KEYS_SECRET_FILE and make a key (evenmatch keys create), "
            "listen on 127.0.0.1, or say --insecure (EVENMATCH_INSECURE=true) if a gateway asks for keys",
            field="host",
        )


def _is_loopback(one: socket.socket) -> bool:
    return ipaddress.ip_address(one.getsockname()[0].partition("%")[0]).is_loopback
