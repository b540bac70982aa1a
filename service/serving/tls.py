"""TLS of the service's own: its certificate, and certificates that callers must have (mTLS)."""

from __future__ import annotations

import ssl
from pathlib import Path

from service.access.private_files import check_private
from service.core.errors import ConfigurationError
from service.settings import ServerOptions


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
