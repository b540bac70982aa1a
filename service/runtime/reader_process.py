"""The process that reads long texts: normalises and redacts what comes through a pipe, one text at a time.

Started by `service.runtime.reader_pool`. It imports what reading needs and nothing else. Each text has a
budget of CPU time that the kernel enforces: `SIGPROF` at its default action ends the process even inside a C
function that never comes back to Python. No text reaches a file, an argument or a log; no core is dumped.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import struct
from dataclasses import dataclass
from typing import BinaryIO

from service.core.errors import EvenmatchError
from service.core.redaction.given import GivenSpan
from service.core.redaction.lexicon import load_lexicon
from service.core.redaction.names.ner import EntityFinder
from service.core.redaction.policy import Category
from service.core.redaction.redactor import Redactor
from service.core.text_reader import InProcessReader, ReadText

HEADER = struct.Struct("!Q")
"""Before each message: how many bytes it has."""


@dataclass(frozen=True, slots=True)
class Task:
    """One text to read. `cpu_seconds`: user and system time together, above which the process ends."""

    text: str
    field: str
    max_characters: int
    categories: frozenset[Category] | None
    given: tuple[GivenSpan, ...]
    cpu_seconds: float

    def __repr__(self) -> str:
        return "Task(...)"  # nothing may print the text by accident


@dataclass(frozen=True, slots=True)
class Bug:
    """Reading raised what it should not. Only the type: a message could quote the text."""

    kind: str


Reply = ReadText | EvenmatchError | Bug


def packed(message: object) -> bytes:
    """A message as it goes through the pipe."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(data)) + data


def main(entities: str) -> None:
    """Read texts until the pipe ends, as it does with the parent. `entities`: a spaCy model, or ""."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # a terminal's Ctrl-C is for the parent, which ends this process
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPROF])
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints must not get among the replies
    try:
        reader = InProcessReader(Redactor(entities=EntityFinder(entities) if entities else None))
        load_lexicon()
    except EvenmatchError as error:
        _send(replies, error)
        return
    _send(replies, None)
    while (header := requests.read(HEADER.size)) and len(header) == HEADER.size:
        # What the parent packed: nobody else can write into this pipe.
        task = pickle.loads(requests.read(HEADER.unpack(header)[0]))
        _send(replies, _reply(reader, task))


def _reply(reader: InProcessReader, task: Task) -> Reply:
    signal.setitimer(signal.ITIMER_PROF, task.cpu_seconds)
    try:
        return reader.read(
            task.text,
            field=task.field,
            max_characters=task.max_characters,
            categories=task.categories,
            given=task.given,
        )
    except EvenmatchError as error:
        error.__traceback__ = None
        return error
    except Exception as error:
        return Bug(type(error).__name__)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _send(replies: BinaryIO, message: object) -> None:
    replies.write(packed(message))
    replies.flush()
