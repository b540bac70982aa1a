"""Tokens of an identity provider: JWT (RFC 7519), signed with a public key that is fetched.

After RFC 8725: algorithms are those of the settings and never those that a token asks for; only asymmetric
ones exist here, so that no public key can be taken for a secret; issuer, audience and expiry must be there
and right; keys come from the configured address alone (a token's `jku`, `x5u` and `jwk` are not looked at).
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

import jwt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.access.fresh_copy import FreshCopy
from service.access.jwks import fetch_keys, is_safe_url
from service.access.principal import Principal, Scope
from service.core.tenants import TENANT_NAME

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_UNKNOWN_KEY_PAUSE_SECONDS = 10.0
_ID_LENGTH = 12


class TokenOptions(BaseModel):
    """Whose tokens are taken, and what of them says who asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str | None = Field(
        None,
        description="Identity provider whose tokens (JWT) are taken beside keys: its issuer, an https "
        "address, exactly as in `iss`. Left out: no tokens are taken.",
    )
    audience: str | None = Field(
        None, description="What `aud` of a token must be or hold; needed with the issuer."
    )
    jwks_url: str | None = Field(
        None, description="Address of the provider's keys. Left out: its discovery document says it."
    )
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = Field(
        ("RS256", "ES256"), description="Algorithms of signatures that are taken, as JSON."
    )
    scope_claim: str = Field(
        "scope", min_length=1, description="Claim with the scopes, separated by spaces or as a list."
    )
    scope_prefix: str = Field("", description="What stands before each scope there, as `evenmatch:`.")
    tenant_claim: str = Field("tenant", min_length=1, description="Claim with the tenant.")
    tenant: Annotated[str, Field(pattern=f"^{TENANT_NAME.pattern}$")] | None = Field(
        None, description="Tenant of all tokens, in place of a claim."
    )
    leeway_seconds: float = Field(
        30.0, ge=0, le=300, description="How far the provider's clock may differ, in seconds."
    )
    jwks_seconds: float = Field(
        300.0, ge=1, le=86_400, description="Seconds between two fetches of the provider's keys."
    )
    jwks_stale_seconds: float = Field(
        3_600.0,
        ge=1,
        le=7 * 86_400,
        description="While they cannot be fetched, those fetched last count for so many seconds; then 503.",
    )

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.issuer is None:
            return self
        if not self.audience:
            raise ValueError("needs jwt_audience, too: a token for another service must not do here")
        for name, url in (("jwt_issuer", self.issuer), ("jwt_jwks_url", self.jwks_url)):
            if url is not None and not is_safe_url(url):
                raise ValueError(f"{name} must be an https address")
        return self


class TokenCheck:
    """Checks tokens. For one event loop: `start` before use, `stop` after."""

    def __init__(self, options: TokenOptions, *, clock: Callable[[], float] = time.monotonic) -> None:
        assert options.issuer is not None
        assert options.audience is not None
        issuer = options.issuer
        self._options = options
        self._issuer, self._audience = issuer, options.audience
        self._keys = FreshCopy(
            lambda: fetch_keys(issuer, options.jwks_url),
            what="tokens",
            refresh_seconds=options.jwks_seconds,
            pause_seconds=_UNKNOWN_KEY_PAUSE_SECONDS,
            stale_seconds=options.jwks_stale_seconds,
            clock=clock,
        )

    async def start(self) -> None:
        """Fetch the provider's keys, and go on doing so."""
        await self._keys.start()

    async def stop(self) -> None:
        await self._keys.stop()

    async def check(self, token: str) -> Principal | None:
        """Who sent a token; None if it is not right. Raises `KeysUnavailableError`."""
        if not _TOKEN.fullmatch(token):
            return None
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            return None
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in self._options.algorithms:
            return None
        key = (await self._keys.get_with(lambda keys: kid in keys)).get(kid)
        if key is None or key.get("alg", algorithm) != algorithm:
            return None
        try:
            claims = jwt.decode(
                token,
                jwt.PyJWK(key, algorithm=algorithm),
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._options.leeway_seconds,
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError:
            return None
        return self._principal(claims)

    def _principal(self, claims: dict[str, Any]) -> Principal | None:
        tenant = self._options.tenant or claims.get(self._options.tenant_claim)
        if not isinstance(tenant, str) or not TENANT_NAME.fullmatch(tenant):
            return None
        subject = hashlib.sha256(f"{self._issuer}\n{claims['sub']}".encode()).hexdigest()
        return Principal(tenant, self._scopes(claims), f"jwt-{subject[:_ID_LENGTH]}")

    def _scopes(self, claims: dict[str, Any]) -> frozenset[Scope]:
        given = claims.get(self._options.scope_claim)
        names = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
        prefix = self._options.scope_prefix
        known = {f"{prefix}{scope}": scope for scope in Scope}
        return frozenset(known[name] for name in names if isinstance(name, str) and name in known)
