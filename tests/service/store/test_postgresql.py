"""A PostgreSQL whose processes stand still: every wait for it ends, and nothing is lost when it goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import OperationalError

from service.core.errors import StoreError, StoreUnavailableError
from service.store.database import open_database
from service.store.log import DecisionLog
from service.store.outcomes import Outcome, record_outcomes
from service.store.recorder import StoreOptions
from service.store.spool import spooled_lines
from service.store.transactions import at_most, reading
from service.store.verification import verify
from tests.service.store.recorders import Begin, Watcher, ids
from tests.support.decision_logs import KEY, OpenLog, candidates, decision, decisions
from tests.support.patience import wait_until
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres

NO_ANSWER = r"^the database failed: NoAnswerError$"


def stored(folder: Path, url: str) -> list[str | None]:
    """Candidate ids in the database; the chain must hold."""
    log = StoreOptions(data_dir=folder, database_url=url).open_log()
    try:
        assert verify(log).broken == 0
        return candidates(log)
    finally:
        log.close()


async def test_decisions_go_to_the_spool_and_come_back_once_each(
    begin: Begin, tmp_path: Path, watcher: Watcher, postgres_server: PostgresServer, postgres_url: str
) -> None:
    recorder = begin(database_url=postgres_url, durable=True, database_seconds=0.4)
    await recorder.record(decisions(3))
    wait_until(lambda: watcher.stored == 3 and recorder.state == "ok")
    with postgres_server.frozen():
        await recorder.record(decisions(3, 4))
        assert recorder.state == "spooling"
        assert spooled_lines(tmp_path / "spool") == 3
        await recorder.record([decision(7)])
    wait_until(lambda: recorder.state == "ok")
    await recorder.record([decision(8)])
    recorder.stop()
    assert stored(tmp_path, postgres_url) == ids(decisions(8))
    assert watcher.failures >= 1


async def test_a_stop_while_the_server_stands_still_leaves_a_spool(
    begin: Begin, tmp_path: Path, watcher: Watcher, postgres_server: PostgresServer, postgres_url: str
) -> None:
    recorder = begin(database_url=postgres_url, database_seconds=0.4)
    await recorder.record(decisions(3))
    wait_until(lambda: watcher.stored == 3 and recorder.state == "ok")
    with postgres_server.frozen():
        await recorder.record(decisions(3, 4))
        recorder.stop()
        assert spooled_lines(tmp_path / "spool") == 3
    again = begin(database_url=postgres_url)
    wait_until(lambda: again.state == "ok")
    again.stop()
    assert stored(tmp_path, postgres_url) == ids(decisions(6))


async def test_a_start_while_the_server_stands_still_spools_until_it_goes_on(
    begin: Begin, tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    with postgres_server.frozen():
        recorder = begin(database_url=postgres_url, database_seconds=0.5)
        assert recorder.state == "spooling"
        await recorder.record(decisions(2))
    wait_until(lambda: recorder.state == "ok")
    recorder.stop()
    assert stored(tmp_path, postgres_url) == ids(decisions(2))


@pytest.fixture
def log(postgres_url: str, open_log: OpenLog) -> DecisionLog:
    """An open log of three decisions, in no hurry."""
    opened = open_log(postgres_url, timeout=60.0)
    assert opened.append(decisions(3)).stored == 3
    return opened


def hurry(connection: Connection) -> None:
    """Let the next wait of this connection be short."""
    inner: Any = connection.connection.dbapi_connection
    inner.longest_wait = 0.3


@contextmanager
def frozen_before(server: PostgresServer, log: DecisionLog, what: str) -> Iterator[None]:
    """Freeze the server when the log sends a statement that begins with `what`, until the end."""
    name = "commit" if what == "COMMIT" else "before_cursor_execute"
    frozen = False

    with ExitStack() as stack:

        def freeze(connection: Connection, *arguments: Any) -> None:
            nonlocal frozen
            if not frozen and (what == "COMMIT" or arguments[1].startswith(what)):
                frozen = True
                hurry(connection)
                stack.enter_context(server.frozen())

        event.listen(log.engine, name, freeze)
        yield
        assert frozen
    event.remove(log.engine, name, freeze)


@pytest.mark.parametrize("moment", ["SELECT log_head", "INSERT", "COMMIT"])
def test_at_whatever_moment_it_stops_the_append_ends_and_can_be_given_again(
    postgres_server: PostgresServer, log: DecisionLog, moment: str
) -> None:
    with frozen_before(postgres_server, log, moment), pytest.raises(StoreError, match=NO_ANSWER):
        log.append(decisions(500, 4))
    # The server goes on with what it had been sent, and holds the head until it notices that nobody listens.
    assert log.append(decisions(500, 4)).stored in ({0, 500} if moment == "COMMIT" else {500})
    assert verify(log).broken == 0
    assert candidates(log) == ids(decisions(503))


def test_many_slow_statements_have_no_more_time_than_one(log: DecisionLog, postgres_url: str) -> None:
    hasty = DecisionLog(postgres_url, KEY, timeout=0.6)

    @event.listens_for(hasty.engine, "before_cursor_execute")
    def slow(_: Connection, cursor: Any, *__: Any) -> None:
        cursor.execute("SELECT pg_sleep(0.25)")

    with pytest.raises(StoreError, match=NO_ANSWER):
        hasty.append(decisions(3, 4))
    hasty.close()
    assert log.append(decisions(3, 4)).stored == 3


def outcome_is_taken(database: Engine) -> bool:
    given = [Outcome(decision(1).decision_id, True, "label")]
    try:
        record_outcomes(database, given, now=datetime.now(UTC), skew=timedelta(days=1))
    except StoreUnavailableError:
        return False
    return True


def test_all_who_wait_for_a_connection_are_told_that_there_is_none(
    postgres_server: PostgresServer, postgres_url: str, log: DecisionLog
) -> None:
    database = open_database(postgres_url, timeout=0.3)
    wait_until(lambda: outcome_is_taken(database))
    taken: list[bool] = []
    threads = [  # more than the pool has connections
        threading.Thread(target=lambda: taken.append(outcome_is_taken(database))) for _ in range(20)
    ]
    with postgres_server.frozen():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert taken == [False] * 20
    wait_until(lambda: outcome_is_taken(database))
    database.dispose()


def test_a_question_that_is_under_way_ends(
    postgres_server: PostgresServer, postgres_url: str, log: DecisionLog
) -> None:
    database = open_database(postgres_url)

    def ask() -> None:
        with reading(database) as connection:
            streaming = connection.execution_options(yield_per=1)
            with streaming.execute(text("SELECT sequence FROM decisions")) as rows:
                next(iter(rows))
                hurry(connection)
                with postgres_server.frozen():
                    list(rows)

    with pytest.raises(StoreUnavailableError):
        ask()
    with reading(database) as connection:
        assert connection.execute(text("SELECT count(*) FROM decisions")).scalar_one() == 3
        inner: Any = connection.connection.dbapi_connection
        assert inner.longest_wait == 70  # seven times the time limit
    database.dispose()


def test_the_server_gives_up_what_nobody_waits_for(postgres_url: str) -> None:
    database = open_database(postgres_url, timeout=20.0)
    with database.connect() as connection, pytest.raises(OperationalError), at_most(0.3):
        connection.execute(text("SELECT pg_sleep(3600)"))
    running = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(3600)%'")

    def none_runs() -> bool:
        with database.connect() as connection:
            return not connection.execute(running).scalar_one()

    wait_until(none_runs)
    database.dispose()
