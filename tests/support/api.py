"""The real app on the fake engine, and texts for it. Fixtures are in tests/service/conftest.py."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine
from starlette.middleware import Middleware

from service.core.bundle import Bundle
from service.core.engines.loading import LoadedModel
from service.core.tokenization import TextTokenizer
from service.metrics.registry import Metrics
from service.runtime.devices import EngineChoice
from service.runtime.runtime import Runtime
from service.serving.app import create_app, create_metrics
from service.settings import Settings
from tests.support.fakes import FakeEngine

JOB = {"title": "backend engineer", "description": "build the payment service in python and java"}
ENGINEER = "senior backend engineer, python, java, built the payment service"
NURSE = "registered nurse, patient care on the surgical ward"


def numbers(seed: int, words: int) -> str:
    """Text without a repeated passage; each word is 6 tokens."""
    return " ".join(f"x{100 * seed + i:05d}" for i in range(words))


class Api(TestClient):
    """The real app on the fake engine. An exception inside the app is answered, as in production."""

    engine: FakeEngine
    runtime: Runtime
    metrics: Metrics
    database: Engine

    def score(self, *resumes: str, job: dict[str, Any] | None = None, **candidate: Any) -> Any:
        """POST /v1/score with candidates c-0, c-1, ..."""
        candidates = [{"id": f"c-{i}", "resume": text, **candidate} for i, text in enumerate(resumes)]
        return self.post("/v1/score", json={"job": job or JOB, "candidates": candidates})

    def series(self, name: str, **labels: str) -> float:
        """The value of one series of /metrics, without asking for the two thousand others."""
        for family in self.metrics.registry.restricted_registry([name]).collect():
            for sample in family.samples:
                if labels.items() <= sample.labels.items():
                    return sample.value
        raise AssertionError(f"no series {name} {labels}")


Start = Callable[..., Api]
"""Starts the app: with another bundle, and with other settings than the defaults, by part."""


def start_api(stack: ExitStack, tokenizer: Path, data_dir: Path, bundle: Bundle, **parts: Any) -> Api:
    """Start the app with these settings, by part; it stops with `stack`.

    `document_reader` among them is what reads files, `span_processor` what takes spans, `middleware` is put
    inside of all others.
    """
    given = {name: parts.pop(name, None) for name in ("document_reader", "span_processor")}
    middleware = parts.pop("middleware", None)
    chosen = Settings(
        **{
            **parts,
            "model": {"bundle": str(bundle.path), "queue_tokens": 20_000, **parts.get("model", {})},
            "store": {"data_dir": data_dir, **parts.get("store", {})},
        }
    )
    metrics = create_metrics(chosen)
    engine = FakeEngine()
    runtime = Runtime(
        bundle,
        LoadedModel(engine, TextTokenizer.load(tokenizer, bundle.manifest)),
        EngineChoice("openvino", "cpu", "a fake, for tests"),
        chosen.runtime,
        reload=FakeEngine,
        observer=metrics,
    )
    app = create_app(chosen, runtime=runtime, metrics=metrics, describe=False, **given)
    if middleware is not None:
        app.user_middleware.append(Middleware(middleware))
    api = Api(app, base_url="http://localhost", raise_server_exceptions=False)
    api.engine, api.runtime, api.metrics = engine, runtime, metrics
    stack.enter_context(api)
    api.database = app.state.database
    return api
