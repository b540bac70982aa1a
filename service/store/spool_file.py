"""One file of a spool: locked by its owner, appended to, read from the front, deleted at the end."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

DAMAGED_SUFFIX = ".damaged"
_PROBE_BYTES = 64 * 2**10

log = logging.getLogger(__name__)


class SpoolFile:
    """`lines`: how many are not yet consumed. Methods raise `OSError`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.damaged_path = path.with_suffix(DAMAGED_SUFFIX)
        self._descriptor = descriptor
        self._consumed = 0  # bytes
        self._peeked: tuple[int, int] = (0, 0)  # bytes and lines of the last `peek`
        self.lines = 0
        self._size = 0
        self._measure()

    def _measure(self) -> None:
        """Count whole lines; what a killed process wrote of one more was never on disk for sure: cut it."""
        with self._reader() as stream:
            for line in stream:
                if line.endswith(b"\n"):
                    self._size += len(line)
                    self.lines += 1
                else:
                    log.warning("%s: the last line broke off after %d bytes: dropped", self.path, len(line))
        os.ftruncate(self._descriptor, self._size)

    @property
    def nameless(self) -> bool:
        """Whether somebody removed it: what is appended to it would not be found again."""
        return os.fstat(self._descriptor).st_nlink == 0

    @property
    def consumed(self) -> int:
        """Where the first line begins that is not yet consumed, in bytes."""
        return self._consumed

    @property
    def size(self) -> int:
        """Where the next line will begin, in bytes."""
        return self._size

    def append(self, lines: Sequence[bytes]) -> None:
        """All lines, on disk when it returns, or none."""
        # A try that failed halfway may have left bytes behind, and could not remove them.
        os.ftruncate(self._descriptor, self._size)
        content = memoryview(b"".join(lines))
        try:
            written = 0
            while written < len(content):
                written += os.pwrite(self._descriptor, content[written:], self._size + written)
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(content)
        self.lines += len(lines)

    def peek(self, limit: int) -> list[bytes]:
        """The next `limit` lines, or fewer."""
        with self._reader() as stream:
            stream.seek(self._consumed)
            lines = [stream.readline() for _ in range(min(limit, self.lines))]
        self._peeked = sum(map(len, lines)), len(lines)
        return lines

    def scan(self) -> Iterator[tuple[int, bytes]]:
        """All lines that are not yet consumed, each with the offset at which it begins."""
        offset = self._consumed
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
        self._consumed += size
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


def create(folder: Path, suffix: str) -> SpoolFile:
    """A new file; names sort by the time of making."""
    path = folder / f"{time.time_ns():020d}-{secrets.token_hex(4)}{suffix}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    folder_descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(folder_descriptor)
    finally:
        os.close(folder_descriptor)
    return SpoolFile(path, descriptor)


def claim(path: Path) -> SpoolFile | None:
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
