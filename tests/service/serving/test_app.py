"""Routes, errors, health and metrics as a client sees them."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.api.paths import PREFIX, PROBES, ROUTES
from service.core import language
from service.core.bundle import Bundle
from service.core.once import LoadedOnce
from service.metrics.baselines import Baselines
from service.runtime import runtime
from tests.support.api import ENGINEER, JOB, NURSE, Api, Start, numbers
from tests.support.erasers import random_eraser
from tests.support.fakes import WorkerKilled
from tests.support.patience import PATIENCE, wait_until

SECRET = "Zaphod Beeblebrox 555-0100"


def test_the_unprefixed_aliases_answer_and_are_not_in_the_schema(api: Api) -> None:
    body = {"job": JOB, "candidates": [{"id": "a", "resume": ENGINEER}]}
    prefixed, plain = api.post("/v1/score", json=body).json(), api.post("/score", json=body).json()
    assert prefixed["results"][0]["raw_score"] == plain["results"][0]["raw_score"]
    assert api.post("/embed", json={"inputs": "java"}).status_code == 200
    assert api.post("/embeddings", json={"input": "java"}).status_code == 200
    assert api.get("/model").json() == api.get("/v1/model").json()
    paths = set(api.get("/openapi.json").json()["paths"])
    assert paths == set(ROUTES)
    for path in paths - set(PROBES):
        assert path.startswith(PREFIX)
        # A job with the id "{job_id}" is not there, but its path is.
        assert api.post(path.removeprefix(PREFIX), content=b"?").json()["code"] != "not_found"
    assert api.series("evenmatch_requests_total", route="/v1/score", status="200") == 2


def test_the_model_is_described_with_its_limits(start: Start) -> None:
    body = start(limits={"max_candidates": 7}).get("/v1/model").json()
    assert body["bundle"]["name"] == "test-bundle"
    assert len(body["bundle"]["digest"]) == 64
    assert body["base_model"]["pooling"] == "cls"
    assert body["engine"]["reason"] == "a fake, for tests"
    assert body["decision"]["threshold"] == 0.6
    assert body["limits"]["max_candidates"] == 7
    assert body["groups"]["sex"] == ["female", "male", "nonbinary"]
    assert body["bundle"]["eraser_directions"] == 0


def test_the_model_says_that_a_concept_is_erased(start: Start, tiny_bundle: Bundle) -> None:
    erasing = replace(tiny_bundle, eraser=random_eraser(32, directions=3))
    assert start(erasing).get("/v1/model").json()["bundle"]["eraser_directions"] == 3


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/score", 405, "method_not_allowed"),
        ("DELETE", "/v1/model", 405, "method_not_allowed"),
    ],
)
def test_what_is_not_served_is_a_problem_too(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    answer = api.request(method, path)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == f"urn:evenmatch:problem:{code}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/v1/score/jobs", "GET, POST"), ("/v1/score/jobs/j-1", "DELETE, GET"), ("/v1/score", "POST")],
)
def test_allow_names_the_methods_of_all_routes_at_a_path(api: Api, path: str, allowed: str) -> None:
    assert api.request("PATCH", path).headers["allow"] == allowed


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b'{"job": ', "application/json", 400, "malformed_json"),
        (b"", "application/json", 422, "validation_failed"),
        (b"[]", "application/json", 422, "validation_failed"),
        (b'{"job": "\xff\xfe"}', "application/json", 400, "not_utf8"),
        (b'{"a": ' * 20_000, "application/json", 400, "bad_request"),
        (b"job=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"{}", "", 415, "unsupported_media_type"),
        (b"resume", "text/plain", 415, "unsupported_media_type"),
    ],
)
def test_a_body_that_is_no_request_says_why(
    shared_api: Api, content: bytes, media_type: str, status: int, code: str
) -> None:
    answer = shared_api.post("/v1/score", content=content, headers={"content-type": media_type})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_ten_megabyte_text_names_the_limit(api: Api) -> None:
    problem = api.score("x" * 10_000_000).json()
    assert (problem["status"], problem["code"]) == (413, "body_too_large")
    assert problem["limit"] == 8 * 2**20
    assert problem["actual"] > 10_000_000


def test_a_given_request_id_is_kept_if_it_is_one(api: Api) -> None:
    assert api.get("/nowhere", headers={"x-request-id": "abc-1"}).json()["request_id"] == "abc-1"
    assert api.get("/nowhere", headers={"x-request-id": SECRET}).json()["request_id"] != SECRET


def test_a_full_queue_answers_429_with_retry_after(start: Start) -> None:
    api = start(model={"queue_tokens": 4_096, "batch_tokens": 64})
    release = threading.Event()
    api.engine.before = lambda batch: release.wait(PATIENCE)
    resumes = [numbers(i, 100) for i in range(4)]  # 2,400 tokens and some
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.score, *resumes)
        wait_until(lambda: api.engine.batches)
        refused = api.score(*(numbers(10 + i, 500) for i in range(4)))  # 2,000 words, refused unread
        ready = api.get("/health/live")
        release.set()
        assert waiting.result(PATIENCE).status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
    assert int(refused.headers["retry-after"]) >= 1
    assert ready.status_code == 200
    assert api.score("java").status_code == 200


def test_an_engine_exception_is_a_problem_without_text(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    def fail(batch: object) -> None:
        raise RuntimeError(f"could not encode {SECRET}")

    api.engine.before = fail
    with caplog.at_level(logging.DEBUG):
        answer = api.score("java " + SECRET)
    assert (answer.status_code, answer.json()["code"]) == (500, "engine_error")
    assert "Zaphod" not in answer.text + caplog.text
    api.engine.before = None
    assert api.score("java").status_code == 200


def test_a_dead_worker_turns_readiness_and_is_restarted(api: Api) -> None:
    def die(batch: object) -> None:
        raise WorkerKilled

    assert api.get("/health/ready").json()["status"] == "ready"
    api.engine.before = die
    answer = api.score("java")
    assert (answer.status_code, answer.json()["code"]) == (503, "worker_down")
    assert answer.headers["retry-after"]
    down = api.get("/health/ready")
    assert down.status_code == 503
    assert down.headers["content-type"] == "application/problem+json"
    assert api.get("/health/live").status_code == 200
    wait_until(lambda: api.get("/health/ready").status_code == 200)
    assert api.score("java").status_code == 200
    assert api.series("evenmatch_worker_restarts_total") == 1


def test_a_language_model_that_cannot_be_read_now_is_read_later(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = threading.Event()
    full.set()

    def read() -> object:
        if full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/secret/place")
        return loaded

    loaded = language.load_identifier()
    missing = LoadedOnce("the language model", read)
    monkeypatch.setattr(language, "load_identifier", missing)
    monkeypatch.setattr(runtime, "load_identifier", missing)
    api = start()
    for answer in (api.get("/health/ready"), api.score("java"), api.post("/v1/redact", json={"resume": "x"})):
        assert (answer.status_code, answer.json()["code"]) == (503, "warming_up")
        assert answer.headers["retry-after"] == "1"
        assert "the language model cannot be loaded now: No space left on device" in answer.json()["detail"]
    assert api.get("/health/live").status_code == 200
    assert api.post("/v1/embed", json={"inputs": ["java"]}).status_code == 200  # needs no language
    full.clear()
    ready = threading.Event()
    api.runtime.warm_up.when_done(ready.set)
    assert ready.wait(PATIENCE)
    assert api.get("/health/ready").status_code == 200
    assert api.score("java").status_code == 200


@pytest.mark.prometheus
def test_promtool_finds_nothing_to_say_about_the_exposition(api: Api) -> None:
    """Names, units, labels and help texts, once every kind of series has values."""
    assert api.score(ENGINEER, NURSE, groups={"sex": "female"}).status_code == 200
    assert api.score("").status_code == 422
    audit = {"job": JOB, "resumes": [{"id": "a", "resume": ENGINEER}]}
    assert api.post("/v1/audit/counterfactual", json=audit).status_code == 200
    api.metrics.baselines(Baselines({("sex", "equalized_odds"): 0.05}, {0.1: 0.4, 1.0: 1.0}))
    exposition = api.get("/metrics").content
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=exposition, capture_output=True, timeout=60, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_an_unexpected_bug_is_a_500_without_its_message(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def bug(*_: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(api.runtime.matcher, "tokenize_resume", bug)
    answer = api.score("java")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["x-frame-options"] == "DENY"
    assert "Zaphod" not in answer.text + caplog.text
    assert answer.json()["request_id"] in caplog.text
    assert api.series("evenmatch_requests_total", route="/v1/score", status="500") == 1


def test_no_text_of_a_request_reaches_log_metrics_or_errors(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [
            api.score(SECRET + " java engineer"),
            api.score(SECRET, job={**JOB, SECRET: SECRET}),
            api.score(SECRET, groups={"sex": SECRET}),
            api.score(SECRET, groups={SECRET: "x"}),
            api.post("/v1/embed", json={"inputs": [SECRET, ""], "kind": SECRET}),
            api.post("/v1/embeddings", json={"input": "java", "model": SECRET}),
            api.post("/v1/score", content=SECRET.encode(), headers={"content-type": "application/json"}),
            api.get(f"/v1/{SECRET}"),
        ]
    assert {a.status_code for a in answers} >= {200, 400, 404, 422}
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("httpx"))
    assert ours.count("request_id=") == len(answers)
    everything = "".join(a.text for a in answers) + ours + api.get("/metrics").text
    assert "Zaphod" not in everything
    assert "555-0100" not in everything


def test_metrics_parse_and_start_at_zero(api: Api) -> None:
    families = {f.name: f for f in text_string_to_metric_families(api.get("/metrics").text)}
    for name in (
        "evenmatch_decisions",
        "evenmatch_match_score",
        "evenmatch_requests",
        "evenmatch_request_seconds",
        "evenmatch_queue_depth",
        "evenmatch_batch_tokens",
        "evenmatch_inference_seconds",
        "evenmatch_cache_hits",
        "evenmatch_cache_misses",
        "evenmatch_truncated",
        "evenmatch_model_info",
        "evenmatch_fairness_sample_size",
    ):
        assert families[name].samples, name
    decisions = families["evenmatch_decisions"].samples
    assert len([s for s in decisions if s.name.endswith("_total")]) == 2 * (4 + 8 + 22)
    assert all(s.value == 0 for s in decisions if s.name.endswith("_total"))
    info = families["evenmatch_model_info"].samples[0]
    assert (info.labels["bundle"], info.value) == ("test-bundle", 1)


def test_the_series_follow_the_work(api: Api) -> None:
    api.score(ENGINEER, NURSE)
    misses = api.series("evenmatch_cache_misses_total")
    assert misses == 4
    api.score(ENGINEER, NURSE)
    assert api.series("evenmatch_cache_misses_total") == misses
    assert api.series("evenmatch_cache_hits_total") == 4
    assert api.series("evenmatch_batch_tokens_sum") == sum(
        len(ids) for batch in api.engine.batches for ids in batch
    )
    assert api.series("evenmatch_queue_depth") == 0


def test_unknown_paths_make_no_new_series(api: Api) -> None:
    before = len(api.get("/metrics").text.splitlines())
    for i in range(20):
        api.get(f"/v1/{i}")
    assert len(api.get("/metrics").text.splitlines()) == before
    assert api.series("evenmatch_requests_total", route="other", status="404") == 20


def test_a_header_of_too_many_fields_or_bytes_is_refused_with_its_limit(api: Api) -> None:
    many = api.get("/v1/model", headers={f"x-{i}": "1" for i in range(101)})
    assert (many.status_code, many.json()["code"], many.json()["limit"]) == (431, "headers_too_large", 100)
    long = api.get("/v1/model", headers={"x-long": "1" * 33_000})
    assert (long.status_code, long.json()["limit"]) == (431, 32 * 1024)
    assert long.json()["actual"] > 33_000
    assert api.get("/v1/model", headers={f"x-{i}": "1" * 300 for i in range(90)}).status_code == 200


def test_the_docs_load_nothing_from_elsewhere(api: Api) -> None:
    page = api.get("/docs").text
    assert "swagger" in page
    assert "https://" not in page
    assert api.get("/swagger/swagger-ui-bundle.js").status_code == 200


def test_the_schema_describes_errors_as_they_are_sent(api: Api) -> None:
    document = api.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status in ("4XX", "5XX"):
                assert list(operation["responses"][status]["content"]) == ["application/problem+json"], path
    example = document["components"]["schemas"]["ScoreRequest"]["examples"][0]
    assert api.post("/v1/score", json=example).status_code == 200
