"""What routes ask for, by name."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

from service.api.settings import Settings
from service.monitoring.metrics import Metrics
from service.runtime.runtime import Runtime
from service.runtime.shadow import ShadowAuditor
from service.store.recorder import Recorder


def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


def _runtime(request: Request) -> Runtime:
    return cast(Runtime, request.app.state.runtime)


def _metrics(request: Request) -> Metrics:
    return cast(Metrics, request.app.state.metrics)


def _shadow(request: Request) -> ShadowAuditor:
    return cast(ShadowAuditor, request.app.state.shadow)


def _request_id(request: Request) -> str:
    return cast(str, request.scope["evenmatch.request_id"])


def _recorder(request: Request) -> Recorder:
    return cast(Recorder, request.app.state.recorder)


def _database(request: Request) -> Engine:
    return cast(Engine, request.app.state.database)


SettingsDep = Annotated[Settings, Depends(_settings)]
RuntimeDep = Annotated[Runtime, Depends(_runtime)]
MetricsDep = Annotated[Metrics, Depends(_metrics)]
ShadowDep = Annotated[ShadowAuditor, Depends(_shadow)]
RecorderDep = Annotated[Recorder, Depends(_recorder)]
RequestId = Annotated[str, Depends(_request_id)]
DatabaseDep = Annotated[Engine, Depends(_database)]
