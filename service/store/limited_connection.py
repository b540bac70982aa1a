"""Connections to PostgreSQL that never wait forever. Needs the extra `postgres`: imported when it is used.

The kernel of a server whose processes are frozen (paused, suspended, stuck on their storage) goes on
acknowledging what is sent: neither a time limit of TCP nor one that the server keeps ever ends a wait.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg
from psycopg.abc import PQGen
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from service.store.time_limits import at_most, seconds_left

_TICK_SECONDS = 0.1
"""How often a wait looks whether its time is up."""

_LEAST_CONNECT_SECONDS = 2
"""What libpq makes of less."""


class NoAnswerError(psycopg.OperationalError):
    """The server did not answer in time, and the connection was closed."""


class LimitedConnection(psycopg.Connection[tuple[Any, ...]]):
    """A wait ends after `longest_wait` seconds, or when the thread's time is up, with `NoAnswerError`.

    The connection is then closed, by what cannot block: the server would answer to something else later. What
    it was doing goes on or not; a commit may have happened.
    """

    longest_wait: float

    def __del__(self) -> None:  # type: ignore[override]  # psycopg declares a parameter for its own use
        # A pool that was disposed of just drops what comes back to it later: psycopg would warn of a leak.
        if hasattr(self, "pgconn"):
            self.close()

    def wait(self, gen: PQGen[Any], interval: float = _TICK_SECONDS, timeout: float | None = None) -> Any:
        # All that a connection does once it is there waits here: statements, commits, a rollback.
        limits = {} if timeout is None else {"timeout": timeout}
        return super().wait(self._limited(gen), min(interval, _TICK_SECONDS), **limits)

    def _limited(self, gen: PQGen[Any]) -> PQGen[Any]:
        """The same steps; `wait` comes by whenever the socket is ready, and every tick."""
        end = time.monotonic() + min(self.longest_wait, seconds_left())
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                # Something may have arrived while this thread had no turn: it is looked at first.
                wanted = gen.send(ready)
                if time.monotonic() >= end:
                    self.pgconn.finish()
                    raise NoAnswerError("the server did not answer in time")
        except StopIteration as done:
            return done.value


def connect(arguments: dict[str, Any], timeout: float, longest_wait: float) -> LimitedConnection:
    """Connect within `timeout` seconds or what is left of the thread's time.

    The time is shared out to the hosts that are to be tried: one that is frozen leaves some to the next.
    """
    left = min(timeout, seconds_left())
    if not left:
        raise NoAnswerError("no time is left to connect")
    hosts = str(arguments.get("host", "")).count(",") + 1
    limit = max(_LEAST_CONNECT_SECONDS, int(left / hosts))
    connection = LimitedConnection.connect(**{**arguments, "connect_timeout": limit})
    connection.longest_wait = longest_wait
    return connection


class LimitedPool(QueuePool):
    """Getting a connection that works, a new one if need be, has the pool's time limit."""

    # SQLAlchemy names its pools' loggers by this: what they say of each connection is not this service's log.
    __module__ = QueuePool.__module__

    def connect(self) -> PoolProxiedConnection:
        """Raise `NoAnswerError` or another error of the driver if there is none."""
        with at_most(self.timeout()):
            return super().connect()
