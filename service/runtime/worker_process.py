"""The inside of a worker process: takes tasks from a pipe and sends back what was made of each.

Started by `service.runtime.process_pool`. Each task has a budget of CPU time that the kernel enforces:
`SIGPROF` at its default action ends the process even inside a C function that never comes back to Python.
What a task holds reaches no file, argument or log; no core is dumped.
"""

from __future__ import annotations

import os
import pickle  # nosec B403
import resource
import signal
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeVar

from service.core.errors import EvenmatchError

HEADER = struct.Struct("!Q")
"""Before each message: how many bytes it has."""


class Task(Protocol):
    """What a worker does once. `cpu_seconds`: user and system time together, above which the process ends."""

    @property
    def cpu_seconds(self) -> float: ...


T = TypeVar("T", bound=Task)


@dataclass(frozen=True, slots=True)
class Bug:
    """A task raised what it should not. Only the type: a message could quote a text."""

    kind: str


OUT_OF_MEMORY = Bug("MemoryError")


def packed(message: object) -> bytes:
    """A message as it goes through the pipe."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(data)) + data


def forbid_core_dumps() -> None:
    """Keep what this process and those that it starts have in memory out of any core file, for good.

    A limit of 0 is not held to where the system hands cores to a program (`core_pattern` with a bar); Linux
    gives up both at 1 byte, which is what it sets for such a program itself (fs/coredump.c).
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    limit = 1 if sys.platform == "linux" and most else 0
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))


def serve(prepare: Callable[[], Callable[[T], object]]) -> None:
    """Do tasks until the pipe ends, as it does with the parent.

    `prepare` loads what tasks need and returns what does one. An `EvenmatchError` of either goes back to
    the parent; after one of `prepare` the process ends. A task that runs out of memory is answered with a
    `Bug`, and then the process ends, since what it holds by then is of no more use.
    """
    forbid_core_dumps()
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # a terminal's Ctrl-C is for the parent, which ends this process
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPROF])
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints must not get among the replies
    try:
        do = prepare()
    except EvenmatchError as error:
        _send(replies, error)
        return
    _send(replies, None)
    while (header := requests.read(HEADER.size)) and len(header) == HEADER.size:
        # What the parent packed: nobody else can write into this pipe.
        task = pickle.loads(requests.read(HEADER.unpack(header)[0]))  # nosec B301
        reply = _reply(do, task)
        _send(replies, reply)
        if reply == OUT_OF_MEMORY:
            return


def _reply(do: Callable[[T], object], task: T) -> object:
    signal.setitimer(signal.ITIMER_PROF, task.cpu_seconds)
    try:
        return do(task)
    except EvenmatchError as error:
        error.__traceback__ = None
        return error
    except MemoryError:
        return OUT_OF_MEMORY
    except Exception as error:
        return Bug(type(error).__name__)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _send(replies: BinaryIO, message: object) -> None:
    replies.write(packed(message))
    replies.flush()
