"""Decisions on disk until the database takes them: a folder of append-only files, each owned by one process.

A line is a signature and a JSON record; the first decision of a request with an `Idempotency-Key` has the
answer beside it. A process that was killed leaves its files behind, and the next one that opens the folder
takes them over. A file is deleted when the database has all of it.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from service.core.errors import StoreError
from service.core.files import sync_folder
from service.core.tenants import DEFAULT_TENANT
from service.store.chain import LogKey
from service.store.decisions import ADDED, FIELDS, Answer, Decision, Keyed
from service.store.idempotency import first_of_each_key

log = logging.getLogger(__name__)

SUFFIX = ".spool"
DAMAGED_SUFFIX = ".damaged"
_PROBE_BYTES = 64 * 2**10
_ANSWER_MARK = b'"answer":{'


class SpoolFile:
    """One file of a spool: locked by its owner, appended to, read from the front, deleted at the end.

    `lines`: how many are not yet consumed. `consumed`: where the first of these begins, in bytes. `size`:
    where the next line will begin. Methods raise `OSError`.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.damaged_path = path.with_suffix(DAMAGED_SUFFIX)
        self._descriptor = descriptor
        self.lines = self.consumed = self.size = 0
        self._peeked: tuple[int, int] = (0, 0)  # bytes and lines of the last `peek`
        self._measure()

    def _measure(self) -> None:
        """Count whole lines, and cut off a broken last one: it was never acknowledged."""
        with self._reader() as stream:
            for line in stream:
                if line.endswith(b"\n"):
                    self.size += len(line)
                    self.lines += 1
                else:
                    log.warning("%s: the last line broke off after %d bytes: dropped", self.path, len(line))
        os.ftruncate(self._descriptor, self.size)

    @property
    def nameless(self) -> bool:
        """Whether somebody removed it: nobody would find again what is appended to it."""
        return os.fstat(self._descriptor).st_nlink == 0

    def append(self, lines: Sequence[bytes]) -> None:
        """Write all lines or none; they are on disk when it returns."""
        # An append that failed halfway may have left bytes behind, if it could not remove them either.
        os.ftruncate(self._descriptor, self.size)
        content = memoryview(b"".join(lines))
        try:
            written = 0
            while written < len(content):
                written += os.pwrite(self._descriptor, content[written:], self.size + written)
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(content)
        self.lines += len(lines)

    def peek(self, limit: int) -> list[bytes]:
        """The next `limit` lines, or fewer."""
        with self._reader() as stream:
            stream.seek(self.consumed)
            lines = [stream.readline() for _ in range(min(limit, self.lines))]
        self._peeked = sum(map(len, lines)), len(lines)
        return lines

    def scan(self) -> Iterator[tuple[int, bytes]]:
        """All lines that are not yet consumed, each with the offset at which it begins."""
        offset = self.consumed
        with self._reader() as stream:
            stream.seek(offset)
            for line in stream:
                yield offset, line
                offset += len(line)

    def line_at(self, offset: int, size: int) -> bytes:
        """A line that `scan` or `append` put there; unlike the rest, by any thread, but not after `close`."""
        return os.pread(self._descriptor, size, offset)

    def advance(self) -> int:
        """Go past what `peek` returned last; returns the number of lines."""
        size, lines = self._peeked
        self.consumed += size
        self.lines -= lines
        self._peeked = (0, 0)
        return lines

    def set_aside(self, line: bytes) -> None:
        """Keep a line that cannot be used, for a person to look at."""
        descriptor = os.open(self.damaged_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as stream:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())

    def delete(self) -> None:
        """Remove the file and give up the lock."""
        self.path.unlink(missing_ok=True)
        self.close()

    def probe(self) -> None:
        """Write something, then remove the file."""
        try:
            self.append([b"\n" * _PROBE_BYTES])
        finally:
            self.delete()

    def close(self) -> None:
        """Give up the lock."""
        os.close(self._descriptor)

    def _reader(self) -> BinaryIO:
        # By its descriptor: somebody may have removed the name.
        return os.fdopen(os.dup(self._descriptor), "rb")


def _create(folder: Path, suffix: str) -> SpoolFile:
    """A new file; names sort by the time of making."""
    path = folder / f"{time.time_ns():020d}-{secrets.token_hex(4)}{suffix}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    sync_folder(folder)
    return SpoolFile(path, descriptor)


def _take_over(path: Path) -> SpoolFile | None:
    """The file if no living process owns it, else None."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its owner may have deleted it just before it gave up the lock.
        if os.fstat(descriptor).st_nlink:
            return SpoolFile(path, descriptor)
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the line with an answer is."""

    file: SpoolFile
    offset: int
    size: int


class Spool:
    """The files that this process owns. Used by one thread, except `answer`. `decisions`: how many wait."""

    def __init__(self, folder: Path, key: LogKey) -> None:
        self._folder = folder
        self._key = key
        self._files: list[SpoolFile] = []
        self._damaged: list[bytes] = []  # lines of the last `oldest`
        self._answered: list[str] = []  # keys whose answers were in the last `oldest`
        self._places: dict[str, _Place] = {}  # by key
        # `answer` reads a place on another thread: the file must not be closed, nor its descriptor's number
        # be given to another file, between the look at the place and the read.
        self._lock = threading.Lock()
        self.decisions = 0

    def open(self) -> None:
        """Take over what dead processes left. Raises `OSError` if the folder cannot be used."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            file = _take_over(path)
            if file is not None:
                self._files.append(file)
                self.decisions += file.lines
                self._find_answers(file)
                log.info("%s: %d decisions wait there for the database", path, file.lines)

    def append(self, decisions: Sequence[Decision]) -> Mapping[str, Answer]:
        """Write decisions to disk, where they are when it returns, and return by key the answer that counts.

        Leaves out decisions of a request whose `Idempotency-Key` was answered with others that wait here.
        Raises `OSError` if the disk does not take all of them; then none was appended.
        """
        keys = {decision.keyed.key for decision in decisions if decision.keyed is not None}
        known = {key: answer for key in keys if (answer := self.answer(key)) is not None}
        claimed = first_of_each_key(decisions, known)
        if claimed.kept:
            self._append(claimed.kept)
        return claimed.answers

    def answer(self, key: str) -> Answer | None:
        """The answer under a key, if it waits here. For any thread. Raises `OSError`."""
        with self._lock:
            place = self._places.get(key)
            line = None if place is None else place.file.line_at(place.offset, place.size)
        decision = None if line is None else self._decision(line)
        return None if decision is None or decision.keyed is None else decision.keyed.answer

    def _append(self, decisions: Sequence[Decision]) -> None:
        if not self._files or self._files[-1].nameless:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._files.append(_create(self._folder, SUFFIX))
        file = self._files[-1]
        offset, lines = file.size, []
        places: dict[str, _Place] = {}
        for decision in decisions:
            keyed = decision.keyed
            with_answer = keyed is not None and keyed.key not in places
            line = self._line(decision, with_answer=with_answer)
            if keyed is not None and with_answer:
                places[keyed.key] = _Place(file, offset, len(line))
            lines.append(line)
            offset += len(line)
        file.append(lines)
        self.decisions += len(decisions)
        with self._lock:
            self._places |= places

    def oldest(self, limit: int) -> list[Decision]:
        """Up to `limit` decisions, in the order in which they came. Raises `OSError`."""
        if not self._files:
            return []
        read = [(line, self._decision(line)) for line in self._files[0].peek(limit)]
        self._damaged = [line for line, decision in read if decision is None]
        keyed = [decision.keyed for _, decision in read if decision is not None and decision.keyed]
        self._answered = [one.key for one in keyed if one.answer is not None]
        return [decision for _, decision in read if decision is not None]

    def drop_oldest(self) -> None:
        """Drop what `oldest` returned last: the database has it. Raises `OSError`."""
        file = self._files[0]
        for line in self._damaged:
            file.set_aside(line)
            log.error("%s: a line is damaged; it was set aside in %s", file.path, file.damaged_path)
        self._damaged.clear()
        self.decisions -= file.advance()
        with self._lock:
            for key in self._answered:
                place = self._places.get(key)
                if place is not None and place.file is file and place.offset < file.consumed:
                    del self._places[key]
            if not file.lines:
                self._files.pop(0)
                self._places = {key: place for key, place in self._places.items() if place.file is not file}
                file.delete()

    def probe(self) -> None:
        """Raise `OSError` if the disk takes nothing now."""
        _create(self._folder, ".probe").probe()

    def close(self) -> None:
        """Let another process take over what still waits."""
        with self._lock:
            self._places.clear()
            for file in self._files:
                file.close()
            self._files.clear()

    def _find_answers(self, file: SpoolFile) -> None:
        for offset, line in file.scan():
            if _ANSWER_MARK in line and (decision := self._decision(line)) is not None:
                keyed = decision.keyed
                if keyed is not None and keyed.answer is not None:
                    # Two dead processes may have taken the same key: the first will be first in the database.
                    self._places.setdefault(keyed.key, _Place(file, offset, len(line)))

    def _line(self, decision: Decision, *, with_answer: bool) -> bytes:
        record = {name: getattr(decision, name) for name in FIELDS}
        record |= {"time": decision.time.isoformat(), "groups": dict(decision.groups)}
        # As an earlier version would write it, and can read it.
        record = {name: value for name, value in record.items() if value is not None or name not in ADDED}
        if decision.tenant == DEFAULT_TENANT:
            del record["tenant"]
        if decision.keyed is not None:
            record["keyed"] = _keyed_record(decision.keyed, with_answer=with_answer)
        content = json.dumps(record, separators=(",", ":")).encode()
        return f"{self._key.sign_bytes('spool', content)} ".encode() + content + b"\n"

    def _decision(self, line: bytes) -> Decision | None:
        return _decision(self._key, line)


def _decision(key: LogKey, line: bytes) -> Decision | None:
    """The decision of a line; None if it is not what was written."""
    signature, _, content = line.rstrip(b"\n").partition(b" ")
    if signature != key.sign_bytes("spool", content).encode():
        return None
    record = json.loads(content)
    record["time"] = datetime.fromisoformat(record["time"])
    if "keyed" in record:
        record["keyed"] = _keyed(record["keyed"], record["time"])
    return Decision(**record)


def _keyed_record(keyed: Keyed, *, with_answer: bool) -> dict[str, Any]:
    record: dict[str, Any] = {"key": keyed.key, "submission": keyed.submission}
    if with_answer and keyed.answer is not None:
        record["answer"] = {"body": keyed.answer.body, "content": keyed.answer.content}
    return record


def _keyed(record: dict[str, Any], time: datetime) -> Keyed:
    key, submission = record["key"], record["submission"]
    if "answer" not in record:
        return Keyed(key, submission, None)
    answer = record["answer"]
    return Keyed(key, submission, Answer(key, answer["body"], submission, time, answer["content"]))


def spooled_lines(folder: Path) -> int:
    """How many decisions wait in a spool, whoever owns them. Raises `StoreError` if it cannot be read."""
    return sum(_lines(path) for path in _files(folder, SUFFIX))


def spooled_decisions(folder: Path, key: LogKey) -> Iterator[Decision]:
    """The decisions that wait in a spool, whoever owns them; lines that are not what was written are not.

    Raises `StoreError` if it cannot be read.
    """
    for path in _files(folder, SUFFIX):
        for line in _content(path).splitlines():
            decision = _decision(key, line)
            if decision is not None:
                yield decision


def damaged_files(folder: Path) -> int:
    """How many files of damaged lines were set aside. Raises `StoreError` if the folder cannot be read."""
    return len(_files(folder, DAMAGED_SUFFIX))


def _files(folder: Path, suffix: str) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix == suffix]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"the spool {folder} cannot be read: {error.strerror}") from None


def _lines(path: Path) -> int:
    return _content(path).count(b"\n")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # the database has all of it since a moment ago
        return b""
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
