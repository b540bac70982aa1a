"""What web pages can make of the service through the browser of somebody who is near it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from pydantic import ValidationError

from service.core.bundle import Bundle
from service.settings import ServerOptions
from tests.support.api import ENGINEER, JOB, Api, Start, start_api

SCORE = {"job": JOB, "candidates": [{"id": "a", "resume": ENGINEER}]}
FAIRNESS = "/v1/fairness?window=all"


@pytest.fixture(scope="module")
def cors_api(tiny_bundle: Bundle, bge_like: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Lets pages of https://ats.example in."""
    with ExitStack() as stack:
        folder, server = tmp_path_factory.mktemp("data"), {"cors_origins": ("https://ats.example",)}
        yield start_api(stack, bge_like / "tokenizer.json", folder, tiny_bundle, server=server)


def decided(api: Api) -> float:
    return api.series("evenmatch_match_score_count", attribute="sex", group="unknown")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("evenmatch.localhost:8000", 200),
        ("127.0.0.1:8000", 200),
        ("127.1.2.3", 200),
        ("[::1]:8000", 200),
        ("localhost.", 200),
        ("evil.example", 421),
        ("evil.example:8000", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.168.1.7:8000", 421),
    ],
)
def test_on_a_loopback_address_only_names_of_this_machine_are_answered(
    shared_api: Api, host: str, status: int
) -> None:
    answer = shared_api.get(FAIRNESS, headers={"Host": host})
    assert answer.status_code == status
    if status == 421:
        assert answer.json()["code"] == "unknown_host"
        assert "EVENMATCH_ALLOWED_HOSTS" in answer.json()["detail"]
        for path in ("/metrics", "/docs", "/v1/model"):
            assert shared_api.get(path, headers={"Host": host}).status_code == 421
        assert shared_api.get("/health/live", headers={"Host": host}).status_code == 200


def test_hosts_can_be_set(start: Start) -> None:
    named = start(server={"allowed_hosts": ("ats.example.com",)})
    for host, status in (("ats.example.com", 200), ("ats.example.com:443", 200), ("localhost", 421)):
        assert named.get("/v1/model", headers={"Host": host}).status_code == status


@pytest.mark.parametrize("server", [{"host": "0.0.0.0"}, {"host": "10.0.0.7"}, {"allowed_hosts": ("*",)}])
def test_elsewhere_any_host_is_answered(start: Start, server: dict[str, Any]) -> None:
    assert start(server=server).get("/v1/model", headers={"Host": "anything.example"}).status_code == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://gateway.example"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"}, 403),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://ats.internal", "X-Forwarded-Host": "ats.internal"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://ats.example"}, 200),
    ],
)
def test_a_page_of_another_site_decides_nothing(cors_api: Api, sent: dict[str, str], status: int) -> None:
    before = decided(cors_api)
    # A form can be sent without asking first; its answer cannot be read, but it would be recorded.
    form = {"request": (None, json.dumps(SCORE))}
    for answer in (
        cors_api.post("/v1/score", json=SCORE, headers=sent),
        cors_api.post("/v1/score", files=form, headers=sent),
    ):
        assert answer.status_code == status
        if status == 403:
            assert answer.json()["code"] == "cross_origin"
    assert decided(cors_api) - before == (2 if status == 200 else 0)
    assert cors_api.get("/v1/model", headers=sent).status_code == 200  # its answer is not readable elsewhere


def test_another_origin_is_let_in_by_setting_only(start: Start) -> None:
    asked = {"Origin": "https://ats.example", "Access-Control-Request-Method": "POST"}
    closed = start().options("/v1/score", headers=asked)
    assert "access-control-allow-origin" not in closed.headers
    api = start(server={"cors_origins": ("https://ats.example",)})
    allowed = api.options("/v1/score", headers=asked)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://ats.example"
    refused = api.options("/v1/score", headers={**asked, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers
    for body, status in ((SCORE, 200), ({}, 422)):
        answer = api.post("/v1/score", json=body, headers={"Origin": "https://ats.example"})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "https://ats.example"
        assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/model"),
        ("GET", "/docs"),
        ("GET", "/"),
        ("GET", "/swagger/swagger-ui.css"),
        ("GET", "/metrics"),
        ("GET", "/health/live"),
        ("GET", "/v1/fairness/report?format=html"),
        ("GET", "/nowhere"),
        ("POST", "/v1/score"),
        ("OPTIONS", "/v1/score"),
    ],
)
def test_every_answer_has_security_headers(shared_api: Api, method: str, path: str) -> None:
    answer = shared_api.request(method, path, follow_redirects=False)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert "unsafe-eval" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    if not path.startswith("/swagger"):
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (421, {"method": "GET", "url": "/v1/model", "headers": {"Host": "evil.example"}}),
        (403, {"method": "POST", "url": "/v1/score", "headers": {"Sec-Fetch-Site": "cross-site"}}),
        (405, {"method": "DELETE", "url": "/v1/model"}),
        (413, {"method": "POST", "url": "/v1/score", "headers": {"Content-Length": str(2**33)}}),
        (422, {"method": "POST", "url": "/v1/score", "json": {}}),
        (431, {"method": "GET", "url": "/v1/model", "headers": {f"x-{i}": "1" for i in range(101)}}),
    ],
)
def test_refusals_have_them_too(shared_api: Api, status: int, request_: dict[str, Any]) -> None:
    answer = shared_api.request(**request_)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == (
        "nosniff",
        "no-store",
    )
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("prefix", ["", "/evenmatch"])
def test_the_reference_works_below_any_address(start: Start, prefix: str) -> None:
    api = start(server={"root_path": prefix})
    begin = api.get(f"{prefix}/", follow_redirects=False)
    outside = "https://ats.example.com/some/where/"  # how a browser sees it behind a gateway
    page = urljoin(outside, begin.headers["location"])
    assert page == f"{outside}docs"
    html = api.get(f"{prefix}/docs").text
    named = re.findall(r"""(?:href|src|url)\s*[=:]\s*["']([^"']+)""", html)
    assert len(named) >= 4
    for one in named:
        found = urljoin(page, one)
        assert found.startswith(outside)
        assert api.get(f"{prefix}/{found.removeprefix(outside)}").status_code == 200
    assert "http" not in "".join(named)
    document = api.get(f"{prefix}/openapi.json").json()
    assert urljoin(urljoin(page, "openapi.json"), document["servers"][0]["url"]) == outside


@pytest.mark.parametrize("path", ["/health/live", "/v1/model", "/docs", "/metrics", "/v1/models", "/nowhere"])
def test_head_is_get_without_its_body(shared_api: Api, path: str) -> None:
    got, head = shared_api.get(path), shared_api.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    if path != "/metrics":
        assert head.headers["content-length"] == got.headers["content-length"]


def test_a_prefix_is_answered_with_and_without(start: Start) -> None:
    api = start(server={"root_path": "/evenmatch"})
    for path in ("/evenmatch/v1/score", "/v1/score"):
        assert api.post(path, json=SCORE).status_code == 200
    assert api.get("/other/v1/model").status_code == 404
    answer = api.post("/evenmatch/v1/embeddings", json={"input": []})
    assert answer.json()["error"]["code"] == "count_out_of_range"
    assert api.series("evenmatch_requests_total", route="/v1/score", status="200") == 2
    job = api.post("/v1/score/jobs", json=SCORE)
    assert job.headers["location"].startswith("/evenmatch/v1/score/jobs/")
    assert api.get(job.headers["location"]).status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        {"cors_origins": ("https://ats.example/",)},
        {"cors_origins": ("ats.example",)},
        {"allowed_hosts": ("https://ats.example",)},
        {"allowed_hosts": ("ats.example:8000",)},
        {"trusted_proxies": ("gateway.internal",)},
        {"root_path": "evenmatch"},
        {"root_path": "/evenmatch/"},
    ],
)
def test_settings_that_could_never_match_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ServerOptions(**given)
