"""What routes ask for, by name.

All of it is `async`: FastAPI would run plain functions in threads that every kind of work shares.
"""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

from service.api.admission import Held
from service.api.thread_pools import ThreadPools
from service.metrics.registry import Metrics
from service.runtime.runtime import Runtime
from service.runtime.shadow_audits import ShadowAuditor
from service.settings import Settings
from service.store.recorder import Recorder


async def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


async def _runtime(request: Request) -> Runtime:
    return cast(Runtime, request.app.state.runtime)


async def _metrics(request: Request) -> Metrics:
    return cast(Metrics, request.app.state.metrics)


async def _shadow(request: Request) -> ShadowAuditor:
    return cast(ShadowAuditor, request.app.state.shadow)


async def _request_id(request: Request) -> str:
    return cast(str, request.scope["evenmatch.request_id"])


async def _recorder(request: Request) -> Recorder:
    return cast(Recorder, request.app.state.recorder)


async def _database(request: Request) -> Engine:
    return cast(Engine, request.app.state.database)


async def _thread_pools(request: Request) -> ThreadPools:
    return cast(ThreadPools, request.app.state.pools)


async def _held(request: Request) -> Held:
    return cast(Held, request.scope[Held.KEY])


SettingsDep = Annotated[Settings, Depends(_settings)]
RuntimeDep = Annotated[Runtime, Depends(_runtime)]
MetricsDep = Annotated[Metrics, Depends(_metrics)]
ShadowDep = Annotated[ShadowAuditor, Depends(_shadow)]
RecorderDep = Annotated[Recorder, Depends(_recorder)]
RequestId = Annotated[str, Depends(_request_id)]
DatabaseDep = Annotated[Engine, Depends(_database)]
PoolsDep = Annotated[ThreadPools, Depends(_thread_pools)]
HeldDep = Annotated[Held, Depends(_held)]
