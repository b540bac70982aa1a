"""How every process of the service logs: to stderr, one line a record, without content of requests."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType

from service.core.printable import printable

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 60.0

_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Printable(logging.Formatter):
    """Names of files and bundles are in the log, and the log may be read in a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))

    def formatException(self, ei: _ExceptionInfo) -> str:  # logging's own name
        """Where it was raised and of what kind. Its message may quote a row, a request or a password."""
        kind, _, frames = ei
        return "".join((*traceback.format_tb(frames), kind.__name__ if kind else ""))


def log_to_stderr(level: str) -> None:
    """Log lines of `level` and above."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    threading.excepthook = _log_death


def _log_death(died: threading.ExceptHookArgs) -> None:
    """Of a thread, in the log's manner: Python's own prints the exception's message."""
    if died.exc_type is SystemExit:
        return
    name = died.thread.name if died.thread is not None else "?"
    log.critical(
        "the thread %s died of %s\n%s",
        name,
        died.exc_type.__name__,
        "".join(traceback.format_tb(died.exc_traceback)),
    )


class OncePerMinute:
    """Logs what may happen thousands of times a second: one line a minute and kind, with how often it was."""

    def __init__(self, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._said_at: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def warning(self, kind: str) -> None:
        """Log `kind` at once, or count it for the next line about it if one was written within a minute.

        Args:
            kind: What happened, one of a few fixed texts: each is remembered.
        """
        now = self._clock()
        said_at = self._said_at.get(kind)
        if said_at is not None and now - said_at < _PAUSE_SECONDS:
            self._unsaid[kind] = self._unsaid.get(kind, 0) + 1
            return
        unsaid = self._unsaid.pop(kind, 0)
        self._said_at[kind] = now
        self._logger.warning("%s%s", kind, f" ({unsaid:,} times more since the last line)" if unsaid else "")
