"""OpenTelemetry traces of requests, by a W3C `traceparent` part of the caller's. Needs the extra `tracing`.

Made here and not by an instrumentation of the framework, since those record addresses, paths with ids in them
and the messages of exceptions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.middleware import TRACE_ID, method_label, route_label
from service.core.errors import ConfigurationError
from service.tracing import SpanName, tracing

if TYPE_CHECKING:  # nothing of it is imported unless requests are traced
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.trace import Span, Tracer

_NAME = "evenmatch"
_SERVER_ERROR = 500


def open_tracing(processor: SpanProcessor | None = None) -> TracerProvider:
    """What makes and sends spans, by OpenTelemetry's own variables (`OTEL_...`). To be shut down.

    `processor` takes them instead of an exporter. Raises `ConfigurationError` without the extra `tracing`.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError:
        raise ConfigurationError("tracing needs the extra `tracing`", field="tracing") from None
    attributes = {"service.version": metadata.version("evenmatch")}
    given = os.environ.get("OTEL_SERVICE_NAME"), os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    if not given[0] and "service.name=" not in given[1]:
        attributes["service.name"] = _NAME
    provider = TracerProvider(resource=Resource.create(attributes), shutdown_on_exit=False)
    provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class TraceRequests:
    """A span around every request: method, route, status. No path, address, header or id."""

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        self._app = app
        self._tracer = provider.get_tracer(_NAME, metadata.version("evenmatch"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from opentelemetry.trace import SpanKind, format_trace_id
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        # `tracestate` is free text of the caller's, and would be exported with every span.
        parent = Headers(scope=scope).get("traceparent", "")
        context = TraceContextTextMapPropagator().extract({"traceparent": parent})
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = method_label(scope)
        with self._tracer.start_as_current_span(
            method,
            context=context,
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            scope[TRACE_ID] = format_trace_id(span.get_span_context().trace_id)
            span.set_attribute("http.request.method", method)
            failure = ""
            try:
                with tracing(_OpenTelemetrySpans(self._tracer)):
                    await self._app(scope, receive, send_on)
            except BaseException as error:
                failure = type(error).__name__
                raise
            finally:
                if route := route_label(scope):
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)
                if status:
                    span.set_attribute("http.response.status_code", status)
                if failure or status >= _SERVER_ERROR:
                    _mark_failed(span, failure or str(status))


class _OpenTelemetrySpans:
    """Spans below the one that is current in OpenTelemetry's own context."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def span(self, name: SpanName, numbers: dict[str, int]) -> Iterator[None]:
        # Without the library's record of an exception: its message may quote a text.
        with self._tracer.start_as_current_span(
            name, attributes=_named(numbers), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                _mark_failed(span, type(error).__name__)
                raise

    def past(self, name: SpanName, start: int, end: int, numbers: dict[str, int]) -> None:
        self._tracer.start_span(name, start_time=start, attributes=_named(numbers)).end(end)


def _named(numbers: dict[str, int]) -> dict[str, int]:
    return {f"{_NAME}.{name}": number for name, number in numbers.items()}


def _mark_failed(span: Span, kind: str) -> None:
    from opentelemetry.trace import StatusCode

    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)
