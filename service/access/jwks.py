"""The public keys of an identity provider (JWKS, RFC 7517), fetched and kept up to date.

They change: a provider adds a key, signs with it later, and drops the old one. So a token of a key that is
not known makes them be fetched, at most every ten seconds, whoever sends such tokens and however many.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from service.core.errors import ConfigurationError

_TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 2**20
_DISCOVERY = "/.well-known/openid-configuration"


class ProviderKeys:
    """The signing keys of one set."""

    def __init__(self, keys: Sequence[Mapping[str, Any]]) -> None:
        self._keys = [dict(key) for key in keys if key.get("use", "sig") == "sig"]

    def __contains__(self, kid: str | None) -> bool:
        return self.get(kid) is not None

    def get(self, kid: str | None) -> dict[str, Any] | None:
        """The key of this id; without an id the only one, if there is only one."""
        found = self._keys if kid is None else [key for key in self._keys if key.get("kid") == kid]
        return found[0] if len(found) == 1 else None


def fetch_keys(issuer: str, jwks_url: str | None) -> ProviderKeys:
    """Ask the provider. Without `jwks_url` its discovery document says where (OpenID Connect Discovery 1.0).

    Raises `ConfigurationError` if it does not answer with keys.
    """
    if jwks_url is None:
        described = _fetch(issuer.rstrip("/") + _DISCOVERY)
        if described.get("issuer") != issuer:
            raise ConfigurationError(
                "the provider's discovery document is of another issuer", field="jwt_issuer"
            )
        jwks_url = described.get("jwks_uri")
        if not isinstance(jwks_url, str) or not is_safe_url(jwks_url):
            raise ConfigurationError(
                "the provider's discovery document names no https address of its keys", field="jwt_issuer"
            )
    keys = _fetch(jwks_url).get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ConfigurationError("what the provider sent is no set of keys", field="jwt_jwks_url")
    return ProviderKeys(keys)


def is_safe_url(url: str) -> bool:
    """Whether what is fetched there comes from who it should: https, or this machine itself."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            return bool(host) and parts.username is None
        return parts.scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An address that was checked must not lead to one that was not."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _fetch(url: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=ssl.create_default_context()), _NoRedirects()
    )
    request = urllib.request.Request(url, headers={"Accept": "application/json", "User-Agent": "evenmatch"})
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            content = answer.read(_MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise ConfigurationError(f"the provider answered with status {error.code}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ConfigurationError(f"the provider does not answer: {type(reason).__name__}") from None
    if len(content) > _MOST_BYTES:
        raise ConfigurationError(f"the provider sent more than {_MOST_BYTES:,} bytes")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ConfigurationError("what the provider sent is no JSON object")
    return found
