"""PostgreSQL: connections that never wait forever, and the limits that the server is told.

Needs the extra `postgres`: import this module only when it is used.

The kernel of a server whose processes are frozen (paused, suspended, stuck on their storage) goes on
acknowledging what is sent, so neither a time limit of TCP nor one that the server keeps ends every wait.
The client has to keep the time itself.

A pooler (PgBouncer in transaction mode) may give every transaction another connection to the server, so
nothing here outlives its transaction: no prepared statement, and limits are set in each anew.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from service.core.errors import ConfigurationError
from service.store.transactions import LIMIT_OPTION, at_most, seconds_left

_STATEMENT_LIMITS = 6
"""Time limits that one statement may take: a report reads more than a decision writes."""

_TICK_SECONDS = 0.1
"""How often a wait checks whether its time is up."""

_LEAST_CONNECT_SECONDS = 2
"""libpq raises a shorter limit to this."""


_REASONS = {
    "password": "the password is missing or refused",
    "translate host name": "the host's name is unknown",
    "resolve host": "the host's name is unknown",
    "Connection refused": "nobody listens there",
    "No such file": "nobody listens there",
    "no route": "the network does not lead there",
    "unreachable": "the network does not lead there",
    "timeout expired": "it did not answer in time",
    "certificate": "the certificate is refused",
    "SSL": "SSL is refused by one of both",
    "pg_hba.conf": "the server lets nobody in from here under this name",
    "does not exist": "there is no such database or user",
    "no such database": "there is no such database or user",
    "too many": "it has no connection left",
    "no more connections": "it has no connection left",
    "starting up": "it starts",
    "shutting down": "it stops",
    "server login": "the pooler cannot reach the server",
}
"""What the driver says when it cannot connect, and what of it is told: it names hosts and users."""


class NoAnswerError(psycopg.OperationalError):
    """The server did not answer in time, and the connection was closed."""


class NoConnectionError(psycopg.OperationalError):
    """There is no connection. `told`: why, in words that name no host and no user."""

    def __init__(self, told: str) -> None:
        super().__init__(told)
        self.told = told


class LimitedConnection(psycopg.Connection[tuple[Any, ...]]):
    """A wait ends after `longest_wait` seconds, or when the thread's time is up, with `NoAnswerError`.

    The connection is then closed in a way that cannot block; kept open, it could get the late answer as that
    of the next statement. What the server was doing may be done or not; a commit may have happened.
    """

    longest_wait: float
    server_watches: bool
    """Whether the server can be told to give up a statement whose client is gone, as ours is when its time is
    up."""

    def __del__(self) -> None:  # type: ignore[override]  # psycopg declares a parameter for its own use
        # A pool that was disposed of drops connections that come back to it later: psycopg would warn of a
        # leak.
        if hasattr(self, "pgconn"):
            self.close()

    def wait(self, gen: PQGen[Any], interval: float = _TICK_SECONDS, timeout: float | None = None) -> Any:
        # psycopg waits here for whatever a connection does: statements, commits, rollbacks.
        limits = {} if timeout is None else {"timeout": timeout}
        return super().wait(self._limited(gen), min(interval, _TICK_SECONDS), **limits)

    def _limited(self, gen: PQGen[Any]) -> PQGen[Any]:
        """The same steps; psycopg resumes it whenever the socket is ready, and every tick."""
        end = time.monotonic() + min(self.longest_wait, seconds_left())
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                # First see what arrived, then check the time: this thread may have got no turn for a while.
                wanted = gen.send(ready)
                if time.monotonic() >= end:
                    self.pgconn.finish()
                    raise NoAnswerError("the server did not answer in time")
        except StopIteration as done:
            return done.value


class LimitedPool(QueuePool):
    """Getting a connection that works, a new one if need be, has the pool's time limit."""

    # SQLAlchemy names its pools' loggers by this: their messages are not of this service's log.
    __module__ = QueuePool.__module__

    def connect(self) -> PoolProxiedConnection:
        """Raise `NoAnswerError` or another error of the driver if there is none."""
        with at_most(self.timeout()):
            return super().connect()


def open_postgresql(url: URL, timeout: float) -> Engine:
    """Connect lazily.

    `timeout`: seconds for getting a connection, and for a brief transaction (`transactions.brief`). One
    statement may take six times as long. A server that says nothing for seven times as long counts as gone.

    Raises `ConfigurationError` for an option in the URL that libpq does not know.
    """
    _check_options(url)
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"tcp_user_timeout": _milliseconds(timeout), "prepare_threshold": None},
        poolclass=LimitedPool,
        pool_pre_ping=True,
        pool_timeout=timeout,
        execution_options={LIMIT_OPTION: timeout},
        hide_parameters=True,
    )

    @event.listens_for(engine, "do_connect")
    def _connect_in_time(_: Any, __: Any, ___: Any, arguments: dict[str, Any]) -> Any:
        return _connect(arguments, timeout, (_STATEMENT_LIMITS + 1) * timeout)

    limits = {
        # Shorter than the client's own limit, so that the server's error says what it waited for.
        "lock_timeout": 0.8 * timeout,
        "statement_timeout": _STATEMENT_LIMITS * timeout,
        # A client that froze in a transaction, or whose machine is gone, must not hold the head for hours.
        "idle_in_transaction_session_timeout": _STATEMENT_LIMITS * timeout,
    }
    check = {"client_connection_check_interval": timeout / 10}
    # What compiling takes, questions of this size never give back: a quarter of a second for one of a tenth.
    without_check, with_check = (
        f"{_set_locally(one)}; SET LOCAL jit = off" for one in (limits, limits | check)
    )

    @event.listens_for(engine, "connect")
    def _ask_whether_it_watches(connection: LimitedConnection, _: Any) -> None:
        connection.server_watches = _is_taken(connection, _set_locally(check))

    @event.listens_for(engine, "begin")
    def _limit_waiting(connection: Connection) -> None:
        inner: Any = connection.connection.dbapi_connection
        connection.exec_driver_sql(with_check if inner.server_watches else without_check)

    return engine


def _check_options(url: URL) -> None:
    # Otherwise each connection would fail, and decisions wait in the spool for ever.
    for name in url.query:
        try:
            make_conninfo("", **{name: "0"})
        except psycopg.ProgrammingError:
            raise ConfigurationError(
                f"database_url has an option that PostgreSQL's library does not know: {name}",
                field="database_url",
            ) from None


def _connect(arguments: dict[str, Any], timeout: float, longest_wait: float) -> LimitedConnection:
    """Connect within `timeout` seconds or what is left of the thread's time.

    The hosts to be tried share that time: a frozen one leaves some to the next.
    """
    left = min(timeout, seconds_left())
    if not left:
        raise NoAnswerError("no time is left to connect")
    hosts = str(arguments.get("host", "")).count(",") + 1
    limit = max(_LEAST_CONNECT_SECONDS, int(left / hosts))
    try:
        connection = LimitedConnection.connect(**{**arguments, "connect_timeout": limit})
    except psycopg.OperationalError as error:
        raise NoConnectionError(_reason_of(str(error))) from None
    connection.longest_wait = longest_wait
    return connection


def _reason_of(said: str) -> str:
    found = (reason for words, reason in _REASONS.items() if words.lower() in said.lower())
    return next(found, "the driver gives no known reason")


def _set_locally(limits: Mapping[str, float]) -> str:
    """Statements that set limits, in seconds, until the transaction ends."""
    return "; ".join(f"SET LOCAL {name} = {_milliseconds(limit)}" for name, limit in limits.items())


def _is_taken(connection: LimitedConnection, statement: str) -> bool:
    """Whether the server knows what a statement sets. Nothing of it stays."""
    try:
        connection.execute(statement)
    except (
        psycopg.DataError,
        psycopg.ProgrammingError,
    ):  # PostgreSQL before 14, or a system that cannot know
        return False
    finally:
        connection.rollback()
    return True


def _milliseconds(seconds: float) -> int:
    return max(1, round(1000 * seconds))
