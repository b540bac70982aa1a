"""Migrations make the tables of the code, also when several processes migrate and write at once."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, inspect

from service.store.database import migrate, open_database
from service.store.sqlite import sqlite_url
from tests.support.patience import PATIENCE


@pytest.fixture(autouse=True)
def migration_at_once() -> None:
    """Here Alembic itself is asked each time."""


LIVE = {"outcomes", "outcome_history", "decision_counts", "outcome_counts", "answers"}


def test_outcomes_counts_and_answers_can_be_taken_back_and_made_again(engine: Engine) -> None:
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "service:store/migrations")
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    assert LIVE.isdisjoint(inspect(engine).get_table_names())
    migrate(engine)
    assert set(inspect(engine).get_table_names()) >= LIVE


PROCESSES = 3
ROWS = 40


def write(file: Path, process: int) -> None:
    """What each process does: bring the tables up to date, then write row after row."""
    engine = open_database(sqlite_url(file))
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS scratch (process INTEGER, row INTEGER)")
    for row in range(ROWS):
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT COUNT(*) FROM scratch").scalar()
            connection.exec_driver_sql("INSERT INTO scratch VALUES (?, ?)", (process, row))
    engine.dispose()


def test_several_processes_write_to_one_file(tmp_path: Path) -> None:
    file = tmp_path / "decisions.sqlite"
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=write, args=(file, i)) for i in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
        assert process.exitcode == 0
    engine = open_database(sqlite_url(file))
    with engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        counts = connection.exec_driver_sql("SELECT process, COUNT(*) FROM scratch GROUP BY process").all()
    engine.dispose()
    assert [tuple(row) for row in counts] == [(i, ROWS) for i in range(PROCESSES)]


def test_threads_migrate_databases_of_their_own_at_once(tmp_path: Path) -> None:
    engines = [open_database(sqlite_url(tmp_path / f"{i}.sqlite3")) for i in range(6)]
    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(migrate, engines))
    for engine in engines:
        assert "decisions" in inspect(engine).get_table_names()
        engine.dispose()
