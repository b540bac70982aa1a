"""What a trace says of a request: where its time went, and nothing of its content."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from service.core.bundle import Bundle
from service.core.errors import ConfigurationError
from service.serving.traces import open_tracing
from service.tracing import span, spans
from tests.support.api import ENGINEER, JOB, Api, start_api

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"

Finished = Callable[[], list[ReadableSpan]]


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(scope="module")
def api(
    tiny_bundle: Bundle,
    bge_like: Path,
    tmp_path_factory: pytest.TempPathFactory,
    exporter: InMemorySpanExporter,
) -> Iterator[Api]:
    with ExitStack() as stack:
        yield start_api(
            stack,
            bge_like / "tokenizer.json",
            tmp_path_factory.mktemp("data"),
            tiny_bundle,
            server={"tracing": True},
            span_processor=SimpleSpanProcessor(exporter),
        )


@pytest.fixture
def finished(exporter: InMemorySpanExporter) -> Finished:
    """Spans that ended since the test began, in the order of their beginning."""
    exporter.clear()
    return lambda: sorted(exporter.get_finished_spans(), key=lambda one: one.start_time or 0)


def test_a_score_is_one_span_with_queue_inference_and_store_below_it(api: Api, finished: Finished) -> None:
    headers = {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "vendor=Zaphod"}
    body = {"job": JOB, "candidates": [{"id": "c-1", "resume": ENGINEER}]}
    assert api.post("/score?Zaphod=1", json=body, headers=headers).status_code == 200
    request, *inner = finished()
    assert request.name == "POST /v1/score"
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/v1/score",
        "http.response.status_code": 200,
    }
    assert request.parent is not None
    assert (f"{request.parent.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, CALLER)
    assert request.context.trace_state == {}
    assert [one.name for one in inner] == ["evenmatch.queue", "evenmatch.inference", "evenmatch.store"]
    queue, inference, store = inner
    assert all(one.parent is not None and one.parent.span_id == request.context.span_id for one in inner)
    assert queue.end_time == inference.start_time
    assert dict(queue.attributes or {}) == dict(inference.attributes or {})
    assert set(inference.attributes or {}) == {"evenmatch.texts", "evenmatch.tokens"}
    assert dict(store.attributes or {}) == {"evenmatch.decisions": 1}


def test_a_question_to_the_database_is_a_span(api: Api, finished: Finished) -> None:
    assert api.get("/v1/fairness").status_code == 200
    request, store = finished()
    assert (request.name, store.name) == ("GET /v1/fairness", "evenmatch.store")
    assert request.parent is None


def test_a_failure_is_marked_by_its_kind_alone(
    api: Api, finished: Finished, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("Zaphod")

    monkeypatch.setattr(api.runtime.matcher, "tokenize_resume", fail)
    with caplog.at_level("INFO"):
        assert api.score("a resume of Zaphod's").status_code == 500
    (request,) = finished()
    assert request.status.status_code is StatusCode.ERROR
    assert request.status.description is None
    assert request.events == ()
    assert (request.attributes or {})["error.type"] == "KeyError"
    assert "Zaphod" not in request.to_json()
    of_requests = [vars(record)["fields"] for record in caplog.records if record.name == "service.requests"]
    answered = of_requests[-1]
    assert answered["trace_id"] == f"{request.context.trace_id:032x}"


def test_what_no_route_matches_has_no_path_and_no_method_of_the_callers(api: Api, finished: Finished) -> None:
    assert api.get("/v1/Zaphod").status_code == 404
    assert api.request("ZAPHOD", "/v1/score").status_code == 405
    unknown, refused = finished()
    assert unknown.name == "GET"
    assert "http.route" not in (unknown.attributes or {})
    assert refused.name == "_OTHER /v1/score"


def test_without_a_traced_request_a_span_is_nothing() -> None:
    assert spans() is None
    assert span("evenmatch.store", decisions=1) is span("evenmatch.queue")


def test_a_service_without_the_extra_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(ConfigurationError, match="needs the extra `tracing`"):
        open_tracing()
