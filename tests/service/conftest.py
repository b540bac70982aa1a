from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine

from service.core.bundle import Bundle
from service.store.database import migrate, open_database
from service.store.sqlite import sqlite_url
from tests.support.api import Api, Start, start_api
from tests.support.postgres import PostgresServer, programs
from tests.support.recorded_migration import RecordedMigration

_MIGRATION = RecordedMigration()


@pytest.fixture(autouse=True)
def migration_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of empty databases are made as Alembic made the first. Tests of migrations take this back."""
    monkeypatch.setattr(command, "upgrade", _MIGRATION.upgrade)


@pytest.fixture
def start(tiny_bundle: Bundle, bge_like: Path, tmp_path: Path) -> Iterator[Start]:
    """Start the app with other settings than the defaults."""
    with ExitStack() as stack:

        def begin(served: Bundle = tiny_bundle, **parts: Any) -> Api:
            return start_api(stack, bge_like / "tokenizer.json", tmp_path / "data", served, **parts)

        yield begin


@pytest.fixture
def api(start: Start) -> Api:
    return start()


@pytest.fixture(scope="module")
def shared_api(
    tiny_bundle: Bundle, bge_like: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """An app for tests of one file that leave it as they found it, but for its counters."""
    with ExitStack() as stack:
        yield start_api(stack, bge_like / "tokenizer.json", tmp_path_factory.mktemp("data"), tiny_bundle)


@pytest.fixture(scope="module")
def jobs_api(tiny_bundle: Bundle, bge_like: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An app for the tests of batch jobs of one file, which look at jobs of their own only."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("data")
        jobs = {"chunk_rows": 2, "max_upload_bytes": 4_000_000}
        model = {"cache_mib": 0}  # so that the engine is asked for the same texts again
        yield start_api(stack, bge_like / "tokenizer.json", folder, tiny_bundle, jobs=jobs, model=model)


@pytest.fixture
def held(jobs_api: Api) -> Iterator[threading.Event]:
    """Sets the engine of `jobs_api` to work; before, it does nothing."""
    go = threading.Event()
    jobs_api.engine.batches.clear()
    jobs_api.engine.before = lambda _: go.wait()
    yield go
    go.set()
    jobs_api.engine.before = None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    found = programs()
    if found is None:
        pytest.skip("needs PostgreSQL's initdb and pg_ctl, and as root a user postgres")
    pytest.importorskip("psycopg")
    server = PostgresServer(found)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.empty_database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that is not there yet, or empty."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "decisions.sqlite")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """A migrated database, of each kind in turn."""
    opened = open_database(url)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """A migrated SQLite database."""
    opened = open_database(sqlite_url(tmp_path / "decisions.sqlite"))
    migrate(opened)
    yield opened
    opened.dispose()
