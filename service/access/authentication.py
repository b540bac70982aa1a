"""From what a request carries to who sent it."""

from __future__ import annotations

from collections.abc import Sequence

from service.access.key_ring import KeyRing
from service.access.keys import PREFIX, ApiKey
from service.access.principal import Principal
from service.access.tokens import TokenCheck

_BEARER = "bearer"


class Authenticator:
    """Checks keys, and tokens of an identity provider. For one event loop."""

    def __init__(self, keys: KeyRing | None, tokens: TokenCheck | None) -> None:
        self._keys = keys
        self._tokens = tokens

    async def start(self) -> None:
        """Read what is needed for checks."""
        for part in (self._keys, self._tokens):
            if part is not None:
                await part.start()

    async def stop(self) -> None:
        for part in (self._keys, self._tokens):
            if part is not None:
                await part.stop()

    def keys(self) -> list[ApiKey]:
        """All keys that this service can check, those that are over too. Raises `KeysUnavailableError`."""
        return [] if self._keys is None else self._keys.keys()

    async def principal(self, credential: str | None) -> Principal | None:
        """Who sent this credential; None if there is none or it is not right.

        Raises `KeysUnavailableError` if nobody can say.
        """
        if credential is None:
            return None
        if credential.startswith(f"{PREFIX}_") or self._tokens is None:
            return None if self._keys is None else await self._keys.check(credential)
        return await self._tokens.check(credential)


def credential_of(authorization: Sequence[str], api_key: Sequence[str]) -> str | None:
    """What a request was sent with, by the values of its headers `Authorization` and `X-API-Key`.

    None without one, and if it has two that differ: nobody knows which is meant. Another scheme than `Bearer`
    is for somebody before this service.
    """
    given = {value.strip() for value in api_key}
    for value in authorization:
        scheme, _, token = value.strip().partition(" ")
        if scheme.lower() == _BEARER:
            given.add(token.strip())
    given.discard("")
    return given.pop() if len(given) == 1 else None
