"""What monitoring costs: `/v1/score` neither counted nor recorded, as served, and durable, in one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fastapi import FastAPI

from service.api.paths import ROUTES
from service.core.redaction.policy import Category
from service.core.tenants import DEFAULT_TENANT
from service.metrics.registry import Metrics
from service.runtime.runtime import load_runtime
from service.serving.app import create_app, create_metrics
from service.settings import Settings
from service.store.decisions import Answer, Decision, DecisionKind
from service.store.recorder import StoreOptions, open_recorder

CLIENTS = 4
CANDIDATES = 8
"""Resumes in one request."""


@dataclass
class RecordingRates:
    """Resumes a second, one figure a round; the same round stands at the same place."""

    off: list[float] = field(default_factory=list)
    on: list[float] = field(default_factory=list)
    durable: list[float] = field(default_factory=list)


class _NoCounts(Metrics):
    """Counts nothing of a decision or a request."""

    def decided(
        self,
        groups: Mapping[str, str],
        probability: float,
        decision: DecisionKind,
        *,
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        pass

    def redacted(self, counts: Mapping[Category, int] | None) -> None:
        pass

    def answered(self, route: str | None, status: int, seconds: float) -> None:
        pass


async def _forget(decisions: Sequence[Decision]) -> Answer | None:
    """Takes decisions and forgets them."""


def measure(
    folder: Path, threads: int, job: dict[str, str], texts: Sequence[str], rounds: int
) -> RecordingRates:
    """Every text is scored once a round and arm; no embedding cache."""
    settings = Settings(store={"data_dir": folder}, model={"threads": threads, "cache_mib": 0})
    apps: dict[str, FastAPI] = {}
    for arm in ("off", "on", "durable"):
        store = StoreOptions(data_dir=folder / arm, durable=arm == "durable")
        of_arm = settings.model_copy(update={"store": store})
        runtime = load_runtime(settings.runtime)
        recorder, metrics = open_recorder(store), create_metrics(settings)
        if arm == "off":
            recorder.record = _forget  # type: ignore[method-assign]
            metrics = _NoCounts(settings.fairness.groups, ROUTES)
        apps[arm] = create_app(of_arm, runtime=runtime, metrics=metrics, recorder=recorder)
    return asyncio.run(_measure(apps, job, texts, rounds))


async def _measure(
    apps: dict[str, FastAPI], job: dict[str, str], texts: Sequence[str], rounds: int
) -> RecordingRates:
    rates = RecordingRates()
    async with AsyncExitStack() as started:
        for app in apps.values():
            await started.enter_async_context(app.router.lifespan_context(app))
        for app in apps.values():
            await _score_all(app, job, texts[:CANDIDATES])  # reads word lists
        order = list(apps)
        for _ in range(rounds):
            for arm in order:
                seconds = await _score_all(apps[arm], job, texts)
                getattr(rates, arm).append(len(texts) / seconds)
            order.append(order.pop(0))
    return rates


async def _score_all(app: FastAPI, job: dict[str, str], texts: Sequence[str]) -> float:
    parts = [texts[i : i + CANDIDATES] for i in range(0, len(texts), CANDIDATES)]
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=600) as client:

        async def send(mine: Sequence[Sequence[str]]) -> None:
            for part in mine:
                candidates = [
                    {"id": str(i), "resume": text, "groups": {"sex": "female"}} for i, text in enumerate(part)
                ]
                body = {"job": job, "candidates": candidates}
                (await client.post("/v1/score", json=body)).raise_for_status()

        started = time.perf_counter()
        await asyncio.gather(*(send(parts[i::CLIENTS]) for i in range(CLIENTS)))
        return time.perf_counter() - started
