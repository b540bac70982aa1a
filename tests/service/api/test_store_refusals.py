"""A database that works but refuses: the role lost a privilege, or somebody changed a table."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.support.api import ENGINEER, JOB, Api, Start
from tests.support.patience import wait_until

pytestmark = pytest.mark.postgres

ROLE = "evenmatch_limited"
PERSON = "person-4711"
SCORE = {"job": JOB, "candidates": [{"id": PERSON, "resume": ENGINEER}]}


@pytest.fixture
def admin(postgres_url: str) -> Iterator[psycopg.Connection]:
    """What an administrator does to the database that the service uses as `ROLE`."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone() is None:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN")
        connection.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {ROLE}")
        yield connection


@pytest.fixture
def limited(start: Start, admin: psycopg.Connection, postgres_url: str, tmp_path: Path) -> Api:
    url = make_url(postgres_url).set(username=ROLE)
    return start(store={"data_dir": tmp_path, "database_url": url.render_as_string(hide_password=False)})


def test_what_the_role_may_not_do_is_unavailable_and_the_log_names_nobody(
    limited: Api, admin: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    made = limited.post("/v1/score", json=SCORE).json()["results"][0]["decision_id"]
    outcome = {"decision_id": made, "outcome": "positive", "kind": "label"}
    admin.execute(f"REVOKE ALL ON outcomes, decision_counts FROM {ROLE}")
    asked: dict[str, Callable[[], Any]] = {
        "outcome": lambda: limited.post("/v1/outcomes", json=outcome),
        "rates": lambda: limited.get("/v1/fairness?window=all"),
        "report": lambda: limited.get("/v1/fairness/report?format=csv"),
    }
    with caplog.at_level(logging.DEBUG):
        for what, ask in asked.items():
            answer = ask()
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable"), what
            assert int(answer.headers["retry-after"]) >= 1, what
    assert "InsufficientPrivilege (42501)" in caplog.text
    for secret in (made, PERSON, "unexpected", "INSERT", "SELECT"):
        assert secret not in caplog.text

    admin.execute(f"GRANT ALL ON outcomes, decision_counts TO {ROLE}")
    wait_until(lambda: limited.post("/v1/outcomes", json=outcome).status_code == 200)


def test_decisions_that_may_not_be_inserted_wait_in_the_spool(
    limited: Api, admin: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    admin.execute(f"REVOKE INSERT ON decisions FROM {ROLE}")
    with caplog.at_level(logging.DEBUG):
        assert limited.post("/v1/score", json=SCORE).status_code == 200
        assert limited.get("/health/ready").json()["store"] == "spooling"
    assert PERSON not in caplog.text
    admin.execute(f"GRANT INSERT ON decisions TO {ROLE}")
    wait_until(lambda: limited.get("/health/ready").json()["store"] == "ok")
