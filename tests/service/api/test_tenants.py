"""Every route with every kind of a foreign id: nothing is seen, nothing changed, nothing counted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.api.paths import ROUTES
from service.core.bundle import Bundle
from service.store.job_tables import inputs, jobs
from service.store.tables import decisions, metadata
from tests.support.api import ENGINEER, JOB, NURSE, Api, start_api
from tests.support.jobs import finished
from tests.support.patience import PATIENCE
from tests.support.tenants import PrincipalOfHeader, as_tenant

UNKNOWN = "8d2f6c1e-0000-4000-8000-000000000000"
BODY: dict[str, Any] = {
    "job": {**JOB, "id": "req-17"},
    "candidates": [
        {"id": "c-1", "resume": ENGINEER, "groups": {"sex": "female"}},
        {"id": "c-2", "resume": NURSE, "groups": {"sex": "male"}},
    ],
}
OTHER_BODY = {**BODY, "candidates": BODY["candidates"][:1]}


@dataclass
class World:
    """An app in which `acme` has decisions, outcomes and two jobs, one of them waiting; and all its ids."""

    api: Api
    ids: dict[str, str] = field(default_factory=dict)
    go: threading.Event = field(default_factory=threading.Event)

    def as_acme(self, method: str, path: str, **options: Any) -> Any:
        return self.ask("acme", method, path, **options)

    def ask(self, tenant: str, method: str, path: str, **options: Any) -> Any:
        headers = as_tenant(tenant, **options.pop("headers", {}), **{"x-request-id": "same"})
        return self.api.request(method, f"/v1{path}", headers=headers, **options)

    def rows(self) -> dict[str, list[Any]]:
        """Everything that is stored, but for what upkeep changes meanwhile."""
        with self.api.database.connect() as connection:
            return {
                table.name: sorted(
                    map(
                        repr,
                        connection.execute(
                            select(*(c for c in table.c if c.name not in ("lease_until", "upload")))
                        ).all(),
                    )
                )
                for table in metadata.sorted_tables
            }


@pytest.fixture(scope="module")
def world(tiny_bundle: Bundle, bge_like: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("data")
        tokenizer = bge_like / "tokenizer.json"
        api = start_api(stack, tokenizer, folder, tiny_bundle, middleware=PrincipalOfHeader)
        made = World(api)
        keyed = {"headers": {"Idempotency-Key": "key-of-score"}}
        scored = made.as_acme("POST", "/score", json=BODY, **keyed).json()
        outcome = {"decision_id": scored["results"][0]["decision_id"], "outcome": "positive", "kind": "label"}
        keyed = {"headers": {"Idempotency-Key": "key-of-outcome"}}
        assert made.as_acme("POST", "/outcomes", json=outcome, **keyed).json()["status"] == "recorded"
        keyed = {"headers": {"Idempotency-Key": "key-of-job"}}
        job = made.as_acme("POST", "/score/jobs", json=BODY, **keyed).json()["id"]

        class Acme:
            def get(self, url: str, /) -> Any:
                return made.as_acme("GET", url.removeprefix("/v1"))

        finished(Acme(), job)
        begun = threading.Event()

        def wait(_: object) -> None:
            begun.set()
            made.go.wait()

        api.engine.before = wait
        stack.callback(made.go.set)
        people = [{"id": "w-1", "resume": f"{ENGINEER} in a town by the sea"}]
        waiting = made.as_acme("POST", "/score/jobs", json={**BODY, "candidates": people}).json()["id"]
        assert begun.wait(PATIENCE)
        cursor = made.as_acme("GET", "/score/jobs", params={"limit": 1}).json()["next_cursor"]
        with api.database.connect() as connection:
            upload = connection.execute(select(inputs.c.upload)).scalars().first()
        made.ids = {
            "decision": outcome["decision_id"],
            "decision without outcome": scored["results"][1]["decision_id"],
            "decision of a job": _first_decision(api, job),
            "job": job,
            "waiting job": waiting,
            "upload": str(upload),
            "candidate": "c-1",
            "posting": "req-17",
            "key of a request": "key-of-score",
            "key of outcomes": "key-of-outcome",
            "key of a job": "key-of-job",
            "cursor": cursor,
            "request": "same",
        }
        assert all(made.ids.values())
        yield made


def _first_decision(api: Api, job: str) -> str:
    with api.database.connect() as connection:
        query = select(decisions.c.decision_id).where(decisions.c.request_id == f"job.{job}")
        return str(connection.execute(query).scalars().first())


WITH_A_JOB_ID = {
    ("GET", "/score/jobs/{job_id}"),
    ("DELETE", "/score/jobs/{job_id}"),
    ("GET", "/score/jobs/{job_id}/results"),
    ("GET", "/score/jobs/{job_id}/errors"),
    ("POST", "/score/jobs/{job_id}/cancel"),
}
WITH_A_DECISION_ID = {("POST", "/outcomes"), ("POST", "/outcomes/bulk")}
RECORDING = {("POST", "/score"), ("POST", "/outcomes"), ("POST", "/outcomes/bulk"), ("POST", "/score/jobs")}
ASKING = {("GET", "/score/jobs"), ("GET", "/fairness"), ("GET", "/fairness/report"), ("GET", "/keys")}
WITHOUT_IDS = {
    ("POST", "/embed"),
    ("POST", "/embeddings"),
    ("POST", "/redact"),
    ("POST", "/documents"),
    ("POST", "/audit/counterfactual"),
    ("GET", "/model"),
    ("GET", "/models"),
    ("GET", "/models/{model_id}"),
}


def test_every_route_is_walked(world: World) -> None:
    """A route that is added has to be added here, and walked below."""
    document = world.api.app.openapi()  # type: ignore[attr-defined]  # TestClient's app is FastAPI's
    served = {
        (method.upper(), path.removeprefix("/v1"))
        for path, methods in document["paths"].items()
        for method in methods
        if path in ROUTES and path.startswith("/v1")
    }
    assert served == WITH_A_JOB_ID | WITH_A_DECISION_ID | RECORDING | ASKING | WITHOUT_IDS


@pytest.mark.parametrize("intruder", ["zeta", "default"])
def test_a_foreign_id_answers_as_an_unknown_one_and_changes_nothing(world: World, intruder: str) -> None:
    before, counters = world.rows(), _counters(world.api)
    for kind, known in world.ids.items():
        for method, path in sorted(WITH_A_JOB_ID):
            answers = [world.ask(intruder, method, path.format(job_id=one)) for one in (known, UNKNOWN)]
            assert [one.status_code for one in answers] == [404, 404], (kind, method, path)
            assert answers[0].content == answers[1].content, (kind, method, path)
            assert _told(answers[0]) == _told(answers[1])
        unknown = "0" * len(known)  # of the same length, which is checked first
        for value in ("positive", "negative"):
            one = {"outcome": value, "kind": "label", "replace": True}
            answers = [
                world.ask(intruder, "POST", "/outcomes", json={**one, "decision_id": decision_id})
                for decision_id in (known, unknown)
            ]
            assert [answer.status_code for answer in answers] == [422 if len(known) > 36 else 404] * 2, kind
            assert answers[0].content == answers[1].content, kind
            many = [
                world.ask(intruder, "POST", "/outcomes/bulk", json={"outcomes": [{**one, "decision_id": at}]})
                for at in (known, unknown)
            ]
            assert many[0].text.replace(known, unknown) == many[1].text, kind
            assert many[0].status_code in (207, 422)
    assert world.rows() == before
    assert _counters(world.api) == counters


@pytest.mark.parametrize("intruder", ["zeta", "default"])
def test_lists_rates_and_reports_show_nothing_of_others(world: World, intruder: str) -> None:
    before = world.rows()
    for query in ({}, {"cursor": world.ids["cursor"]}, {"status": "completed"}):
        assert world.ask(intruder, "GET", "/score/jobs", params=query).json() == {
            "object": "list",
            "data": [],
            "next_cursor": None,
        }
    found = world.ask(intruder, "GET", "/fairness", params={"window": "all"}).json()
    assert (found["people"], found["bundles"], found["scores"]["scored"], found["first_day"]) == (
        0,
        {},
        0,
        None,
    )
    for kind in ("json", "csv", "html"):
        report = world.ask(intruder, "GET", "/fairness/report", params={"window": "all", "format": kind}).text
        assert not any(one in report for one in world.ids.values() if len(one) > 8)
        assert "acme" not in report
    mine = world.as_acme("GET", "/fairness", params={"window": "all"}).json()
    assert (mine["people"], sum(mine["bundles"].values())) == (4, 4)
    assert len(world.as_acme("GET", "/score/jobs").json()["data"]) == 2
    assert world.rows() == before


def test_routes_without_ids_keep_nothing_and_name_nobody(world: World) -> None:
    world.go.set()  # the engine is needed
    finished(_client(world), world.ids["waiting job"])
    before = world.rows()
    model = world.as_acme("GET", "/model").json()["bundle"]["name"]
    resume = {"resume": ENGINEER}
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("POST", "/embed"): {"inputs": ENGINEER},
        ("POST", "/embeddings"): {"input": ENGINEER},
        ("POST", "/redact"): resume,
        ("POST", "/documents"): {"file": {"name": "c.txt", "content": "QSBjb29rIG9mIHRoaXJ0eSB5ZWFycw=="}},
        ("POST", "/audit/counterfactual"): {"job": JOB, "resumes": [{"id": "c-1", **resume}]},
    }
    for method, path in sorted(WITHOUT_IDS):
        options = {"json": bodies[method, path]} if (method, path) in bodies else {}
        where = path.format(model_id=model)
        answers = [world.ask(tenant, method, where, **options) for tenant in ("acme", "zeta", "default")]
        assert {one.status_code for one in answers} == {200}, (path, answers[0].text)
        assert answers[0].content == answers[1].content == answers[2].content, path
    assert world.rows() == before
    for path in ("/health/live", "/health/ready", "/metrics"):
        text = world.api.get(path, headers=as_tenant("zeta")).text
        assert not any(one in text for one in ("acme", *world.ids.values()) if len(one) > 8), path


def test_a_foreign_idempotency_key_is_a_new_one(world: World) -> None:
    world.go.set()
    finished(_client(world), world.ids["waiting job"])
    first = world.as_acme("GET", f"/score/jobs/{world.ids['job']}").json()
    headers = {"Idempotency-Key": world.ids["key of a request"]}
    for intruder in ("zeta", "default"):
        # Another body under it would be a conflict, and the same body an answer with foreign decisions.
        for body in (OTHER_BODY, OTHER_BODY):
            answer = world.ask(intruder, "POST", "/score", json=body, headers=headers)
            assert answer.status_code == 200
        assert answer.headers["Idempotency-Replayed"] == "true"
        own = answer.json()["results"][0]["decision_id"]
        assert own not in world.ids.values()
        for path, of_outcomes in (
            ("/outcomes", {"decision_id": own, "outcome": "negative", "kind": "label"}),
            ("/outcomes/bulk", {"outcomes": [{"decision_id": own, "outcome": "negative", "kind": "label"}]}),
        ):
            keyed = {"Idempotency-Key": world.ids["key of outcomes"]}
            answer = world.ask(intruder, "POST", path, json=of_outcomes, headers=keyed)
            assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (200, False)
        keyed = {"Idempotency-Key": world.ids["key of a job"]}
        job = world.ask(intruder, "POST", "/score/jobs", json=OTHER_BODY, headers=keyed)
        assert (job.status_code, "Idempotency-Replayed" in job.headers) == (202, False)
        assert job.json()["id"] not in world.ids.values()
        finished(_client(world, intruder), job.json()["id"])
        again = world.ask(intruder, "POST", "/score/jobs", json=OTHER_BODY, headers=keyed)
        assert again.headers["Idempotency-Replayed"] == "true"
    for tenant in ("zeta", "default"):
        counted = world.ask(tenant, "GET", "/fairness", params={"window": "all"}).json()
        assert counted["people"] == 2
        assert {job["id"] for job in world.ask(tenant, "GET", "/score/jobs").json()["data"]}.isdisjoint(
            world.ids.values()
        )
    assert world.as_acme("GET", f"/score/jobs/{world.ids['job']}").json() == first
    assert world.as_acme("GET", "/fairness", params={"window": "all"}).json()["people"] == 5
    again = world.as_acme("POST", "/score", json=BODY, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["results"][0]["decision_id"] == world.ids["decision"]


def test_a_jobs_rows_uploads_and_decisions_are_its_tenants(world: World) -> None:
    world.go.set()
    finished(_client(world), world.ids["waiting job"])
    with world.api.database.connect() as connection:
        of_jobs = dict(map(tuple, connection.execute(select(jobs.c.id, jobs.c.tenant))))
        query = select(decisions.c.request_id, decisions.c.tenant).where(decisions.c.request_id.like("job.%"))
        made = {(request.removeprefix("job."), tenant) for request, tenant in connection.execute(query)}
    assert of_jobs[world.ids["job"]] == of_jobs[world.ids["waiting job"]] == "acme"
    assert all(of_jobs[job] == tenant for job, tenant in made)


def test_who_else_sent_a_text_does_not_show_in_how_soon_its_vectors_come(world: World) -> None:
    world.go.set()
    finished(_client(world), world.ids["waiting job"])
    text = {"inputs": "a cook of thirty years in hotels", "redact": False}
    asked = []
    for tenant in ("acme", "acme", "zeta", "default"):
        world.api.engine.batches.clear()
        assert world.ask(tenant, "POST", "/embed", json=text).status_code == 200
        asked.append(sum(map(len, world.api.engine.batches)))
    assert asked == [1, 0, 1, 1]


def _client(world: World, tenant: str = "acme") -> Any:
    class Client:
        def get(self, url: str, /) -> Any:
            return world.ask(tenant, "GET", url.removeprefix("/v1"))

    return Client()


def _told(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "date"}


def _counters(api: Api) -> list[str]:
    """What metrics say of people, jobs and decisions."""
    names = ("decisions", "match_score", "outcomes", "stored", "job_rows", "webhooks", "redactions")
    return [
        line
        for line in api.get("/metrics").text.splitlines()
        if line.startswith(tuple(f"evenmatch_{name}" for name in names))
    ]


def test_what_is_sent_of_an_answer_is_json(world: World) -> None:
    """The walk compares bytes: they must be those of an answer, not of an error of the test's own."""
    body = world.ask("zeta", "GET", f"/score/jobs/{world.ids['job']}").text
    assert json.loads(body)["code"] == "unknown_job"
