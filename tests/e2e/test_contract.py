"""The whole OpenAPI document against a running server, by schemathesis (docs/testing.md)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import CHECKOUT, StartFake
from tests.support.access import SECRET, bearer, new_key, write_keys
from tests.support.patience import PATIENCE

LEAST_CASES = 5_000
OF_AN_OPERATION = 160
REPLACED = "positive_data_acceptance,negative_data_rejection"
"""Checks that `contract_checks` asks itself, since it knows more reasons than a schema can hold."""


@pytest.mark.slow
def test_every_answer_is_as_the_document_says(start_fake: StartFake, tmp_path: Path) -> None:
    key = new_key(now=datetime.now(UTC))
    keys = write_keys(tmp_path, key)
    server = start_fake(
        EVENMATCH_WORKERS="1",
        EVENMATCH_KEYS_SECRET=SECRET,
        EVENMATCH_KEYS_FILE=str(keys["keys_file"]),
        EVENMATCH_WRONG_KEYS_PER_MINUTE="1000000",  # thousands are sent, and their answers are looked at
    )
    with httpx.Client(base_url=server.url, headers=bearer(key.text), timeout=PATIENCE) as client:
        candidates = [{"id": "c-1", "resume": "Backend engineer, six years of Python."}]
        body = {"job": {"description": "Payment services in Python."}, "candidates": candidates}
        decision = client.post("/v1/score", json=body).json()["results"][0]["decision_id"]
        job = client.post("/v1/score/jobs", json=body).json()["id"]
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{server.url}/openapi.json",
            f"--url={server.url}",
            f"--header=Authorization: Bearer {key.text}",
            f"--exclude-checks={REPLACED}",
            f"--max-examples={OF_AN_OPERATION}",
            "--seed=21",
            "--continue-on-failure",
            "--no-color",
            "--generation-database=none",
            f"--request-timeout={PATIENCE}",
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(CHECKOUT),
            "SCHEMATHESIS_HOOKS": "tests.e2e.contract_checks",
            "CONTRACT_DECISION": decision,
            "CONTRACT_JOB": job,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    cases = re.search(r"([\d,]+) generated", done.stdout)
    assert cases is not None, done.stdout[-2_000:]
    assert int(cases[1].replace(",", "")) >= LEAST_CASES
    assert json.loads(httpx.get(f"{server.url}/health/ready", timeout=PATIENCE).content)["status"] == "ready"
