"""PostgreSQL's indexes of scores: at once on a small log, beside the writers on a large one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from service.store import score_index
from service.store.database import migrate, open_database
from service.store.score_index import (
    EARLIER_INDEXES,
    SCORE_INDEXES,
    build_score_indexes,
    missing_score_indexes,
    warn_of_missing,
)
from tests.support.stored import decision, store

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def migration_at_once() -> None:
    """Here Alembic itself is asked each time."""


@pytest.fixture
def unmigrated(postgres_url: str) -> Iterator[Engine]:
    opened = open_database(postgres_url, timeout=60)
    yield opened
    opened.dispose()


def names(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT indexname FROM pg_indexes WHERE tablename = 'decisions'"))
        return set(found.scalars())


def test_a_small_log_has_them_after_the_migration(unmigrated: Engine) -> None:
    migrate(unmigrated)
    assert set(SCORE_INDEXES) <= names(unmigrated)
    assert names(unmigrated).isdisjoint(EARLIER_INDEXES)
    assert build_score_indexes(unmigrated, pytest.fail) == 0


def test_on_a_large_log_they_are_left_to_a_command_that_may_be_repeated(
    unmigrated: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(score_index, "SMALL_LOG_BYTES", -1)
    migrate(unmigrated)
    assert set(EARLIER_INDEXES) <= names(unmigrated)
    store(unmigrated, [decision(n, score=n / 100) for n in range(100)])
    warn_of_missing(unmigrated)
    assert "evenmatch log migrate" in caplog.text
    # As one whose building was broken off: there, and of no use.
    with unmigrated.begin() as connection:
        connection.execute(text("CREATE INDEX ix_decisions_scores ON decisions (time)"))
        connection.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_decisions_scores'::regclass")
        )
    told: list[str] = []
    assert build_score_indexes(unmigrated, told.append) == len(told) == 2
    with unmigrated.connect() as connection:
        assert missing_score_indexes(connection) == []
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = connection.execute(
            text(
                "EXPLAIN SELECT groups, count(*) FROM decisions "
                "WHERE calibrated_probability >= 0.4 AND calibrated_probability < 0.5 GROUP BY groups"
            )
        )
        assert "Index Only Scan using ix_decisions_scores" in "\n".join(plan.scalars())
    assert names(unmigrated).isdisjoint(EARLIER_INDEXES)


def test_sqlite_needs_none_of_it(sqlite: Engine) -> None:
    with sqlite.connect() as connection:
        assert missing_score_indexes(connection) == []
    assert build_score_indexes(sqlite, pytest.fail) == 0
