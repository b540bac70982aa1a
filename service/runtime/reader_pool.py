"""Processes that read long texts, so that no text can hold the interpreter's lock of the service.

A short text is read in the caller's thread. A long one goes through a pipe to a worker (`text_worker`), which
has so much CPU time for each thousand characters; the kernel ends it if that is not enough, and the text is
refused. CPU time and not the clock: a busy machine refuses nobody (docs/adr/0015-bounded-text.md).
"""

from __future__ import annotations

import logging
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import service
from service.core.documents import longest_normalised
from service.core.errors import (
    CallerGoneError,
    EvenmatchError,
    ReaderDownError,
    ShuttingDownError,
    UnreadableTextError,
)
from service.core.redaction.given import GivenSpan
from service.core.redaction.policy import Category
from service.core.text_reader import Cancelled, InProcessReader, ReadText, never
from service.runtime.reader_process import HEADER, Bug, Reply, Task, packed

log = logging.getLogger(__name__)

LONG_TEXT = 8_192
"""Characters above which a text is read in a process of its own, counted as they may become when it is
normalised. Hardly any resume is as long."""

_TICK_SECONDS = 0.1
"""How often a caller who waits asks whether it still needs to, and whether the worker still works."""

_CHUNK = 1 << 16
_TRIES = 2
"""Workers that may die of a text by something else than its budget, before the caller is told so."""

_STOP_SECONDS = 2.0
_RUN = """import sys
sys.path.insert(0, sys.argv[1])
from service.runtime.reader_process import main
main(sys.argv[2])"""


@dataclass(frozen=True, slots=True)
class CpuBudget:
    """User and system time for one text, in milliseconds. Redaction takes 1 to 2 ms for 1,000 characters."""

    base: float = 1_000.0
    per_thousand_characters: float = 25.0

    def milliseconds(self, characters: int) -> int:
        return round(self.base + self.per_thousand_characters * characters / 1_000)


ENTITIES_BUDGET = CpuBudget(base=2_000.0, per_thousand_characters=250.0)
"""With a named-entity model, which reads every text several times."""


class _DiedError(Exception):
    """The worker ended. `status` is what `Popen.returncode` says: negative for a signal."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _ReaderProcess:
    """One process. Used by one thread at a time."""

    def __init__(self, entities: str, stall_seconds: float) -> None:
        self._stall_seconds = stall_seconds
        # `subprocess` starts a fresh interpreter and closes everything else that the parent has open.
        # The settings, secrets among them, are none of the worker's business.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("EVENMATCH_")}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _RUN, str(Path(service.__file__).parents[1]), entities],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=kept,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        os.set_blocking(self._in.fileno(), False)
        os.set_blocking(self._out.fileno(), False)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self, cancelled: Cancelled) -> None:
        """Raises `_DiedError`, and what kept the worker from loading what it needs."""
        error = self._receive(memoryview(b""), cancelled)
        if isinstance(error, EvenmatchError):
            raise error

    def ask(self, task: Task, cancelled: Cancelled) -> Reply:
        """Raises `_DiedError` or `CallerGoneError`; after either the worker is of no more use."""
        return self._receive(memoryview(packed(task)), cancelled)  # type: ignore[return-value]

    def kill(self) -> None:
        self._process.kill()

    def end(self, *, patience: float = 0.0) -> None:
        """Wait for the end for `patience` seconds if the worker is idle, then kill."""
        self._in.close()  # an idle worker ends by itself
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()

    def _receive(self, unsent: memoryview, cancelled: Cancelled) -> object:
        """Send what is to be sent while a whole message comes back."""
        received = bytearray()
        watch = _Progress(self.pid, self._stall_seconds)
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        if unsent:
            poll.register(self._in, select.POLLOUT)
        while len(received) < HEADER.size or len(received) < HEADER.size + HEADER.unpack_from(received)[0]:
            events = dict(poll.poll(_TICK_SECONDS * 1_000))
            if events.get(self._in.fileno()):
                try:
                    unsent = unsent[os.write(self._in.fileno(), unsent[:_CHUNK]) :]
                except BrokenPipeError:
                    raise self._death() from None
                if not unsent:
                    poll.unregister(self._in)
            if events.get(self._out.fileno()):
                part = os.read(self._out.fileno(), _CHUNK)
                if not part:
                    raise self._death()
                received += part
            if not events:
                if cancelled():
                    raise CallerGoneError("the caller has gone")
                if watch.stands_still():
                    log.error("process %d, which reads long texts, stands still and is killed", self.pid)
                    self.kill()
        # What our own worker packed.
        return pickle.loads(memoryview(received)[HEADER.size :])

    def _death(self) -> _DiedError:
        return _DiedError(self._process.wait())


class _Progress:
    """Whether a process has used no CPU time for `seconds`: it is stopped, or waits for what never comes."""

    def __init__(self, pid: int, seconds: float) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._seconds = seconds
        self._used = ""
        self._since = time.monotonic()

    def stands_still(self) -> bool:
        used = self._cpu_time()
        if used != self._used:
            self._used, self._since = used, time.monotonic()
        return time.monotonic() - self._since > self._seconds

    def _cpu_time(self) -> str:
        """User and system time in ticks, as written; always the same where the system does not say."""
        try:
            return " ".join(self._stat.read_text().rpartition(")")[2].split()[11:13])
        except OSError:
            return ""


def is_long(text: str) -> bool:
    """Whether a text is read in a process of its own."""
    return len(text) > LONG_TEXT or longest_normalised(text) > LONG_TEXT


class ReaderPool:
    """`size` workers, each started when it is first needed. Texts are served in the order in which they come.

    `entities`: the spaCy model that workers find names by beside the rules. `stall_seconds`: time without any
    CPU time used after which a worker is taken for hanging. Thread-safe.
    """

    def __init__(
        self,
        *,
        entities: str | None = None,
        size: int = 1,
        budget: CpuBudget | None = None,
        stall_seconds: float = 120.0,
    ) -> None:
        self._entities = entities or ""
        self._budget = budget or (ENTITIES_BUDGET if entities else CpuBudget())
        self._stall_seconds = stall_seconds
        self._changed = threading.Condition()
        self._places: list[_ReaderProcess | None] = [None] * size  # free; None: not started yet
        self._workers: set[_ReaderProcess] = set()
        self._waiting: deque[object] = deque()
        self._is_stopped = False

    @property
    def pids(self) -> list[int]:
        """The processes that live."""
        with self._changed:
            return [worker.pid for worker in self._workers if worker.is_alive]

    def warm_up(self) -> None:
        """Start a worker and wait until it can read.

        Raises `ReaderDownError` if no process starts, `ConfigurationError` without the named-entity model.
        """
        place = self._take(never)
        kept = None
        try:
            kept = self._living(place, never)
        except _DiedError as error:
            raise _down(error.status) from None
        finally:
            self._give_back(kept)

    def read(
        self,
        text: str,
        *,
        field: str,
        max_characters: int,
        categories: Collection[Category] | None,
        size: int,
        given: Sequence[GivenSpan] = (),
        cancelled: Cancelled = never,
    ) -> ReadText:
        """Have a worker read `text`. `size`: characters that the budget is for.

        Raises `UnreadableTextError` if that takes more CPU time than the budget, `CallerGoneError` if
        `cancelled` says so, `ReaderDownError` if workers die or cannot be started, and what reading raises.
        """
        budget = self._budget.milliseconds(size)
        task = Task(
            text,
            field,
            max_characters,
            None if categories is None else frozenset(categories),
            tuple(given),
            budget / 1_000,
        )
        for attempt in range(1, _TRIES + 1):
            try:
                reply = self._ask_in_turn(task, cancelled)
            except _DiedError as error:
                if error.status == -signal.SIGPROF:
                    log.warning(
                        "a text of %d characters is refused: reading it took more than %d ms of CPU time",
                        len(text),
                        budget,
                    )
                    raise UnreadableTextError(
                        f"{field} cannot be read: it took more than {budget:,} ms of CPU time, "
                        f"which is what a text of {size:,} characters may take",
                        field=field,
                        limit=budget,
                        actual=budget,
                    ) from None
                if attempt == _TRIES:
                    raise _down(error.status) from None
            else:
                break
        if isinstance(reply, Bug):
            raise RuntimeError(f"reading a long text raised {reply.kind}")
        if isinstance(reply, EvenmatchError):
            raise reply
        return reply

    def stop(self) -> None:
        """End the workers, those at work too, and read no more."""
        with self._changed:
            self._is_stopped = True
            idle = [worker for worker in self._places if worker is not None]
            busy = self._workers.difference(idle)
            self._workers.clear()
            self._places.clear()
            self._changed.notify_all()
        for worker in busy:
            worker.kill()  # its user sees that, and ends it
        for worker in idle:
            worker.end(patience=_STOP_SECONDS)

    def _ask_in_turn(self, task: Task, cancelled: Cancelled) -> Reply:
        place = self._take(cancelled)
        try:
            return self._ask(task, place, cancelled)
        except _DiedError:
            if self._is_stopped:
                raise _stopped() from None
            raise

    def _ask(self, task: Task, place: _ReaderProcess | None, cancelled: Cancelled) -> Reply:
        kept = None
        try:
            worker = self._living(place, cancelled)
            try:
                reply = worker.ask(task, cancelled)
            except BaseException:
                self._bury(worker)
                raise
            kept = worker
            return reply
        finally:
            self._give_back(kept)

    def _take(self, cancelled: Cancelled) -> _ReaderProcess | None:
        """A free place, once nobody came earlier. Raises `CallerGoneError` or `ShuttingDownError`."""
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while not self._is_stopped and not (self._places and self._waiting[0] is ticket):
                    if cancelled():
                        raise CallerGoneError("the caller has gone")
                    self._changed.wait(_TICK_SECONDS)
                if self._is_stopped:
                    raise _stopped()
                return self._places.pop()
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _give_back(self, worker: _ReaderProcess | None) -> None:
        with self._changed:
            if not self._is_stopped:
                self._places.append(worker)
                self._changed.notify_all()
                return
        if worker is not None:
            worker.end()

    def _living(self, worker: _ReaderProcess | None, cancelled: Cancelled) -> _ReaderProcess:
        """The worker of a place, or a new one where there is none or it has died."""
        if worker is not None:
            if worker.is_alive:
                return worker
            log.warning("the process that reads long texts has died and is replaced")
            self._bury(worker)
        try:
            started = _ReaderProcess(self._entities, self._stall_seconds)
        except OSError as error:
            raise ReaderDownError(
                f"the process that reads long texts cannot be started: {error.strerror}", retry_after=5
            ) from None
        with self._changed:
            self._workers.add(started)
        try:
            started.wait_until_ready(cancelled)
        except BaseException:
            self._bury(started)
            raise
        return started

    def _bury(self, worker: _ReaderProcess) -> None:
        with self._changed:
            self._workers.discard(worker)
        worker.end()


class PooledReader:
    """A `TextReader`: short texts by `short`, here; long ones, and what may become long, by `pool`."""

    def __init__(self, short: InProcessReader, pool: ReaderPool) -> None:
        self._short = short
        self._pool = pool

    def read(
        self,
        text: str,
        *,
        field: str,
        max_characters: int,
        categories: Collection[Category] | None,
        given: Sequence[GivenSpan] = (),
        cancelled: Cancelled = never,
    ) -> ReadText:
        if len(text) > max_characters or not is_long(text):  # one that is too long is refused at once
            return self._short.read(
                text, field=field, max_characters=max_characters, categories=categories, given=given
            )
        return self._pool.read(
            text,
            field=field,
            max_characters=max_characters,
            categories=categories,
            size=longest_normalised(text),
            given=given,
            cancelled=cancelled,
        )


def _down(status: int) -> ReaderDownError:
    return ReaderDownError(
        f"the process that reads long texts ended unexpectedly (status {status})", retry_after=5
    )


def _stopped() -> ShuttingDownError:
    return ShuttingDownError("the service is shutting down and reads no more texts")
