"""Body of `GET /v1/keys`."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from service.access.keys import KeyStatus
from service.access.principal import Scope
from service.api.schemas.base import Body


class KeyOut(Body):
    """A key as it is listed: what it may do, and never what it is."""

    id: str = Field(description="What it is recognised by: `evm_k7m2p9xw4abc`.")
    name: str
    scopes: list[Scope]
    status: KeyStatus
    created_at: datetime
    expires_at: datetime | None = Field(description="`null`: never.")
    revoked_at: datetime | None
    replaces: str | None = Field(description="The key in whose place it was made.")


class KeysResponse(Body):
    tenant: str
    data: list[KeyOut] = Field(description="The oldest first.")
