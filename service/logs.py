"""How every process of the service logs: to stderr, as text or JSON, without content of requests.

What may quote a request never gets here: of an exception, whoever meets it, there is where it was raised and
its kind; of a warning its category and place. Libraries log from `info` on, whatever the level: what they say
at `debug` is theirs to choose.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

from service.core.printable import printable

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 60.0

_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


LogFormat = Literal["text", "json"]

_OWN = "service"
"""The logger above all of ours."""


def _without_message(kind: type[BaseException] | None, frames: TracebackType | None) -> str:
    """Where it was raised and of what kind. Its message may quote a row, a request or a password."""
    return "".join((*traceback.format_tb(frames), kind.__name__ if kind else ""))


class _Lines(logging.Formatter):
    """Names of files and bundles are in the log, and the log may be read in a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))

    def formatException(self, ei: _ExceptionInfo) -> str:  # logging's own name
        kind, _, frames = ei
        return _without_message(kind, frames)


class _Objects(logging.Formatter):
    """One JSON object a line: `time` (UTC), `level`, `logger`, `process`, `message`, fields of its own."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            kind, _, frames = record.exc_info
            said["exception"] = _without_message(kind, frames)
        return json.dumps(said, separators=(",", ":"))  # ASCII: nothing in it can move a terminal's cursor


class _Stderr(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # logging's own name
        """Python's own prints the arguments of a record that cannot be formatted or written."""
        kind = sys.exc_info()[0]
        if sys.stderr is not None and kind is not None and not issubclass(kind, OSError):
            sys.stderr.write(f"a line of {record.name} could not be logged: {kind.__name__}\n")


def fields(**values: str | float | None) -> Mapping[str, Mapping[str, object]]:
    """`extra` of a record that has fields of its own in JSON. Those that are None are left out."""
    return {"fields": {name: value for name, value in values.items() if value is not None}}


def log_to_stderr(level: str, format: LogFormat = "text") -> None:
    """Log what is of `level` and above; and whatever would print an exception or a warning logs it, too."""
    handler = _Stderr()
    lines = _Lines("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(_Objects() if format == "json" else lines)
    least = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(least, logging.INFO), handlers=[handler], force=True)
    logging.getLogger(_OWN).setLevel(least)
    threading.excepthook = _log_death
    sys.excepthook = _log_end
    sys.unraisablehook = _log_unraisable
    warnings.showwarning = _log_warning


def log_task_failure(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For `set_exception_handler` of a loop: its own prints the exception, and arguments of callbacks."""
    error = context.get("exception")
    what = str(context.get("message", "an error of the event loop")).partition("(")[0]
    log.error("%s: %s", what, _frames_of(error) if isinstance(error, BaseException) else "no exception")


def _frames_of(error: BaseException) -> str:
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"


def _log_end(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, frames)
        return
    log.critical("the process ends by %s", _frames_of(error))


def _log_unraisable(failed: sys.UnraisableHookArgs) -> None:
    if failed.exc_value is not None:
        log.error("an error that nobody could be told of: %s", _frames_of(failed.exc_value))


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """The message may quote a value: pydantic's do."""
    log.warning("%s at %s:%d", category.__name__, filename, lineno)


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


class LinesPerMinute:
    """Lets `most` lines be written a minute; how many were not is said before the first of a later one."""

    def __init__(
        self, logger: logging.Logger, most: int, what: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`what`: whose lines they are, in the plural."""
        self._logger = logger
        self._most = most
        self._what = what
        self._clock = clock
        self._began = clock()
        self._lines = 0

    def take(self) -> bool:
        """Whether a line may be written now; it is counted either way."""
        now = self._clock()
        if now - self._began >= _PAUSE_SECONDS:
            if self._lines > self._most:
                self._logger.warning("%s: %d more had no line", self._what, self._lines - self._most)
            self._began, self._lines = now, 0
        self._lines += 1
        return self._lines <= self._most
