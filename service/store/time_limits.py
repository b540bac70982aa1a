"""How long a thread waits for a database server, all its waits together."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

LIMIT_OPTION = "evenmatch_time_limit"
"""Execution option of an engine: seconds for a brief transaction, and for getting a connection."""

_thread = threading.local()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """What this thread asks of a server inside must be answered within `seconds`, all of it together.

    Connections to PostgreSQL keep to it (`limited_connection`). SQLite, which asks no server, has a limit for
    each wait for a lock. Of limits inside each other, the one that ends first holds.
    """
    before = _end()
    _thread.end = min(before, time.monotonic() + seconds)
    try:
        yield
    finally:
        _thread.end = before


@contextmanager
def brief(engine: Engine) -> Iterator[None]:
    """Inside is a transaction of a few statements: none of them may take the engine's whole time limit."""
    with at_most(engine.get_execution_options().get(LIMIT_OPTION, math.inf)):
        yield


def seconds_left() -> float:
    """How long this thread may still wait: infinite outside of `at_most`, 0 if the time is up."""
    return max(0.0, _end() - time.monotonic())


def _end() -> float:
    end: float = getattr(_thread, "end", math.inf)
    return end
