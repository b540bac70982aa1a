"""Appending: one chain, however many append to it; on both databases."""

from __future__ import annotations

import json
import multiprocessing
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text

from service.core.errors import ConfigurationError, DatabaseLostError, StoreError
from service.store import tables
from service.store.chain import LogKey
from service.store.database import open_database
from service.store.log import DecisionLog
from service.store.sqlite import sqlite_url
from service.store.verification import verify
from tests.support.decision_logs import KEY, OpenLog, candidates, decision, decisions, tamper
from tests.support.patience import PATIENCE


def test_the_migrations_make_the_tables_of_the_code(decision_log: DecisionLog) -> None:
    def of_this_database(item: Any, *_: object) -> bool:
        only = getattr(item, "_ddl_if", None)
        return only is None or only.dialect == decision_log.engine.dialect.name

    with decision_log.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": of_this_database})
        assert compare_metadata(context, tables.metadata) == []


def test_a_decision_comes_back_as_it_was_given(decision_log: DecisionLog) -> None:
    given = decision(1, candidate_id="Zoë\u2028'; --", job_id=None, groups={"sex": "male", "a": "b"})
    assert decision_log.append([given]).stored == 1
    with decision_log.reading() as connection:
        row = connection.execute(select(tables.decisions)).mappings().one()
    assert (row["sequence"], row["decision_id"]) == (1, given.decision_id)
    assert row["candidate_id"] == "Zoë\u2028'; --"
    assert row["job_id"] is None
    assert json.loads(row["groups"]) == {"a": "b", "sex": "male"}
    assert (row["raw_score"], row["calibrated_probability"], row["threshold"]) == (0.41, 0.7125, 0.62)
    assert row["redact"] is True
    assert row["erased"] is None


def test_what_is_there_already_is_left_out(decision_log: DecisionLog) -> None:
    assert decision_log.append(decisions(3)).stored == 3
    assert decision_log.append([*decisions(5), decision(5)]).stored == 2
    assert decision_log.append(decisions(5)).stored == 0
    assert candidates(decision_log) == [f"c-{n}" for n in range(1, 6)]
    assert verify(decision_log).broken == 0


def test_more_decisions_than_a_query_takes_ids(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(1_200))
    assert decision_log.append(decisions(1_201)).stored == 1
    assert verify(decision_log).rows == 1_201


def test_opening_again_goes_on_with_the_chain(url: str, open_log: OpenLog) -> None:
    first = open_log(url)
    first.append(decisions(2))
    again = open_log(url)
    assert again.open().sequence == 2
    again.append([decision(3)])
    assert verify(first).rows == 3


def test_another_key_is_refused_and_not_used(url: str, open_log: OpenLog) -> None:
    open_log(url).append(decisions(2))
    other = DecisionLog(url, LogKey(b"other"), timeout=5)
    with pytest.raises(ConfigurationError, match="all processes need the same log_key"):
        other.open()
    with pytest.raises(ConfigurationError):
        other.append([decision(3)])
    other.close()


def test_a_log_without_its_head_is_not_begun_anew(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(2))
    tamper(decision_log, "DELETE FROM log_head")
    with pytest.raises(StoreError, match="no head"):
        decision_log.append([decision(3)])
    with pytest.raises(StoreError, match="rows but no head"):
        decision_log.open()


def test_a_changed_head_is_not_appended_to(decision_log: DecisionLog) -> None:
    decision_log.append(decisions(2))
    tamper(decision_log, "UPDATE log_head SET sequence = 1")
    with pytest.raises(StoreError, match="head of the decision log was changed"):
        decision_log.append([decision(3)])


def test_a_database_of_a_newer_version_is_refused(decision_log: DecisionLog) -> None:
    tamper(decision_log, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer version"):
        decision_log.open()


def _append(url: str, worker: int, batches: int) -> None:
    """One replica: opens, migrates and appends as a service does."""
    log = DecisionLog(url, KEY, timeout=30)
    log.open()
    for batch in range(batches):
        log.append(decisions(3, 1_000_000 * worker + 3 * batch))
    log.close()


def test_replicas_that_start_and_write_at_once_make_one_chain(url: str, open_log: OpenLog) -> None:
    context = multiprocessing.get_context("spawn")
    replicas = [context.Process(target=_append, args=(url, worker, 20)) for worker in range(3)]
    for replica in replicas:
        replica.start()
    for replica in replicas:
        replica.join(PATIENCE)
    assert [replica.exitcode for replica in replicas] == [0, 0, 0]
    log = open_log(url)
    result = verify(log)
    assert (result.rows, result.broken) == (180, 0)
    assert len(set(candidates(log))) == 180


@pytest.mark.postgres
def test_a_replica_that_freezes_while_it_has_the_head_does_not_hold_up_the_others_for_good(
    postgres_url: str, open_log: OpenLog
) -> None:
    other = open_log(postgres_url)
    frozen = open_log(postgres_url, timeout=10.0)

    appended: list[int] = []

    def freeze_with_the_head() -> None:
        with frozen.writing() as connection:
            frozen.locked_head(connection)
            limit = text("SHOW idle_in_transaction_session_timeout")
            assert connection.execute(limit).scalar_one() == "1min"
            connection.execute(text("SET idle_in_transaction_session_timeout = 200"))
            appended.append(other.append(decisions(3)).stored)
            connection.execute(select(tables.head))

    with pytest.raises(StoreError, match="the database failed"):
        freeze_with_the_head()
    assert appended == [3]  # though nobody ended the other transaction
    frozen.append(decisions(6))  # it wakes up and goes on
    assert candidates(other) == [f"c-{n}" for n in range(1, 7)]
    assert verify(other).broken == 0


def test_errors_of_the_database_show_nothing_of_a_row(decision_log: DecisionLog) -> None:
    with pytest.raises(StoreError) as caught, decision_log.writing() as connection:
        connection.execute(insert(tables.decisions).values(sequence=1, candidate_id="Zaphod"))
    assert "Zaphod" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.__suppress_context__


def test_a_sqlite_file_is_for_its_owner_only_and_made_by_opening_only(
    tmp_path: Path, open_log: OpenLog
) -> None:
    file = tmp_path / "folder" / "log.sqlite"
    log = DecisionLog(sqlite_url(file), KEY)
    with pytest.raises(StoreError, match="SQLITE_CANTOPEN"):
        log.append(decisions(1))
    log.close()
    assert not file.exists()
    open_log(sqlite_url(file)).append(decisions(1))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_sqlite_file_that_was_deleted_is_not_written_into(sqlite_log: DecisionLog, tmp_path: Path) -> None:
    sqlite_log.append(decisions(1))
    for file in tmp_path.glob("log.sqlite*"):
        file.unlink()
    with pytest.raises(DatabaseLostError, match="file was deleted"):
        sqlite_log.append([decision(2)])
    assert list(tmp_path.glob("log.sqlite*")) == []


def test_sqlite_waits_for_the_disk(sqlite_log: DecisionLog) -> None:
    with sqlite_log.reading() as connection:
        settings = [
            connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "secure_delete")
        ]
    assert settings == ["wal", 2, 1]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("no url", "not a database URL"),
        ("mysql://root:secret@host/db", "names mysql"),
        ("sqlite://", "names no file"),
    ],
)
def test_a_url_that_cannot_be_used_is_said_without_its_password(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        open_database(url)
    assert "secret" not in caught.value.message


def test_postgresql_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match="extra `postgres`"):
        open_database("postgresql://tester@nowhere/db")
