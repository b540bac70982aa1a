"""What the store does beside writing: reach for the database again, watch its file, purge what is too old."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

from service.core.errors import ClockAheadError, ConfigurationError, DatabaseLostError, StoreError
from service.store.log import DecisionLog
from service.store.recovery import open_and_recover
from service.store.retention import purge
from service.store.sqlite import check_room
from service.store.writer import StoreObserver, Writer

log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
_WATCH_SECONDS = 1.0
_RESCUE_SECONDS = 30.0
_PURGE_SECONDS = 3_600.0
_EVEN = timedelta(hours=1)


class EvenClock:
    """Since when this machine's clock has run as evenly as the one that nobody can set."""

    def __init__(self) -> None:
        self._begin()

    def since(self) -> datetime:
        """Begins anew when the clock was set by more than an hour."""
        ran = timedelta(seconds=time.monotonic() - self._monotonic)
        if abs(datetime.now(UTC) - self._since - ran) > _EVEN:
            self._begin()
        return self._since

    def _begin(self) -> None:
        self._since, self._monotonic = datetime.now(UTC), time.monotonic()


class Keeper:
    """A thread of its own, so that a database that does not answer holds up nobody who writes to disk."""

    def __init__(self, decision_log: DecisionLog, retention: timedelta, observer: StoreObserver) -> None:
        self._log = decision_log
        self._retention = retention
        self._observer = observer
        self._clock = EvenClock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._complaint = self._doubt = ""
        self._rescue_at = 0.0
        self._thread: threading.Thread | None = None

    def start(self, writer: Writer) -> None:
        self._thread = threading.Thread(target=self._run, args=(writer,), name="store-keeper", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """The database was lost just now."""
        self._wake.set()

    def stop(self, timeout: float) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self, writer: Writer) -> None:
        purge_at = time.monotonic()
        while not self._stopping.is_set():
            if self._watch(writer) and not writer.connected:
                self._reach(writer)
            if writer.connected and time.monotonic() >= purge_at:
                self._purge()
                purge_at = time.monotonic() + _PURGE_SECONDS
            if self._stopping.is_set():
                return
            self._wake.wait(_WATCH_SECONDS if writer.connected else _RETRY_SECONDS)
            self._wake.clear()

    def _watch(self, writer: Writer) -> bool:
        """Whether the file is still there and sound, as far as anybody knows."""
        try:
            self._log.check()
        except StoreError as error:
            if writer.connected:
                writer.database_is_lost()
                self._observer.store_failed()
            if isinstance(error, DatabaseLostError):
                self._observer.store_lost()
                self._rescue()
            return False
        return True

    def _rescue(self) -> None:
        if time.monotonic() < self._rescue_at:
            return
        try:
            self._log.rescue()
        except StoreError as error:
            self._complain(error.message)
        self._rescue_at = time.monotonic() + _RESCUE_SECONDS

    def _complain(self, message: str) -> None:
        """Once, not every second."""
        if message != self._complaint:
            log.error("%s", message)
        self._complaint = message

    def _reach(self, writer: Writer) -> None:
        try:
            open_and_recover(self._log)
            check_room(self._log.engine)
        except (StoreError, ConfigurationError) as error:
            self._log.disconnect()
            self._complain(f"the decision log is out of reach: {error.message}")
            return
        self._complaint = ""
        log.info("the decision log is in reach")
        writer.database_is_back()

    def _purge(self) -> None:
        try:
            purged = purge(self._log, self._retention, even_since=self._clock.since())
        except ClockAheadError as error:
            if error.message != self._doubt:
                log.warning("%s", error.message)
            self._doubt = error.message
            return
        except (StoreError, ConfigurationError) as error:
            log.error("old decisions could not be purged: %s", error.message)
            return
        if purged.rows:
            log.info("purged %d decisions older than %d days", purged.rows, self._retention.days)
