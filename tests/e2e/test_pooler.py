"""The real server on PostgreSQL behind a real PgBouncer that gives each transaction another connection."""

from __future__ import annotations

import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from service.store.recorder import StoreOptions
from service.store.verification import verify
from tests.e2e.conftest import Server, StartFake
from tests.support import pgbouncer
from tests.support.decision_logs import candidates as decided
from tests.support.jobs import JOB, candidates, finished, json_lines
from tests.support.patience import PATIENCE
from tests.support.postgres import PostgresServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgres,
    pytest.mark.skipif(pgbouncer.program() is None, reason="needs pgbouncer"),
]

LOG_KEY = "a key that all replicas have"
CLIENTS = 18
ROUNDS = 8
ROWS = 200
RESUME = "senior backend engineer, python, java"


def client_of(server: Server, number: int) -> Counter[tuple[str, int]]:
    """What one client was answered, by route."""
    statuses: Counter[tuple[str, int]] = Counter()
    order = random.Random(number)
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:

        def ask(method: str, path: str, **request: Any) -> Any:
            answer = client.request(method, path, **request)
            statuses[path, answer.status_code] += 1
            return answer.json()

        for turn in range(ROUNDS):
            sex = order.choice(["female", "male"])
            candidate = {"id": f"c-{number}-{turn}", "resume": RESUME, "groups": {"sex": sex}}
            headers = {"idempotency-key": f"{number}-{turn}"} if turn % 2 else {}
            body = {"job": JOB, "candidates": [candidate]}
            scored = ask("POST", "/v1/score", json=body, headers=headers)
            decision = scored["results"][0]["decision_id"]
            outcome = "positive" if turn % 3 else "negative"
            ask(
                "POST",
                "/v1/outcomes",
                json={"decision_id": decision, "kind": "label", "outcome": outcome},
            )
            ask("GET", "/v1/fairness", params={"window": "all"})
    return statuses


def test_many_clients_and_a_job_meet_no_error_in_transaction_mode(
    postgres: PostgresServer, start_fake: StartFake, tmp_path: Path
) -> None:
    with pgbouncer.pgbouncer(postgres.new_database()) as url:
        server = start_fake(EVENMATCH_DATABASE_URL=url, EVENMATCH_LOG_KEY=LOG_KEY)
        rows = json_lines({"job": {**JOB, "id": "bulk"}}, *candidates(ROWS))
        created = httpx.post(
            f"{server.url}/v1/score/jobs",
            content=rows,
            headers={"content-type": "application/x-ndjson"},
            timeout=PATIENCE,
        )
        assert created.status_code == 202
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(lambda number: client_of(server, number), range(CLIENTS)))
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            finished(client, created.json()["id"])
        assert server.terminate() == -15
        assert sum(answers, Counter[tuple[str, int]]()) == {
            ("/v1/score", 200): CLIENTS * ROUNDS,
            ("/v1/outcomes", 200): CLIENTS * ROUNDS,
            ("/v1/fairness", 200): CLIENTS * ROUNDS,
        }
        log = StoreOptions(data_dir=tmp_path, database_url=url, log_key=SecretStr(LOG_KEY)).open_log()
        try:
            assert verify(log).broken == 0
            assert len(decided(log)) == CLIENTS * ROUNDS + ROWS
        finally:
            log.close()
    assert not re.search(r"unexpected|ERROR|CRITICAL|Traceback", server.log), server.log
