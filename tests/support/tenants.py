"""Requests of tenants, as the middleware that checks keys passes them on."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.principal import Principal

TENANT_HEADER = "x-test-tenant"


class PrincipalOfHeader:
    """Sets who asks from a header that names the tenant; without it nobody is set."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tenant = Headers(scope=scope).get(TENANT_HEADER) if scope["type"] == "http" else None
        if tenant is not None:
            scope["state"] = {**scope.get("state", {}), "principal": Principal(tenant, key_id=f"of-{tenant}")}
        await self._app(scope, receive, send)


def as_tenant(tenant: str, **headers: str) -> dict[str, str]:
    """Headers of a request of this tenant."""
    return {TENANT_HEADER: tenant, **headers}
