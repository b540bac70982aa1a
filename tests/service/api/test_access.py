"""Who is let in, by which key, and what the others are told."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from service.access.key_storage import DatabaseKeys
from service.access.keys import NewKey, revoked, utc_now
from service.access.principal import Principal, Scope
from service.api import paths
from service.api.scopes import ANY, NEEDED, PROBES, REFERENCE, is_open, needed_at
from service.core.bundle import Bundle
from service.core.tenants import DEFAULT_TENANT
from tests.support.access import SECRET, bearer, new_key, write_keys
from tests.support.api import ENGINEER, JOB, Api, Start, numbers, start_api
from tests.support.patience import PATIENCE, wait_until
from tests.support.provider import running_provider

NOW = utc_now()
OPEN = (*PROBES, *REFERENCE)
KEYS: dict[str, NewKey] = {
    "all": new_key(now=NOW),
    "acme": new_key(Scope.SCORE, now=NOW, tenant="acme"),
    "expired": new_key(now=NOW - timedelta(days=60)),
    "foreign": new_key(now=NOW, secret_id="0" * 16),
    "revoked": new_key(now=NOW),
    **{scope.value: new_key(scope, now=NOW) for scope in Scope},
}
ACME_ADMIN = new_key(Scope.ADMIN, now=NOW, tenant="acme")
KEYS["revoked"] = KEYS["revoked"]._replace(record=revoked(KEYS["revoked"].record, NOW))
SCORE = {"job": JOB, "candidates": [{"id": "a", "resume": ENGINEER}]}
CANARY = "evm_canarycanary_" + "c" * 43


@pytest.fixture(scope="module")
def keyed(tiny_bundle: Bundle, bge_like: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A service that asks for keys."""
    folder = tmp_path_factory.mktemp("keyed")
    access = {**write_keys(folder, *KEYS.values(), ACME_ADMIN), "metrics_access": "keyed"}
    with ExitStack() as stack:
        yield start_api(stack, bge_like / "tokenizer.json", folder, tiny_bundle, access=access)


def routes_of(api: Api) -> list[tuple[str, str]]:
    """Every method and path that is served, also of what is not in the schema."""
    app = api.app
    assert isinstance(app, FastAPI)
    found = [
        (method, str(route.path))
        for route in iter_route_contexts(app.routes)
        for method in sorted(route.methods or ())
    ]
    assert len(found) > 2 * len(NEEDED)
    return found


def test_every_route_is_open_on_purpose_or_needs_a_key(keyed: Api) -> None:
    known = {prefix + path for path in NEEDED for prefix in ("", paths.PREFIX)}
    for method, path in routes_of(keyed):
        asked = path.replace("{", "").replace("}", "")
        answer = keyed.request(method, asked, follow_redirects=False)
        if path in OPEN:
            assert is_open(asked, docs=True), path
            assert answer.status_code != 401, path
        else:
            assert path in known or path == paths.METRICS, f"{path} is in no table of scopes"
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == 'Bearer realm="evenmatch"', path


def test_every_route_refuses_a_key_of_other_scopes(keyed: Api) -> None:
    for method, path in routes_of(keyed):
        if path in OPEN or method in ("HEAD", "OPTIONS"):
            continue
        asked = path.replace("{", "").replace("}", "")
        needed = {Scope.METRICS} if path == paths.METRICS else needed_at(asked)
        for scope in Scope:
            answer = keyed.request(method, asked, headers=bearer(KEYS[scope.value].text))
            if scope in needed:
                assert answer.status_code not in (401, 403), (path, scope)
                continue
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope"), (path, scope)
            (wanted,) = needed
            assert answer.headers["www-authenticate"].endswith(
                f'error="insufficient_scope", scope="{wanted}"'
            )


def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(keyed: Api) -> None:
    good = KEYS["all"].text
    wrong = {
        "none": {},
        "empty": {"X-API-Key": ""},
        "malformed": bearer("not a key"),
        "unknown": bearer(new_key(now=NOW).text),
        "wrong secret": bearer(good[:-2] + "AA"),
        "expired": bearer(KEYS["expired"].text),
        "revoked": bearer(KEYS["revoked"].text),
        "of another service": bearer(KEYS["foreign"].text),
        "its hash": bearer(KEYS["all"].record.digest),
        "another scheme": {"Authorization": f"Basic {good}"},
        "no scheme": {"Authorization": good},
        "two that differ": {**bearer(good), "X-API-Key": KEYS["acme"].text},
        "JWT": bearer("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."),
        "long": bearer("x" * 8_000),
    }
    answers = {name: keyed.post("/v1/score", json=SCORE, headers=sent) for name, sent in wrong.items()}
    seen = set()
    for name, answer in answers.items():
        assert answer.status_code == 401, name
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        problem = answer.json()
        problem.pop("request_id")
        headers = {key: value for key, value in answer.headers.items() if key != "x-request-id"}
        seen.add(json.dumps([problem, {**headers, "content-length": ""}], sort_keys=True))
    assert len(seen) == 1
    assert answers["none"].json()["code"] == "unauthorized"


@pytest.mark.parametrize(
    "headers",
    [
        bearer(KEYS["all"].text),
        {"X-API-Key": KEYS["all"].text},
        {"authorization": f"bearer  {KEYS['all'].text} "},
        {**bearer(KEYS["all"].text), "X-API-Key": KEYS["all"].text},
        {"Authorization": "Basic YTpi", "X-API-Key": KEYS["all"].text},
    ],
)
def test_a_key_may_be_sent_in_either_header(keyed: Api, headers: dict[str, str]) -> None:
    assert keyed.post("/v1/score", json=SCORE, headers=headers).status_code == 200
    assert keyed.get("/v1/model", headers=headers).status_code == 200


def test_errors_on_openai_routes_carry_openais_object(keyed: Api) -> None:
    answer = keyed.post("/v1/embeddings", json={"input": "java"})
    assert answer.status_code == 401
    assert answer.json()["error"] == {
        "message": answer.json()["detail"],
        "type": "invalid_request_error",
        "param": None,
        "code": "unauthorized",
    }


def test_a_reference_that_is_off_is_not_there(start: Start, tmp_path: Path) -> None:
    off = {"docs": False}
    asked = ("/", "/docs", "/openapi.json", "/swagger/swagger-ui.css")
    api = start(server=off)
    assert {path: api.get(path, follow_redirects=False).status_code for path in asked} == dict.fromkeys(
        asked, 404
    )
    assert api.post("/v1/score", json=SCORE).status_code == 200
    key = new_key(now=NOW)
    keyed = start(server=off, access=write_keys(tmp_path, key))
    for path in asked:
        assert keyed.get(path).status_code == 401, path
        assert keyed.get(path, headers=bearer(key.text)).status_code == 404, path
    assert keyed.get("/health/live").status_code == 200


def test_what_is_not_served_needs_a_key_too(keyed: Api) -> None:
    for path in ("/nowhere", "/v1/score/", "/V1/score", "/docs/", "/v1/docs", "/health/live/x"):
        assert keyed.get(path).status_code == 401, path
        assert keyed.get(path, headers=bearer(KEYS["score"].text)).status_code == 404, path
    # A pattern's `$` is passed by a line feed at the end of the path.
    for path in ("/metrics%0a", "/v1/fairness%0a", "/health/live%0a"):
        assert keyed.get(path, headers=bearer(KEYS["score"].text)).status_code == 404, path


def test_the_route_sees_who_asks(keyed: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Principal] = []

    async def look(scope, receive, send):  # type: ignore[no-untyped-def]
        seen.append(scope["state"]["principal"])
        await original(scope, receive, send)

    app = keyed.app
    assert isinstance(app, FastAPI)
    original = app.router.middleware_stack
    monkeypatch.setattr(app.router, "middleware_stack", look)
    keyed.get("/v1/model", headers=bearer(KEYS["acme"].text))
    keyed.get("/health/live", headers=bearer(KEYS["acme"].text))
    assert seen == [
        Principal("acme", frozenset({Scope.SCORE}), KEYS["acme"].record.id),
        Principal(DEFAULT_TENANT, frozenset(), None),
    ]


def test_no_key_is_logged_but_its_id_is(keyed: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [
            keyed.get("/v1/model", headers=bearer(KEYS["acme"].text)),
            keyed.get("/v1/model", headers=bearer(CANARY)),
            keyed.get("/v1/model", headers={"X-API-Key": CANARY}),
            keyed.get("/v1/fairness", headers=bearer(KEYS["acme"].text)),
            keyed.get("/metrics", headers=bearer(KEYS["metrics"].text)),
        ]
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert any(line.endswith(f" key={KEYS['acme'].record.id}") for line in ours)
    told = "".join([*ours, *(answer.text for answer in answers)])
    for secret in (CANARY, "c" * 43, SECRET, KEYS["acme"].text.split("_", 2)[2], KEYS["acme"].record.digest):
        assert secret not in told
        assert secret not in repr(keyed.app.state.settings)  # type: ignore[attr-defined]
    assert keyed.get("/metrics", headers=bearer(KEYS["metrics"].text)).text.count("evm_") == 0


def test_an_admin_lists_the_keys_of_his_tenant_and_no_others(keyed: Api, shared_api: Api) -> None:
    listed = keyed.get("/v1/keys", headers=bearer(KEYS["admin"].text))
    assert listed.status_code == 200
    assert listed.json()["tenant"] == DEFAULT_TENANT
    found = {one["id"]: one for one in listed.json()["data"]}
    own = {name: key for name, key in KEYS.items() if name not in ("acme", "foreign")}
    assert set(found) == {key.record.shown for key in own.values()}
    assert found[KEYS["revoked"].record.shown]["status"] == "revoked"
    assert found[KEYS["expired"].record.shown]["status"] == "expired"
    one = found[KEYS["embed"].record.shown]
    assert (one["scopes"], one["status"], one["name"]) == (["embed"], "active", "test")
    for key in KEYS.values():
        assert key.record.digest not in listed.text
        assert key.text.split("_", 2)[2] not in listed.text
    of_acme = keyed.get("/v1/keys", headers=bearer(ACME_ADMIN.text)).json()
    assert of_acme["tenant"] == "acme"
    assert {key["id"] for key in of_acme["data"]} == {KEYS["acme"].record.shown, ACME_ADMIN.record.shown}
    assert shared_api.get("/v1/keys").json() == {"tenant": DEFAULT_TENANT, "data": []}


def test_refusals_are_counted_by_route(keyed: Api) -> None:
    headers = bearer(KEYS["all"].text)

    def count(status: int) -> float:
        text = keyed.get("/metrics", headers=headers).text
        wanted = f'evenmatch_requests_total{{route="/v1/audit/counterfactual",status="{status}"}} '
        return next(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(wanted))

    before = count(401), count(403)
    keyed.post("/audit/counterfactual", json={})
    keyed.post("/v1/audit/counterfactual", json={}, headers=bearer(KEYS["acme"].text))
    assert (count(401), count(403)) == (before[0] + 1, before[1] + 1)


def test_a_long_body_without_a_key_ends_the_connection(keyed: Api) -> None:
    assert keyed.post("/v1/score", content=b" " * 10_000).headers.get("connection") is None
    assert keyed.post("/v1/score", content=b" " * 100_000).headers["connection"] == "close"
    assert keyed.post("/v1/score", content=iter([b" "] * 3)).headers["connection"] == "close"


def test_pages_of_allowed_origins_may_read_a_refusal(start: Start, tmp_path: Path) -> None:
    key = new_key(now=NOW)
    page = "https://ats.example.com"
    api = start(access=write_keys(tmp_path, key), server={"cors_origins": (page,)})
    asked = {"Origin": page, "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "authorization,content-type"
    assert api.options("/v1/score", headers=asked).status_code == 200
    refused = api.post("/v1/score", json=SCORE, headers={"Origin": page})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, page)


def test_keys_in_the_database_work_and_stop_working(start: Start) -> None:
    api = start(access={"keys_secret": SECRET, "keys_seconds": 0.1})
    storage = DatabaseKeys(api.database)
    key = new_key(now=utc_now())
    assert api.get("/v1/model", headers=bearer(key.text)).status_code == 401
    storage.add(key.record)
    wait_until(lambda: api.get("/v1/model", headers=bearer(key.text)).status_code == 200)
    storage.change(key.record.id, lambda old: (revoked(old, utc_now()), None))
    wait_until(lambda: api.get("/v1/model", headers=bearer(key.text)).status_code == 401)


def test_keys_that_were_never_read_let_nobody_in_and_health_goes_on(start: Start, tmp_path: Path) -> None:
    key = new_key(now=NOW)
    access = write_keys(tmp_path, key)
    access["keys_file"].chmod(0o644)
    api = start(access=access)
    answer = api.get("/v1/model", headers=bearer(key.text))
    assert (answer.status_code, answer.json()["code"]) == (503, "keys_unavailable")
    assert answer.headers["retry-after"]
    assert api.get("/health/ready").status_code == 200


def test_metrics_may_have_a_port_of_their_own(start: Start) -> None:
    api = start(access={"metrics_port": 9_464})
    elsewhere = "http://localhost:9464"
    assert api.get("/metrics").status_code == 404
    assert api.get("/health/live").status_code == 200
    assert api.get(f"{elsewhere}/metrics").status_code == 200
    assert api.get(f"{elsewhere}/health/ready").status_code == 200
    for path in ("/v1/model", "/docs", "/openapi.json", "/nowhere"):
        assert api.get(f"{elsewhere}{path}").status_code == 404, path


def test_without_keys_nobody_is_asked_for_one(shared_api: Api) -> None:
    assert shared_api.get("/v1/model").status_code == 200
    assert shared_api.get("/v1/model", headers=bearer("anything")).status_code == 200
    assert shared_api.get("/metrics").status_code == 200


def test_the_description_says_which_scope_a_route_needs(shared_api: Api) -> None:
    document = shared_api.get("/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"bearer", "api_key"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path in paths.PROBES:
                assert "security" not in operation
                continue
            needed = needed_at(path)
            scopes = [] if needed == ANY else sorted(needed)
            assert operation["security"] == [{"bearer": scopes}, {"api_key": scopes}]


def test_a_token_of_an_identity_provider_opens_what_its_scopes_say(start: Start, tmp_path: Path) -> None:
    key = new_key(Scope.EMBED, now=NOW)
    with running_provider() as provider:
        api = start(jwt=provider.settings(), access=write_keys(tmp_path, key))
        token = provider.token()
        assert api.post("/v1/score", json=SCORE, headers=bearer(token)).status_code == 200
        assert api.post("/v1/embed", json={"inputs": "x"}, headers=bearer(token)).status_code == 403
        assert api.post("/v1/embed", json={"inputs": "x"}, headers=bearer(key.text)).status_code == 200
        wrong = [api.get("/v1/model", headers=bearer(one)) for one in (provider.token(aud="x"), "evm_x", "x")]
        assert [answer.status_code for answer in wrong] == [401, 401, 401]
        assert len({answer.json()["detail"] for answer in wrong}) == 1


def test_the_limits_of_a_key_are_told_and_kept(start: Start, tmp_path: Path) -> None:
    one, other = new_key(now=NOW), new_key(now=NOW)
    api = start(access=write_keys(tmp_path, one, other), rates={"requests_per_minute": 3})
    answers = [api.get("/v1/model", headers=bearer(one.text)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit"].partition(";t=")[0] for answer in answers] == [
        f'"requests";r={left}' for left in (2, 1, 0, 0)
    ]
    assert answers[0].headers["ratelimit-policy"] == '"requests";q=3;w=60'
    refused = answers[3]
    assert (refused.json()["code"], refused.json()["limit"]) == ("rate_limited", 3)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    embeddings = api.post("/v1/embeddings", json={"input": "x"}, headers=bearer(one.text))
    assert embeddings.json()["error"]["type"] == "rate_limit_error"
    assert api.get("/v1/model", headers=bearer(other.text)).status_code == 200
    health = api.get("/health/live", headers=bearer(one.text))
    assert health.status_code == 200
    assert "ratelimit" not in health.headers


def test_tokens_of_texts_are_counted_for_the_key_and_those_of_refused_requests_are_not(
    start: Start, tmp_path: Path
) -> None:
    key = new_key(now=NOW)
    api = start(access=write_keys(tmp_path, key), rates={"tokens_per_minute": 1_000})
    headers = bearer(key.text)

    def left(answer: Any) -> int:
        return int(answer.headers["ratelimit"].split(";r=")[1].partition(";")[0])

    embedded = api.post("/v1/embeddings", json={"input": [ENGINEER, "java"]}, headers=headers)
    assert left(embedded) == 1_000 - embedded.json()["usage"]["total_tokens"]
    # Texts that are known already cost the same.
    again = api.post("/v1/embeddings", json={"input": [ENGINEER, "java"]}, headers=headers)
    assert left(again) == 1_000 - 2 * embedded.json()["usage"]["total_tokens"]
    invalid = api.post("/v1/score", json={}, headers=headers)
    assert (invalid.status_code, left(invalid)) == (422, left(again))
    scored = api.post("/v1/score", json=SCORE, headers=headers)
    assert (scored.status_code, left(scored) < left(again)) == (200, True)
    large = {"job": JOB, "candidates": [{"id": "a", "resume": numbers(7, 300)}]}  # 1,800 tokens
    long = api.post("/v1/score", json=large, headers=headers)
    assert (long.status_code, left(long)) == (200, 0)
    refused = api.post("/v1/score", json=SCORE, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert "1,000 tokens a minute" in refused.json()["detail"]


def test_tokens_of_a_job_are_counted_for_its_key_which_may_still_ask_for_its_results(
    start: Start, tmp_path: Path
) -> None:
    key, other = new_key(now=NOW), new_key(now=NOW)
    api = start(access=write_keys(tmp_path, key, other), rates={"tokens_per_minute": 1_000})
    headers = bearer(key.text)

    def left() -> int:
        return int(
            api.get("/v1/model", headers=headers).headers["ratelimit"].split(";r=")[1].partition(";")[0]
        )

    created = api.post("/v1/score/jobs", json=SCORE, headers=headers)
    assert created.status_code == 202
    job = f"/v1/score/jobs/{created.json()['id']}"
    wait_until(lambda: api.get(job, headers=headers).json()["status"] == "completed")
    small = left()
    assert 900 < small < 1_000  # a posting and a resume of some ten tokens each
    large = {"job": JOB, "candidates": [{"id": "a", "resume": numbers(8, 300)}]}  # 1,800 tokens
    created = api.post("/v1/score/jobs", json=large, headers=headers)
    job = f"/v1/score/jobs/{created.json()['id']}"
    wait_until(lambda: api.get(job, headers=headers).json()["status"] == "completed")
    assert left() == 0
    for path, body in (("/v1/score/jobs", SCORE), ("/score", SCORE), ("/v1/embed", {"inputs": "x"})):
        refused = api.post(path, json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited"), path
    assert api.get(f"{job}/results", headers=headers).status_code == 200
    assert api.post("/v1/redact", json={"resume": ENGINEER}, headers=headers).status_code == 200
    assert api.post("/v1/score", json=SCORE, headers=bearer(other.text)).status_code == 200


def test_wrong_keys_from_one_address_are_told_to_wait_and_right_ones_are_not(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where in ("service.logs._PAUSE_SECONDS", "service.access.throttle._WINDOW_SECONDS"):
        monkeypatch.setattr(where, PATIENCE)  # a minute may pass on a slow machine
    key = new_key(now=NOW)
    api = start(access=write_keys(tmp_path, key), rates={"wrong_keys_per_minute": 3})
    for _ in range(10):
        assert api.get("/v1/model").status_code == 401  # no key is no wrong one
    answers = [api.get("/v1/model", headers=bearer(CANARY)) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    refused = answers[3]
    assert (refused.json()["code"], refused.headers["connection"]) == ("too_many_wrong_keys", "close")
    assert 1 <= int(refused.headers["retry-after"]) <= PATIENCE
    with caplog.at_level(logging.INFO, "service.requests"):
        for _ in range(130):
            api.get("/v1/model", headers=bearer(CANARY))
        assert api.get("/v1/model", headers=bearer(key.text)).status_code == 200
    assert sum(" 429 " in line for line in caplog.messages) == 120 - 15  # which the first 15 left
    assert caplog.messages[-1].startswith("GET /v1/model 200 ")
