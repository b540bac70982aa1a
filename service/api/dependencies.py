"""What routes ask for, by name.

All of it is `async`: FastAPI would run plain functions in threads that every kind of work shares.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Engine

from service.access.authentication import Authenticator
from service.access.principal import Principal
from service.api.admission import Held
from service.api.documents import RequestDocuments
from service.api.thread_pools import ThreadPools
from service.core.group_reading import GroupReader
from service.core.tenants import DEFAULT_TENANT
from service.jobs.owners import Owner
from service.jobs.service import JobService
from service.metrics.registry import Metrics
from service.runtime.cohort_traffic import CohortTraffic
from service.runtime.runtime import Runtime
from service.runtime.shadow_audits import ShadowAuditor
from service.settings import Settings
from service.store.recorder import Recorder


def _of_app(name: str) -> Any:
    """What the app keeps under this name, from its start on."""

    async def get(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(get)


def _of_request(name: str) -> Any:
    """What a middleware put into the request's scope."""

    async def get(request: Request) -> Any:
        return request.scope[name]

    return Depends(get)


SettingsDep = Annotated[Settings, _of_app("settings")]
RuntimeDep = Annotated[Runtime, _of_app("runtime")]
GroupsDep = Annotated[GroupReader, _of_app("groups")]
MetricsDep = Annotated[Metrics, _of_app("metrics")]
ShadowDep = Annotated[ShadowAuditor, _of_app("shadow")]
TrafficDep = Annotated[CohortTraffic | None, _of_app("traffic")]
RecorderDep = Annotated[Recorder, _of_app("recorder")]
AuthenticatorDep = Annotated[Authenticator | None, _of_app("authenticator")]
DatabaseDep = Annotated[Engine, _of_app("database")]
PoolsDep = Annotated[ThreadPools, _of_app("pools")]
DocumentsDep = Annotated[RequestDocuments, _of_app("documents")]
JobsDep = Annotated[JobService, _of_app("jobs")]
RequestId = Annotated[str, _of_request("evenmatch.request_id")]
HeldDep = Annotated[Held, _of_request(Held.KEY)]


async def _principal(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


PrincipalOf = Annotated[Principal, Depends(_principal)]
"""Who asks: set by `service.api.access`."""


async def _owner(request: Request, jobs: JobsDep, principal: PrincipalOf) -> Owner:
    if principal.key_id is not None or principal.tenant != DEFAULT_TENANT:
        return Owner(principal.tenant)
    credential = request.headers.get("authorization") or request.headers.get("x-api-key") or ""
    return jobs.owner_by(credential.strip())


OwnerDep = Annotated[Owner, Depends(_owner)]
"""Whose jobs a request may see: its tenant's, or, where this service checks no keys, those that were made
with the same credential as it was sent."""
