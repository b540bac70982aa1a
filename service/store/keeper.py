"""What the store does beside writing: reach for a lost database again, and purge what is too old."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from service.core.errors import ConfigurationError, StoreError
from service.store.log import DecisionLog
from service.store.retention import purge
from service.store.sqlite import check_room
from service.store.writer import Writer

log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
_PURGE_SECONDS = 3_600.0


class Keeper:
    """A thread of its own, so that a database that does not answer holds up nobody who writes to disk."""

    def __init__(self, decision_log: DecisionLog, retention: timedelta) -> None:
        self._log = decision_log
        self._retention = retention
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._complaint = ""
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
            if not writer.connected:
                self._reach(writer)
            if writer.connected and time.monotonic() >= purge_at:
                self._purge()
                purge_at = time.monotonic() + _PURGE_SECONDS
            if self._stopping.is_set():
                return
            self._wake.wait(purge_at - time.monotonic() if writer.connected else _RETRY_SECONDS)
            self._wake.clear()

    def _reach(self, writer: Writer) -> None:
        try:
            self._log.open()
            check_room(self._log.engine)
        except (StoreError, ConfigurationError) as error:
            self._log.close()
            if error.message != self._complaint:
                log.error("the decision log is out of reach: %s", error.message)
            self._complaint = error.message
            return
        self._complaint = ""
        log.info("the decision log is in reach")
        writer.database_is_back()

    def _purge(self) -> None:
        try:
            purged = purge(self._log, self._retention)
        except (StoreError, ConfigurationError) as error:
            log.error("old decisions could not be purged: %s", error.message)
            return
        if purged.rows:
            log.info("purged %d decisions older than %d days", purged.rows, self._retention.days)
