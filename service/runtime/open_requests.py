"""Requests that are being answered; background work runs only while there are none."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from service.core.errors import NoIdleTimeError, ShuttingDownError


class OpenRequests:
    """Counts open requests. Thread-safe."""

    def __init__(self) -> None:
        self._open = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def any(self) -> bool:
        """Whether a request is being answered."""
        return self._open > 0

    @contextmanager
    def request(self) -> Iterator[None]:
        """One request is being answered."""
        with self._changed:
            self._open += 1
        try:
            yield
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def wait_until_idle(self, until: float) -> None:
        """Block until no request is open.

        Raises `NoIdleTimeError` if that does not happen before the monotonic time `until`,
        `ShuttingDownError` after `close`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._open, max(0.0, until - time.monotonic()))
            if self._closed:
                raise ShuttingDownError("the service is shutting down and begins no background work")
            if self._open or time.monotonic() >= until:
                raise NoIdleTimeError("requests left no time for background work")

    def close(self) -> None:
        """Let no background work go on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
