"""From what a request carries to who sent it."""

from __future__ import annotations

from collections.abc import Sequence

from service.access.key_ring import KeyRing
from service.access.principal import Principal

_BEARER = "bearer"


class Authenticator:
    """Checks keys. Made when the service starts, in its event loop."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def start(self) -> None:
        await self._keys.start()

    async def stop(self) -> None:
        await self._keys.stop()

    async def principal(self, credential: str | None) -> Principal | None:
        """Who sent this credential; None if there is none or it is not right.

        Raises `KeysUnavailableError` if nobody can say.
        """
        return None if credential is None else await self._keys.check(credential)


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
