"""URLs of a database as people write them: what is meant is taken, what cannot be is refused at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.core.errors import ConfigurationError, StoreError
from service.store.database import open_database
from service.store.log import DecisionLog
from tests.support.decision_logs import KEY

PASSWORD = "s3cr#et"


@pytest.mark.parametrize(
    ("url", "user", "password", "options"),
    [
        ("postgresql://ats:pw@db/evenmatch", "ats", "pw", {}),
        ("postgres://ats:pw@db/evenmatch", "ats", "pw", {}),
        ("postgresql+psycopg://ats:pw@db/evenmatch", "ats", "pw", {}),
        ("postgresql+psycopg2://ats:pw@db:5433/evenmatch", "ats", "pw", {}),
        ("postgresql://ats:p%40s%2Fs%3A%23@db/evenmatch", "ats", "p@s/s:#", {}),
        ("postgres://ats@db/evenmatch?sslmode=verify-full", "ats", None, {"sslmode": "verify-full"}),
        ("postgresql://ats@/evenmatch?host=/run/postgresql", "ats", None, {"host": "/run/postgresql"}),
        ("postgresql://ats@db/evenmatch?application_name=ats", "ats", None, {"application_name": "ats"}),
    ],
)
def test_what_is_meant_is_taken(url: str, user: str, password: str | None, options: dict[str, str]) -> None:
    engine = open_database(url)
    assert engine.dialect.driver == "psycopg"
    assert (engine.url.username, engine.url.password, engine.url.database) == (user, password, "evenmatch")
    assert dict(engine.url.query) == options
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"postgresql://ats:{PASSWORD}@db:54a/evenmatch", "percent-encoded"),
        (f"postgresql://ats:p@{PASSWORD}@db/evenmatch", "percent-encoded"),
        (f"postgres//ats:{PASSWORD}@db", "percent-encoded"),
        (f"jdbc:postgresql://db/evenmatch?password={PASSWORD}", "not a database URL"),
        (f"mysql://ats:{PASSWORD}@db/evenmatch", "names mysql; sqlite and postgresql are known"),
        (f"https://ats:{PASSWORD}@db", "names https; sqlite and postgresql are known"),
        ("postgresql://ats:pw@db/evenmatch?schema=public", "does not know: schema"),
        ("evenmatch", "not a database URL"),
    ],
)
def test_what_cannot_be_is_refused_without_a_word_of_the_password(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        open_database(url)
    assert caught.value.field == "database_url"
    assert "s3cr" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://ats:pw@127.0.0.1:1/evenmatch", "nobody listens there"),
        ("postgresql://ats:pw@/evenmatch?host={folder}", "nobody listens there"),
    ],
)
def test_why_there_is_no_connection_is_said_without_names(url: str, why: str, tmp_path: Path) -> None:
    log = DecisionLog(url.format(folder=tmp_path), KEY, timeout=2.0)
    with pytest.raises(StoreError) as caught:
        log.open()
    assert caught.value.message == f"the database failed: NoConnectionError ({why})"
    log.close()


@pytest.mark.postgres
def test_an_unknown_user_or_database_is_said(postgres_url: str) -> None:
    for wrong in (postgres_url.replace("tester@", "nobody@"), postgres_url.replace("@/test", "@/no")):
        log = DecisionLog(wrong, KEY, timeout=10.0)
        with pytest.raises(StoreError, match="there is no such database or user"):
            log.open()
        log.close()
