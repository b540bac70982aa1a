"""What is done once before the service says that it is ready, and done again until it succeeds."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from service.core.errors import EvenmatchError, WarmingUpError
from service.core.once import is_passing, reason_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """`name`: what it makes ready, as in "the language model". `run` is called again if it raised."""

    name: str
    run: Callable[[], object]


class WarmUp:
    """Steps in their order, in a thread. A step that fails is logged and tried again; the others go on.

    `first_pause`, `last_pause`: seconds between two rounds, doubled from the one to the other.
    """

    def __init__(self, *, first_pause: float = 0.5, last_pause: float = 5.0) -> None:
        self._first_pause = first_pause
        self._last_pause = last_pause
        self._steps: list[Step] = []  # those that have not succeeded yet
        self._reasons: dict[str, str] = {}
        self._lock = threading.Lock()
        self._is_done = False
        self._when_done: list[Callable[[], object]] = []
        self._tried = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="warm-up", daemon=True)

    def add(self, name: str, run: Callable[[], object]) -> None:
        """Add a step behind the others. Before `start`."""
        self._steps.append(Step(name, run))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin no step any more. One that runs is not waited for."""
        self._stopping.set()
        self._tried.set()

    @property
    def is_done(self) -> bool:
        return self._is_done

    def wait_for_first_round(self, timeout: float) -> None:
        """Wait until every step was tried once, for `timeout` seconds at most."""
        self._tried.wait(timeout)

    def when_done(self, call: Callable[[], object]) -> None:
        """Call `call` when all is done: at once if it is, else later in the warm-up's thread."""
        with self._lock:
            if not self._is_done:
                self._when_done.append(call)
                return
        call()

    def check(self) -> None:
        """Raise `WarmingUpError`, which names what is missing and why, unless all is done."""
        if self._is_done:
            return
        missing = []
        for step in self._steps:
            reason = self._reasons.get(step.name)
            missing.append(step.name if reason is None else f"{step.name} (failed, is tried again: {reason})")
        waits_for = f": it waits for {', '.join(missing)}" if missing else ""
        raise WarmingUpError(f"the service is warming up{waits_for}")

    def _run(self) -> None:
        started = time.monotonic()
        pause = self._first_pause
        while not self._stopping.is_set():
            for step in self._steps:
                if not self._stopping.is_set() and self._succeeds(step):
                    self._steps = [other for other in self._steps if other is not step]
            if not self._steps:
                self._finish(time.monotonic() - started)
                return
            self._tried.set()
            self._stopping.wait(pause)
            pause = min(2 * pause, self._last_pause)

    def _succeeds(self, step: Step) -> bool:
        try:
            step.run()
        except Exception as error:  # said here and by readiness until the step succeeds
            reason = error.message if isinstance(error, EvenmatchError) else reason_of(error)
            if reason != self._reasons.get(step.name):  # a lasting one is said once
                known = isinstance(error, EvenmatchError) or is_passing(error)
                frames = "" if known else "\n" + "".join(traceback.format_tb(error.__traceback__))
                log.error("warm-up: %s failed and is tried again: %s%s", step.name, reason, frames)
            self._reasons[step.name] = reason
            return False
        return True

    def _finish(self, seconds: float) -> None:
        log.info("warmed up in %.1f s", seconds)
        with self._lock:
            self._is_done = True
            waiting, self._when_done = self._when_done, []
        self._tried.set()
        for call in waiting:
            call()
