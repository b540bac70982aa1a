"""Batch jobs for tests: rows, how they are sent, and waiting for the end of a job."""

from __future__ import annotations

import json
import time
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Table, func, select

from service.store.tables import decisions
from tests.support.api import Api
from tests.support.patience import PATIENCE

NDJSON = {"content-type": "application/x-ndjson"}
CSV = {"content-type": "text/csv"}
JOB = {
    "id": "req-1",
    "title": "backend engineer",
    "description": "build the payment service in python and java",
}
OTHER_JOB = {"id": "req-2", "title": "nurse", "description": "patient care on the surgical ward of a clinic"}
_TRADES = ("backend engineer in python and java", "registered nurse on a ward", "cook in a hotel kitchen")


class Client(Protocol):
    """Of httpx, or of the app in this process."""

    def get(self, url: str, /) -> Any: ...


def candidates(count: int) -> list[dict[str, Any]]:
    """Candidates c-0, c-1, ..., no two of the same text."""
    return [
        {
            "id": f"c-{i}",
            "resume": f"{_TRADES[i % 3]}, {i} projects of kind {i * 7 % 11}",
            "groups": {"sex": "female" if i % 2 else "male"},
        }
        for i in range(count)
    ]


def json_lines(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def finished(client: Client, job_id: str, status: str = "completed") -> dict[str, Any]:
    """The job, once it is over, as which it must be `status`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        job: dict[str, Any] = client.get(f"/v1/score/jobs/{job_id}").json()
        if job["ended_at"] is not None:
            assert job["status"] == status, job
            return job
        time.sleep(0.02)
    raise AssertionError(f"the job did not end: {job}")


def create(api: Api, body: dict[str, Any], **headers: str) -> str:
    """The id of a job made of JSON."""
    return _created(api.post("/v1/score/jobs", json=body, headers=headers))


def create_of(api: Api, content: bytes, headers: dict[str, str], **query: Any) -> str:
    """The id of a job made of rows."""
    return _created(api.post("/v1/score/jobs", content=content, headers=headers, params=query))


def create_of_files(api: Api, request: dict[str, Any], *files: tuple[str, bytes]) -> str:
    """The id of a job made of a form."""
    parts: list[tuple[str, Any]] = [("request", (None, json.dumps(request), "application/json"))]
    parts += [("files", one) for one in files]
    return _created(api.post("/v1/score/jobs", files=parts))


def _created(answer: Any) -> str:
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def rows_in(api: Api, table: Table, *where: ColumnElement[bool]) -> int:
    with api.database.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


def decisions_of(api: Api, job_id: str) -> int:
    """How many decisions a job made."""
    return rows_in(api, decisions, decisions.c.request_id == f"job.{job_id}")


def records(client: Client, job_id: str, what: str = "results") -> list[dict[str, Any]]:
    answer = client.get(f"/v1/score/jobs/{job_id}/{what}")
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]
