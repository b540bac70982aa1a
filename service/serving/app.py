"""`create_app`: the whole HTTP service, built from its settings and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.middleware.cors import CORSMiddleware

from service.access.authentication import Authenticator
from service.access.key_ring import KeyRing
from service.access.limits import RateLimiter
from service.access.throttle import Throttle
from service.access.tokens import TokenCheck
from service.api.access import Access
from service.api.admission import Admission, Budget
from service.api.browsers import BrowserSafety, allowed_hosts
from service.api.disconnects import CancelOnDisconnect
from service.api.documents import RequestDocuments
from service.api.errors import PROBLEM_JSON, install_error_handlers
from service.api.idempotency import REPLAYED_HEADER
from service.api.middleware import CountOpenRequests, HeadAsGet, HeaderLimits, RequestContext
from service.api.paths import PREFIX, ROUTES
from service.api.routes import (
    audit,
    documents,
    embed,
    embeddings,
    fairness,
    health,
    keys,
    model,
    outcomes,
    redact,
    reference,
    score,
    score_jobs,
)
from service.api.schemas.problem import Problem
from service.api.security import declare_security
from service.api.thread_pools import ThreadPools
from service.files.documents.pool import DocumentReader
from service.jobs.service import open_jobs
from service.metrics.baselines import read_baselines
from service.metrics.live_fairness import LiveFairnessThread
from service.metrics.registry import Metrics
from service.metrics.shared_values import SharedValues
from service.reports import load_templates
from service.runtime.cohort_traffic import CohortTraffic, place_of
from service.runtime.open_requests import OpenRequests
from service.runtime.runtime import Runtime, load_to_serve
from service.runtime.shadow_audits import ShadowAuditor
from service.serving.body_timeouts import Draining, ReceiveInTime
from service.serving.traces import TraceRequests, open_tracing
from service.settings import Settings
from service.store.database import open_database
from service.store.recorder import Recorder, open_recorder

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

_ANSWER_BYTES = 64 * 2**20
"""Vectors, in bytes, of large answers that are made or sent at a time."""

FIRST_ROUND_SECONDS = 60.0
"""How long a start waits for the warm-up before it opens the port all the same."""

DESCRIPTION = """Scores how well resumes match a job. A score is a recommendation to a person: nothing here
rejects anyone. Texts are read in memory only and never logged."""


class _Service(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Say of errors what is sent: FastAPI would describe them as application/json."""
        document = super().openapi()
        for operations in document["paths"].values():
            for operation in operations.values():
                for response in operation["responses"].values():
                    content = response.get("content", {})
                    if PROBLEM_JSON in content and "application/json" in content:
                        content[PROBLEM_JSON] = content.pop("application/json")
        declare_security(document)
        return document


def _authenticator(settings: Settings, database: Engine) -> Authenticator | None:
    """What checks keys and tokens; None if neither is configured."""
    options = settings.access
    keys, tokens = None, None
    if (secret := options.secret()) is not None:
        keys = KeyRing(
            options.storage(database),
            secret,
            refresh_seconds=options.keys_seconds,
            stale_seconds=options.keys_stale_seconds,
        )
    if settings.jwt.issuer is not None:
        tokens = TokenCheck(settings.jwt)
    return None if keys is None and tokens is None else Authenticator(keys, tokens)


def _traffic(settings: Settings, runtime: Runtime, recorder: Recorder) -> CohortTraffic | None:
    """What collects vectors of live requests; None unless it is asked for."""
    if not settings.collecting.cohort_collect:
        return None
    place = place_of(
        settings.store.data_dir,
        runtime.bundle,
        runtime.matcher.redactor.categories,
        settings.redaction.entities,
    )
    return CohortTraffic(place, settings.collecting, recorder.log_key.sign)


def create_metrics(settings: Settings, shared: SharedValues | None = None) -> Metrics:
    """The metrics of one app, all at 0; `shared` with its sister processes if it has any."""
    tenants = settings.fairness.metrics_tenants
    return Metrics(settings.fairness.groups, ROUTES, shared=shared, tenants=tenants)


def create_app(
    settings: Settings,
    *,
    runtime: Runtime | None = None,
    metrics: Metrics | None = None,
    recorder: Recorder | None = None,
    draining: Draining | None = None,
    document_reader: DocumentReader | None = None,
    span_processor: SpanProcessor | None = None,
    describe: bool = True,
) -> FastAPI:
    """Build the app. Without a `runtime` or `recorder`, they are loaded and opened when the app starts.

    `draining` is what a server tells that it stops. `document_reader` reads the files of requests and jobs.
    `span_processor` takes the spans of traces, where those are asked for, in the place of an exporter.
    `describe`: make the OpenAPI document before the app is ready, and not when it is first asked for.

    That raises what `load_to_serve` and `open_recorder` raise: a service that could not score does not come
    up.
    """
    metrics = metrics or create_metrics(settings)
    open_requests = OpenRequests()
    limiter = RateLimiter(settings.rates)
    traces = open_tracing(span_processor) if settings.server.tracing else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        served = runtime
        if served is None:
            served = await to_thread.run_sync(load_to_serve, settings.runtime, metrics)
        manifest, info = served.bundle.manifest, served.info
        metrics.serving(
            bundle=manifest.name,
            version=manifest.version,
            engine=info.name,
            device=info.device,
            precision=info.precision,
        )
        metrics.baselines(read_baselines(served.bundle.path))
        records = recorder
        if records is None:
            records = await to_thread.run_sync(open_recorder, settings.store, metrics)
        await to_thread.run_sync(records.start)
        # Beside the recorder's: questions must not wait for the writer's connection.
        database = open_database(settings.store.url, timeout=settings.store.database_seconds)
        authenticator = _authenticator(settings, database)
        if authenticator is not None:
            await authenticator.start()
        app.state.authenticator = authenticator
        watch = LiveFairnessThread(
            database,
            settings.fairness.groups,
            metrics,
            settings.fairness.refresh_seconds,
            tenants=settings.fairness.metrics_tenants,
        )
        await to_thread.run_sync(watch.start)
        served.start()
        warm_up = served.warm_up
        # The first one unpacks all names, and is slow.
        warm_up.add("a first exposition of metrics", metrics.exposition)
        warm_up.add("the templates of reports", load_templates)
        if describe and settings.server.docs:
            warm_up.add("the API's description", app.openapi)
        warm_up.start()
        shadow = ShadowAuditor(served, open_requests, settings.shadow_audit, metrics)
        shadow.start()
        reader = document_reader or DocumentReader(
            settings.documents, size=settings.documents.document_readers, observer=metrics
        )
        jobs = open_jobs(
            served,
            records,
            settings.store,
            settings.jobs,
            open_requests=open_requests,
            observer=metrics,
            documents=reader,
            archives=settings.archives,
            spend=limiter.spend,
        )
        app.state.documents = RequestDocuments(reader)
        app.state.runtime, app.state.recorder, app.state.shadow = served, records, shadow
        app.state.traffic = traffic = _traffic(settings, served, records)
        app.state.database, app.state.pools, app.state.jobs = database, ThreadPools(), jobs
        # Before the port opens; what fails is tried again while readiness says so.
        await to_thread.run_sync(warm_up.wait_for_first_round, FIRST_ROUND_SECONDS)
        jobs.start()
        try:
            yield
        finally:
            await jobs.stop()
            await to_thread.run_sync(reader.stop)
            await shadow.stop()
            if traffic is not None:
                await to_thread.run_sync(traffic.stop)
            await to_thread.run_sync(served.stop, settings.server.drain_seconds)
            await to_thread.run_sync(watch.stop)
            if authenticator is not None:
                await authenticator.stop()
            await limiter.close()
            database.dispose()
            await to_thread.run_sync(records.stop)
            if traces is not None:
                await to_thread.run_sync(traces.shutdown)

    app = _Service(
        title="Evenmatch",
        version=metadata.version("evenmatch"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        openapi_url="/openapi.json" if settings.server.docs else None,
        servers=[{"url": "./", "description": "where this document is"}],
        # A redirect would name plain http behind a gateway that ends TLS, and the resume would be sent there.
        redirect_slashes=False,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        responses={
            "4XX": {
                "model": Problem,
                "content": {PROBLEM_JSON: {}},
                "description": "What is wrong with the request",
            },
            "5XX": {
                "model": Problem,
                "content": {PROBLEM_JSON: {}},
                "description": "The service cannot answer now",
            },
        },
    )
    app.state.settings = settings
    app.state.metrics = metrics
    app.state.groups = settings.fairness.group_reader()
    for routes in (
        score,
        score_jobs,
        embed,
        embeddings,
        redact,
        documents,
        audit,
        outcomes,
        fairness,
        model,
        keys,
    ):
        app.include_router(routes.router, prefix=PREFIX)
        app.include_router(routes.router, include_in_schema=False)
    app.include_router(health.router)
    if settings.server.docs:
        app.include_router(reference.router)
    install_error_handlers(app)
    app.add_middleware(CountOpenRequests, open_requests=open_requests)
    app.add_middleware(CancelOnDisconnect)
    app.add_middleware(
        Admission,
        limit=settings.limits.max_body_bytes,
        budget=Budget(settings.limits.max_inflight_bytes, _ANSWER_BYTES, settings.limits.max_requests),
        retry_after=lambda: app.state.runtime.scheduler.seconds_to_drain(),
        form_limit=min(settings.limits.max_form_bytes, settings.limits.max_inflight_bytes),
        upload_limit=settings.jobs.max_upload_bytes,
    )
    app.add_middleware(
        ReceiveInTime, body_seconds=settings.server.body_seconds, draining=draining or Draining()
    )
    app.add_middleware(
        Access,
        options=settings.access,
        keyed=settings.keyed,
        docs=settings.server.docs,
        throttle=Throttle(settings.rates.wrong_keys_per_minute),
        limiter=limiter,
    )
    if origins := settings.server.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("*",),
            expose_headers=(
                "X-Request-ID",
                "Retry-After",
                "RateLimit",
                "RateLimit-Policy",
                REPLAYED_HEADER,
            ),
        )
    app.add_middleware(
        BrowserSafety,
        hosts=allowed_hosts(settings.server.allowed_hosts, settings.server.host),
        origins=settings.server.cors_origins,
        prefix=settings.server.root_path,
    )
    app.add_middleware(HeadAsGet)
    app.add_middleware(HeaderLimits)
    if traces is not None:
        app.add_middleware(TraceRequests, provider=traces)
    app.add_middleware(RequestContext, metrics=metrics)
    return app
