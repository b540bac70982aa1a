"""Clients that send again what they sent already, on the real server."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.e2e.conftest import Server
from tests.e2e.texts import BACKEND_JOB, COOK, ENGINEER, NURSE


def settled(client: httpx.Client) -> int:
    """As `people`, when all that was answered before is stored."""
    # An answer under a key waits for its commit, and commits come in the order of the answers.
    one = {"job": BACKEND_JOB, "candidates": [{"id": "c", "resume": COOK}]}
    client.post("/v1/score", json=one, headers={"Idempotency-Key": str(uuid.uuid4())}).raise_for_status()
    return people(client)


def people(client: httpx.Client) -> int:
    """How many decisions are stored."""
    answer = client.get("/v1/fairness", params={"window": "24h"})
    assert answer.status_code == 200, answer.text
    total: int = answer.json()["people"]
    return total


def body(copies: int = 1) -> dict[str, Any]:
    resumes = [f"{text}\nReference {copy}" for copy in range(copies) for text in (ENGINEER, NURSE, COOK)]
    return {
        "job": {**BACKEND_JOB, "id": "req-17"},
        "candidates": [{"id": f"c-{i}", "resume": resume} for i, resume in enumerate(resumes)],
        "explain": True,
    }


def test_the_same_request_three_times_is_one_decision_about_each_person(client: httpx.Client) -> None:
    before, key = settled(client), str(uuid.uuid4())
    headers = {"Idempotency-Key": key, "X-Request-ID": "a-retry"}
    answers = [client.post("/v1/score", json=body(), headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert answers[0].json()["results"][0]["explanation"]
    assert people(client) == before + 3
    conflict = client.post("/v1/score", json={**body(), "redact": False}, headers=headers)
    assert (conflict.status_code, conflict.json()["code"]) == (409, "idempotency_key_reused")
    # The ids are those of the decisions: outcomes can be attached.
    told = [
        {"decision_id": result["decision_id"], "outcome": "positive", "kind": "label"}
        for result in answers[2].json()["results"]
    ]
    bulk = [client.post("/v1/outcomes/bulk", json={"outcomes": told}, headers=headers) for _ in range(2)]
    assert [answer.json()["recorded"] for answer in bulk] == [3, 3]
    assert bulk[1].headers["idempotency-replayed"] == "true"


def test_a_client_that_does_not_wait_and_tries_again_leaves_one_decision_about_each_person(
    client: httpx.Client, server: Server
) -> None:
    before, sent = settled(client), body(copies=8)
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    for _ in range(3):
        try:
            with httpx.Client(base_url=server.url, timeout=httpx.Timeout(60, read=0.05)) as hasty:
                hasty.post("/v1/score", json=sent, headers=headers)
        except httpx.ReadTimeout:
            pass
    first = client.post("/v1/score", json=sent, headers=headers, timeout=300)
    again = client.post("/v1/score", json=sent, headers=headers, timeout=300)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert people(client) == before + 24
