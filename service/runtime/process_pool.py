"""Worker processes, since no task may hold the interpreter's lock of the service.

Each runs a module of its own (`worker_process.serve`). The kernel ends a worker whose task takes more CPU
time than it may; CPU time and not the clock, so that a busy machine refuses nobody
(docs/adr/0015-bounded-text.md). A worker that uses no CPU time at all for a while is taken for hanging.
Either way, the next task gets a new worker.
"""

from __future__ import annotations

import logging
import os
import pickle  # nosec B403
import select
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

import service
from service.core.errors import CallerGoneError, EvenmatchError, ReaderDownError, ShuttingDownError
from service.core.text_reader import Cancelled, never
from service.runtime.worker_process import HEADER, Bug, Task, packed

log = logging.getLogger(__name__)

TaskT = TypeVar("TaskT", bound=Task)
ReplyT = TypeVar("ReplyT")

_TICK_SECONDS = 0.1
"""How often a caller who waits asks whether it still needs to, and whether the worker still works."""

_CHUNK = 1 << 16
_STOP_SECONDS = 2.0
_RUN = """import sys, importlib
sys.path.insert(0, sys.argv[1])
importlib.import_module(sys.argv[2]).main(*sys.argv[3:])"""


class WorkerDiedError(Exception):
    """The worker ended. `status` is what `Popen.returncode` says: negative for a signal."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class WorkerProcess:
    """One process. Used by one thread at a time."""

    def __init__(self, module: str, arguments: Sequence[str], purpose: str, stall_seconds: float) -> None:
        self._purpose = purpose
        self._stall_seconds = stall_seconds
        # `subprocess` starts a fresh interpreter and closes everything else that the parent has open.
        # The settings, secrets among them, are none of the worker's business.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("EVENMATCH_")}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _RUN, str(Path(service.__file__).parents[1]), module, *arguments],
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
        """Raises `WorkerDiedError`, and what kept the worker from loading what it needs."""
        error = self._receive(memoryview(b""), cancelled)
        if isinstance(error, EvenmatchError):
            raise error

    def ask(self, task: Task, cancelled: Cancelled) -> object:
        """Raises `WorkerDiedError` or `CallerGoneError`; after either the worker is of no more use."""
        return self._receive(memoryview(packed(task)), cancelled)

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
                    log.error("process %d, which %s, stands still and is killed", self.pid, self._purpose)
                    self.kill()
        # What our own worker packed.
        return pickle.loads(memoryview(received)[HEADER.size :])  # nosec B301

    def _death(self) -> WorkerDiedError:
        return WorkerDiedError(self._process.wait())


class _Progress:
    """Whether a process and its children have used no CPU time for `seconds`: stopped, or waiting in vain."""

    def __init__(self, pid: int, seconds: float) -> None:
        self._process = Path(f"/proc/{pid}")
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
            children = (self._process / f"task/{self._process.name}/children").read_text().split()
        except OSError:
            children = []
        return " ".join(map(_ticks, [self._process, *(Path(f"/proc/{child}") for child in children)]))


def _ticks(process: Path) -> str:
    try:
        return " ".join((process / "stat").read_text().rpartition(")")[2].split()[11:13])
    except OSError:
        return ""


class ProcessPool(Generic[TaskT, ReplyT]):
    """`size` workers, each started when it is first needed. Tasks are done in the order in which they come.

    `module` and `arguments`: whose `main` a worker runs, and with what. `purpose` says what it does, as in
    "reads long texts". `stall_seconds`: time without any CPU time used after which a worker is taken for
    hanging. Thread-safe.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str] = (),
        *,
        purpose: str,
        size: int = 1,
        stall_seconds: float = 120.0,
    ) -> None:
        self._module = module
        self._arguments = tuple(arguments)
        self._purpose = purpose
        self._stall_seconds = stall_seconds
        self._changed = threading.Condition()
        self._places: list[WorkerProcess | None] = [None] * size  # free; None: not started yet
        self._workers: set[WorkerProcess] = set()
        self._waiting: deque[object] = deque()
        self._is_stopped = False

    @property
    def pids(self) -> list[int]:
        """The processes that live."""
        with self._changed:
            return [worker.pid for worker in self._workers if worker.is_alive]

    def warm_up(self) -> None:
        """Start a worker and wait until it is ready.

        Raises `ReaderDownError` if no process starts, and what keeps a worker from getting ready.
        """
        place = self._take(never)
        kept = None
        try:
            kept = self._living(place, never)
        except WorkerDiedError as error:
            raise self.down(error.status) from None
        finally:
            self._give_back(kept)

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

    def ask(self, task: TaskT, cancelled: Cancelled = never) -> ReplyT | EvenmatchError | Bug:
        """What a worker made of `task`, or what it raised.

        Raises `WorkerDiedError` if the worker ended over it, `CallerGoneError` if `cancelled` says so,
        `ReaderDownError` if no worker can be started, `ShuttingDownError` after `stop`.
        """
        place = self._take(cancelled)
        try:
            return self._ask(task, place, cancelled)  # type: ignore[return-value]
        except WorkerDiedError:
            if self._is_stopped:
                raise self._stopped() from None
            raise

    def _ask(self, task: TaskT, place: WorkerProcess | None, cancelled: Cancelled) -> object:
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

    def _take(self, cancelled: Cancelled) -> WorkerProcess | None:
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
                    raise self._stopped()
                return self._places.pop()
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _give_back(self, worker: WorkerProcess | None) -> None:
        with self._changed:
            if not self._is_stopped:
                self._places.append(worker)
                self._changed.notify_all()
                return
        if worker is not None:
            worker.end()

    def _living(self, worker: WorkerProcess | None, cancelled: Cancelled) -> WorkerProcess:
        """The worker of a place, or a new one where there is none or it has died."""
        if worker is not None:
            if worker.is_alive:
                return worker
            log.warning("the process that %s has died and is replaced", self._purpose)
            self._bury(worker)
        try:
            started = WorkerProcess(self._module, self._arguments, self._purpose, self._stall_seconds)
        except OSError as error:
            raise ReaderDownError(
                f"the process that {self._purpose} cannot be started: {error.strerror}", retry_after=5
            ) from None
        with self._changed:
            self._workers.add(started)
        try:
            started.wait_until_ready(cancelled)
        except BaseException:
            self._bury(started)
            raise
        return started

    def _bury(self, worker: WorkerProcess) -> None:
        with self._changed:
            self._workers.discard(worker)
        worker.end()

    def down(self, status: int) -> ReaderDownError:
        """What to raise when a worker ended for no reason that lies in its task."""
        return ReaderDownError(
            f"the process that {self._purpose} ended unexpectedly (status {status})", retry_after=5
        )

    def _stopped(self) -> ShuttingDownError:
        return ShuttingDownError("the service is shutting down and reads no more texts")
