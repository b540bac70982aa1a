"""Batch jobs for tests: rows, and waiting for the end of a job."""

from __future__ import annotations

import json
import time
from typing import Any, Protocol

from tests.support.patience import PATIENCE

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


def records(client: Client, job_id: str, what: str = "results") -> list[dict[str, Any]]:
    answer = client.get(f"/v1/score/jobs/{job_id}/{what}")
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]
