"""TLS of the service's own: its certificate, and certificates that callers must have (mTLS).

Files that are renewed are read anew while the service runs: the next handshake has what they say then, and
connections that are open stay as they are.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from anyio import to_thread

from service.access.private_files import check_private
from service.core.errors import ConfigurationError
from service.logs import OncePerMinute
from service.settings import ServerOptions

log = logging.getLogger(__name__)

_LOOK_SECONDS = 5.0
"""Between two looks at the files."""


class RenewedTls:
    """`context` is of the files as they were when they last fitted together. For one event loop."""

    def __init__(self, options: ServerOptions) -> None:
        """Raises `ConfigurationError` if the files cannot be used now."""
        self._options = options
        self._seen = _states(options)  # before they are read: what changes meanwhile is seen by the next look
        self.context = _context(options)
        self._digest = OncePerMinute(log)

    async def keep_fresh(self) -> None:
        """Look at the files until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Take the files if they have changed and can be used; else nothing changes, and the log says why."""
        seen = await to_thread.run_sync(_states, self._options)
        if seen == self._seen:
            return
        try:
            context = await to_thread.run_sync(_context, self._options)
        except ConfigurationError as error:
            # As between the writing of a certificate and that of its key: the next look tries again.
            self._digest.warning(f"the certificate from before is in use: {error.message}")
            return
        self.context, self._seen = context, seen
        log.info("the renewed certificate is in use")


def tls_context(options: ServerOptions) -> ssl.SSLContext | None:
    """What connections are encrypted with; None if they are not.

    TLS 1.2 at least, with the suites that OpenSSL takes for secure. With `tls_client_ca` only a caller with a
    certificate of these authorities gets through the handshake.

    Raises `ConfigurationError` if a file is missing, does not fit, or is a key that others can read.
    """
    if options.tls_certificate is None:
        for name in ("tls_key", "tls_client_ca"):
            if getattr(options, name) is not None:
                raise ConfigurationError(f"{name} is set without tls_certificate", field=name)
        return None
    key = options.tls_key or options.tls_certificate
    _check_key(key)
    password = options.tls_key_password.get_secret_value()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        # Never asks a terminal: without a password an encrypted key is refused.
        context.load_cert_chain(options.tls_certificate, key, lambda: password)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"tls_certificate: {options.tls_certificate} with {key} cannot be used: {_reason(error)}",
            field="tls_certificate",
        ) from None
    if options.tls_client_ca is not None:
        try:
            context.load_verify_locations(options.tls_client_ca)
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"tls_client_ca: {options.tls_client_ca} cannot be used: {_reason(error)}",
                field="tls_client_ca",
            ) from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _check_key(key: Path) -> None:
    try:
        status = key.stat()
    except OSError as error:
        raise ConfigurationError(
            f"tls_key: {key} cannot be read: {error.strerror}", field="tls_key"
        ) from None
    check_private(key, status, "tls_key")


def _reason(error: Exception) -> str:
    """OpenSSL's own words for it, or the system's."""
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__


def _context(options: ServerOptions) -> ssl.SSLContext:
    context = tls_context(options)
    assert context is not None, "there is a certificate"
    return context


def _states(options: ServerOptions) -> list[tuple[int, int, int] | None]:
    """What changes when a file is renewed, in place, by renaming or by a link to another (Kubernetes)."""
    states: list[tuple[int, int, int] | None] = []
    for file in (options.tls_certificate, options.tls_key, options.tls_client_ca):
        try:
            status = None if file is None else file.stat()
        except OSError:
            status = None
        states.append(None if status is None else (status.st_ino, status.st_mtime_ns, status.st_size))
    return states
