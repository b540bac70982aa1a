"""Nothing that a caller sends is found where it does not belong, whatever becomes of the request.

Words that stand nowhere else are in every text, name, id, group, title, file and header, on every route, in
requests that succeed and that fail in every manner; at the log level `debug`, with traces, webhooks, shadow
audits and vectors for a cohort switched on. Then every byte that the service left is searched for them.
"""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from service.api.paths import ROUTES
from tests.e2e.canaries import (
    Canaries,
    columns_with,
    files_with,
    in_urls,
    listener,
    open_files_with,
)
from tests.e2e.conftest import Server, StartFake
from tests.service.files.documents.small_files import docx, line, paragraph, pdf, zipped
from tests.support.jobs import finished
from tests.support.patience import PATIENCE, wait_until

BUG = "Zqxbug"
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

STORED = {
    "decisions.candidate_id": {"candidate id", "row id", "csv id"},
    "decisions.job_id": {"job id"},
    "decisions.request_id": {"request id"},
}
"""The columns in which callers' own words stand, on purpose: ids of the decision log, and no others."""

LOGGED = {"request id"}
"""What a caller gives to be found in the log, as `X-Request-ID`."""

OWED = {"field name"}
"""What an error may repeat, to its caller alone: the path of a field at fault."""

pytestmark = pytest.mark.slow


@dataclass
class Visit:
    """What was sent, and what came back: bodies of errors, headers of all answers."""

    client: httpx.Client
    plant: Callable[[str], str]
    errors: list[httpx.Response] = field(default_factory=list)
    answers: list[httpx.Response] = field(default_factory=list)

    def __call__(self, method: str, path: str, **sent: Any) -> httpx.Response:
        headers = {"X-Request-ID": self.plant("request id"), **sent.pop("headers", {})}
        answer = self.client.request(method, path, headers=headers, **sent)
        self.answers.append(answer)
        if answer.status_code >= 400:
            self.errors.append(answer)
        return answer


@dataclass
class World:
    """A service that was visited, and all it left."""

    canaries: Canaries
    server: Server
    visit: Visit
    data_dir: Path
    folders: list[Path]
    metrics: str = ""
    traces: bytes = b""
    hooks: bytes = b""
    open_files: dict[str, set[str]] = field(default_factory=dict)


@pytest.fixture
def world(start_fake: StartFake, tmp_path: Path) -> Iterator[World]:
    canaries = Canaries()
    plant = canaries.plant
    data, home, temporary = (tmp_path / name for name in ("data", "home", "tmp"))
    for folder in (data, home, temporary):
        folder.mkdir()
    with listener() as (collector, spans), listener() as (receiver, hooks):
        server = start_fake(
            EVENMATCH_WORKERS="1",
            EVENMATCH_DATA_DIR=str(data),
            HOME=str(home),
            TMPDIR=str(temporary),
            EVENMATCH_LOG_LEVEL="debug",
            EVENMATCH_LOG_FORMAT="json",
            EVENMATCH_TRACING="true",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector,
            OTEL_BSP_SCHEDULE_DELAY="100",
            EVENMATCH_SHADOW_AUDIT_SHARE="1",
            EVENMATCH_COHORT_COLLECT="true",
            EVENMATCH_DATABASE_SECONDS="1",
            EVENMATCH_JOBS_WEBHOOK_SECRET=SECRET,
            EVENMATCH_JOBS_WEBHOOK_PRIVATE="true",
            EVENMATCH_MAX_BODY_BYTES="200000",
            FAKE_BUG=BUG,
        )
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            visit = Visit(client, plant)
            found = World(canaries, server, visit, data, [data, home, temporary])
            visit_all(visit, plant, receiver, hooks)
            while_the_database_is_locked(visit, plant, data, found)
            found.metrics = client.get("/metrics").text
        pids = [server.process.pid, *(one.pid for one in psutil.Process(server.process.pid).children(True))]
        found_open = open_files_with(canaries, pids)
        server.terminate()
        found.traces = b"".join(body for _, _, body in spans)
        found.hooks = b"".join(body for _, _, body in hooks)
        found.open_files = found_open
        yield found


def person(plant: Callable[[str], str], **more: Any) -> dict[str, Any]:
    """A candidate whose every word is a canary."""
    return {
        "id": plant("candidate id"),
        "resume": f"{plant('name')} {plant('surname')}\n{plant('mail')}@example.com\n\nExperience\n"
        f"Engineer at {plant('employer')}: python, java and {plant('resume')}.\n"
        f"Education\nUniversity of {plant('school')}, 2012",
        "groups": {"sex": "female"},
        "metadata": {"note": plant("metadata")},
        **more,
    }


def posting(plant: Callable[[str], str]) -> dict[str, Any]:
    return {
        "id": plant("job id"),
        "title": f"Engineer {plant('title')}",
        "description": f"Build services in python and java for {plant('posting')}. A degree is required.",
    }


def visit_all(visit: Visit, plant: Callable[[str], str], receiver: str, hooks: list[Any]) -> None:
    job, candidate = posting(plant), person(plant)
    body = {"job": job, "candidates": [candidate]}
    resumes = {"job": job, "resumes": [{"id": plant("audit id"), "resume": candidate["resume"]}]}

    # What goes well.
    keyed = {"Idempotency-Key": plant("idempotency key")}
    scored = visit("POST", "/v1/score", json={**body, "explain": True, "requirements": True}, headers=keyed)
    assert scored.status_code == 200, scored.text
    decision = scored.json()["results"][0]["decision_id"]
    assert visit("POST", "/v1/score", json=body, headers=keyed).status_code == 409
    assert visit("POST", "/v1/embed", json={"inputs": [candidate["resume"]]}).status_code == 200
    assert visit("POST", "/v1/embeddings", json={"input": candidate["resume"], "model": "m"}).status_code
    assert visit("POST", "/v1/redact", json={"resume": candidate["resume"]}).status_code == 200
    audit = {**resumes, "names_per_group": 2, "controls": 2, "attributes": ["name_race"]}
    assert visit("POST", "/v1/audit/counterfactual", json=audit).status_code in (200, 422)
    outcome = {"decision_id": decision, "outcome": "positive", "kind": "label"}
    assert visit("POST", "/v1/outcomes", json=outcome).status_code == 200
    assert visit("POST", "/v1/outcomes/bulk", json={"outcomes": [outcome]}).status_code == 200
    for path in ("/v1/fairness", "/v1/fairness/report?format=html", "/v1/model", "/v1/models"):
        assert visit("GET", path).status_code == 200
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert visit("GET", path).status_code == 200

    # Documents: good ones, and each kind of broken one.
    name = f"{plant('file name')}.pdf"
    text = f"{plant('document')} engineer in python and java"
    xml = "<w:p><w:r><w:t>" + plant("broken document")
    for content in (
        pdf(line(text, 72, 700)),
        docx(paragraph(text)),
        text.encode(),
        pdf(line(text, 72, 700))[:-200],
        docx(paragraph(text))[:-30],
        zipped({"word/document.xml": xml, f"{plant('entry')}.txt": text}),
        docx(xml),
        b"%PDF-1.7\n" + plant("broken pdf").encode(),
        b"{\\rtf1 " + plant("broken rtf").encode() + b"\\bin99999 ",
        f"<html><body>{plant('html')}<p>".encode() * 3,
        json.dumps({"basics": {"name": plant("json resume")}, "work": plant("json work")}).encode(),
        plant("utf").encode("utf-16") + b"\xff\xfe\x00",
    ):
        files = {"file": (name, content, f"application/{plant('media type')}")}
        visit("POST", "/v1/documents", files=files)
        visit("POST", "/v1/redact", files=files)
        form = [
            ("request", (None, json.dumps({**body, "candidates": [{"id": candidate["id"], "file": name}]}))),
            ("files", (name, content)),
        ]
        visit("POST", "/v1/score", files=form)
    visit("POST", "/v1/score", files=[(plant("part"), (plant("part file"), b"x"))])
    visit(
        "POST",
        "/v1/score",
        content=b"--x\r\n" + plant("half a form").encode(),
        headers={"content-type": f"multipart/form-data; boundary={plant('boundary')}"},
    )

    # Requests that are refused.
    wrong, field_name = plant("wrong value"), plant("field name")
    for path in (
        "/v1/score",
        "/v1/score/jobs",
        "/v1/embed",
        "/v1/embeddings",
        "/v1/redact",
        "/v1/documents",
        "/v1/audit/counterfactual",
        "/v1/outcomes",
        "/v1/outcomes/bulk",
    ):
        for content in (
            f'{{"job": "{wrong}'.encode(),
            f'"{wrong}"'.encode(),
            f'{{"a b {wrong}": "{wrong}", "job": "{wrong}", "candidates": ["{wrong}"]}}'.encode(),
            f'{{"{field_name}": '.encode() * 300,
            f'{{"{field_name}": "{wrong}"}}'.encode(),
            wrong.encode() + b"\xff",
            b" " * 200_001 + wrong.encode(),
        ):
            visit("POST", path, content=content, headers={"content-type": "application/json"})
        visit("POST", path, content=wrong.encode(), headers={"content-type": f"text/{wrong}"})
        visit("POST", path, content=wrong.encode(), headers={"content-encoding": wrong})
        visit("GET", f"{path}?{field_name}={in_urls(wrong)}")
        visit(wrong.upper(), path)
    for changed in (
        {"candidates": [{**candidate, "groups": {"sex": wrong}}]},
        {"candidates": [{**candidate, "groups": {wrong: wrong}}]},
        {"candidates": [{**candidate, "resume": ""}]},
        {"candidates": [{**candidate, "resume": 7, "id": 7}]},
        {"candidates": [candidate, candidate]},
        {"candidates": [{**candidate, "file": wrong}]},
        {"candidates": [{**candidate, "file": {"name": wrong, "content": wrong}}]},
        {"candidates": [{**candidate, "id": wrong * 40}]},
        {"job": {**job, "id": [wrong]}},
        {"require": [wrong], "prevalence": wrong, "redact": wrong},
        {"candidates": [{**candidate, "resume": f"{BUG} {candidate['resume']}"}]},
    ):
        visit("POST", "/v1/score", json={**body, **changed})
    assert visit.errors[-1].status_code == 500
    for value in (wrong * 20, f"{wrong}\u00e9".encode("latin-1"), wrong.encode() + b" x"):
        visit("POST", "/v1/score", json=body, headers={"Idempotency-Key": value})
    visit("POST", "/v1/score", json=body, headers={"Authorization": f"Bearer {plant('credential')}"})
    visit("POST", "/v1/score", json=body, headers={"Host": f"{wrong}.example"})
    visit("POST", "/v1/score", json=body, headers={"Origin": f"https://{wrong}.example"})
    visit("GET", f"/v1/{wrong}")
    visit("GET", f"/v1/models/{wrong}")
    for query in (
        f"window={wrong}",
        f"start={wrong}",
        f"attribute={wrong}",
        f"bundle={wrong}",
        f"{field_name}=1",
    ):
        visit("GET", f"/v1/fairness?{query}")
        visit("GET", f"/v1/fairness/report?{query}&source={wrong}")
    visit("POST", "/v1/outcomes", json={**outcome, "decision_id": wrong[:36]})
    visit("POST", "/v1/outcomes", json={**outcome, "outcome": wrong, "time": wrong})
    visit(
        "POST",
        "/v1/redact",
        json={"resume": candidate["resume"], "spans": [{"category": wrong, "text": wrong}]},
    )
    spans = [{"category": "name", "text": plant("span that is not there")}]
    visit("POST", "/v1/redact", json={"resume": candidate["resume"], "spans": spans})
    raw(visit, f"GET /{wrong} HTTP/9.9 {wrong}\r\n\r\n")
    raw(visit, f"{wrong}\r\n\r\n")
    raw(visit, f"GET / HTTP/1.1\r\n{wrong}: {wrong * 9000}\r\n\r\n")
    raw(visit, f'POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n{{"{wrong}')

    # Batch jobs of every kind, with rows at fault, a bug, and a notice of their end.
    hook = f"{receiver}/{plant('webhook path')}?token={plant('webhook token')}"
    rows = [
        {"job": job},
        candidate,
        {**candidate, "groups": {"sex": wrong}},
        {"id": plant("row id"), "resume": f"{BUG} {plant('row with a bug')}"},
        {"id": plant("row without text")},
        {field_name: wrong},
    ]
    lines = b"\n".join(json.dumps(row).encode() for row in rows) + f'\n{{"{wrong}'.encode()
    columns = ("id", "resume", "job_title", "job_description", "sex")
    row = ",".join(f"{plant(f'csv {column}')} python and java" for column in columns)
    other = f"{plant('csv id')}2,engineer in java,engineer,build services in java,female"
    table = "\n".join((",".join(columns), row, other))
    archive = zipped(
        {
            f"{plant('zip entry')}.txt": text,
            "../" + plant("zip path"): text,
            "broken.pdf": b"%PDF" + wrong.encode(),
        }
    )
    begun = [
        visit(
            "POST",
            "/v1/score/jobs",
            json={**body, "webhook": hook},
            headers={"Authorization": plant("owner")},
        ),
        visit(
            "POST",
            f"/v1/score/jobs?webhook={in_urls(hook)}",
            content=lines,
            headers={"content-type": "application/x-ndjson"},
        ),
        visit(
            "POST", "/v1/score/jobs", content=table.encode(), headers={"content-type": "text/csv", **keyed}
        ),
        visit(
            "POST",
            "/v1/score/jobs",
            files=[
                ("request", (None, json.dumps({"job": job}), "application/json")),
                ("files", (f"{plant('zip name')}.zip", archive)),
                ("files", (name, pdf(line(text, 72, 700)))),
                ("files", (f"{plant('unreadable name')}.pdf", b"%PDF-1.7\n" + wrong.encode())),
            ],
        ),
    ]
    assert [one.status_code for one in begun] == [202] * 4, [one.text for one in begun]
    for one in begun:
        headers = {"Authorization": plant("owner")} if one is begun[0] else {}
        client = Owned(visit, headers)
        finished(client, one.json()["id"])
        path = f"/v1/score/jobs/{one.json()['id']}"
        for what in ("", "/results", "/errors", f"/results?format={wrong}", "/results?format=csv"):
            visit("GET", path + what, headers=headers)
        visit("POST", f"{path}/cancel", headers=headers)
    visit("DELETE", f"/v1/score/jobs/{begun[2].json()['id']}")
    visit("GET", f"/v1/score/jobs?status={wrong}&cursor={wrong}")
    visit("GET", "/v1/score/jobs")
    for path in (wrong, f"{wrong}/results", f"{wrong}/errors"):
        visit("GET", f"/v1/score/jobs/{path}")
    visit("POST", f"/v1/score/jobs/{wrong}/cancel")
    visit("POST", "/v1/score/jobs", content=f"id,{wrong}\n1,2\n", headers={"content-type": "text/csv"})
    unreadable = [("files", (f"{plant('not a zip')}.zip", b"PK\x03\x04" + wrong.encode()))]
    visit("POST", "/v1/score/jobs", files=unreadable)
    visit("POST", "/v1/score/jobs", json={**body, "webhook": f"ftp://{wrong}/{wrong}"})
    wait_until(lambda: len(hooks) >= 2)


@dataclass
class Owned:
    """A client whose requests have a credential."""

    visit: Visit
    headers: dict[str, str]

    def get(self, url: str, /) -> Any:
        return self.visit("GET", url, headers=self.headers)


def raw(visit: Visit, request: str) -> None:
    """What no client sends."""
    url = visit.client.base_url
    with socket.create_connection((url.host, url.port), timeout=PATIENCE) as connection:
        connection.sendall(request.encode())
        if "Content-Length" not in request:  # else it hangs up in the middle
            connection.recv(65_536)


def while_the_database_is_locked(visit: Visit, plant: Callable[[str], str], data: Path, world: World) -> None:
    """A decision goes to the spool: what stands in it is seen while it is there."""
    with closing(sqlite3.connect(data / "decisions.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        body = {"job": posting(plant), "candidates": [person(plant)]}
        assert visit("POST", "/v1/score", json=body).status_code == 200
        (file,) = (data / "spool").glob("*.spool")
        assert world.canaries.found_in(file.read_bytes()) == {"candidate id", "job id", "request id"}
        other.execute("ROLLBACK")
    wait_until(lambda: not list((data / "spool").glob("*.spool")))


def test_what_callers_send_is_found_where_it_belongs_and_nowhere_else(world: World) -> None:
    canaries, log = world.canaries, world.server.log
    requests = [json.loads(row) for row in log.splitlines() if '"route"' in row]
    assert {one["route"] for one in requests} >= {*ROUTES, "other"}
    assert {200, 202, 204, 400, 403, 404, 405, 408, 409, 413, 415, 421, 422, 500} - {408} <= {
        one["status"] for one in requests
    }

    assert canaries.found_in(log.encode()) <= LOGGED
    assert "KeyError" in log  # the bug's kind, and that of its warning
    assert "UserWarning" in log
    assert all(row.startswith("{") for row in log.splitlines())

    assert canaries.found_in(world.metrics.encode()) == set()
    assert len(world.traces) > 10_000
    assert canaries.found_in(world.traces) == set()
    assert len(world.hooks) > 100
    assert canaries.found_in(world.hooks) == set()

    told = [
        (one.request.url, one.text.replace(canaries.plant("request id"), "")) for one in world.visit.errors
    ]
    assert [(url, said) for url, said in told if canaries.found_in(said.encode()) - OWED] == []
    assert columns_with(canaries, world.data_dir / "decisions.sqlite") == STORED

    left = {**files_with(canaries, world.folders), **world.open_files}
    assert {Path(name).name for name in left} <= {"decisions.sqlite", "decisions.sqlite-wal"}, left
    assert set().union(*left.values()) == set().union(*STORED.values())
