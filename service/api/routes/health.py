"""Liveness, readiness and metrics, for orchestrators and Prometheus."""

from __future__ import annotations

import time

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from service.api import paths
from service.api.dependencies import MetricsDep, PoolsDep, RecorderDep, RuntimeDep, SettingsDep
from service.api.schemas.model import LiveResponse, ReadyResponse

router = APIRouter(tags=["health"])


@router.get(paths.LIVE, summary="Is the process alive?")
async def live() -> LiveResponse:
    """Answer as long as the event loop turns."""
    return LiveResponse()


@router.get(paths.READY, summary="Can it score now?")
async def ready(runtime: RuntimeDep, recorder: RecorderDep, settings: SettingsDep) -> ReadyResponse:
    """Run a real forward pass; 503 if the inference worker is dead, hangs or is too slow.

    Also 503 if decisions can be recorded nowhere, so that none may be made; if the decision log's file was
    deleted or replaced (`store_lost`) or is damaged (`store_damaged`): a person must look, and restart; and
    `warming_up` until word lists and the language model are loaded: what could not be is tried again.
    """
    recorder.check_ready()
    started = time.perf_counter()
    await runtime.check(settings.model.ready_seconds)
    return ReadyResponse(
        forward_pass_ms=round(1000 * (time.perf_counter() - started), 1),
        store="ok" if recorder.state == "ok" else "spooling",
    )


@router.get(
    paths.METRICS,
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(registry: MetricsDep, pools: PoolsDep) -> Response:
    """Answer in Prometheus' text format."""
    exposition = await pools.upkeep.run(registry.exposition)
    return Response(exposition, headers={"Content-Type": CONTENT_TYPE_LATEST})
