"""What a long run has scored so far, beside its output, so that it can go on after any end.

The journal holds ids, scores and codes, never a text. It is a header, which says what the scores depend on,
and a line for each resume with its scores and the keyed hash of what was read. Each line has a checksum:
whatever a killed process or a power cut leaves at the end is cut off. A resume that has changed has another
hash, and a header of other postings, another bundle or other options makes all of it worthless.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from service.core.errors import TableError
from service.files.document_texts import DocumentSummary
from service.files.result_files import ScoredCandidate
from service.files.resume_files import UnreadResume
from service.files.writing import unwritable

if sys.platform != "win32":
    import fcntl

Scores = NDArray[np.int32]
"""Raw scores of one resume against each posting, in millionths, which is how exactly they are known."""

MILLIONTHS = 1_000_000
"""A raw score has six decimals: as a whole number of millionths it takes four bytes, and none is lost."""

_VERSION = 1
_SYNC_SECONDS = 5.0
"""A power cut loses so much at most; a process that is killed loses nothing that was added."""


def in_millionths(raw_scores: NDArray[np.float64]) -> Scores:
    """Raw scores with six decimals as whole numbers."""
    return np.rint(raw_scores * MILLIONTHS).astype(np.int32)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the line of a resume stands."""

    digest: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A resume that was scored. `digest`: of what was read."""

    digest: str
    candidate: ScoredCandidate
    scores: Scores


def journal_of(output: Path) -> Path:
    """Where the journal of a run that writes `output` lies: hidden, so that no folder of resumes holds it."""
    return output.with_name(f".{output.name}.journal")


class ScoreJournal:
    """The journal of one run, mode 0600, locked against another run of the same output."""

    def __init__(self, file: Path) -> None:
        """Open it, or make it. Raises `TableError` if that cannot be done, or another run has it."""
        self.file = file
        self._places: dict[str, _Place] = {}
        self._header: dict[str, Any] = {}
        self._salt = b""
        self._synced = time.monotonic()
        self._turn = threading.Lock()  # one thread looks up while another adds
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise unwritable(file, error) from None
        self._stream: BinaryIO = os.fdopen(descriptor, "r+b", buffering=0)
        self._lock()
        self._end = self._read()

    @property
    def entries(self) -> int:
        """How many resumes it holds."""
        return len(self._places)

    def begin(self, parts: Mapping[str, str]) -> list[str]:
        """Start to write for what `parts` say, names to hashes.

        Goes on if the journal was made for the same. Otherwise it is emptied; returns the names of what has
        changed since, if it held anything.
        """
        earlier = self._header.get("parts")
        if isinstance(earlier, dict) and earlier == dict(parts) and self._salt:
            self._write(lambda: self._stream.truncate(self._end))
            return []
        changed = [name for name in parts if isinstance(earlier, dict) and earlier.get(name) != parts[name]]
        had = bool(self._places)
        self._places.clear()
        self._salt = secrets.token_bytes(16)
        header = {"evenmatch_journal": _VERSION, "parts": dict(parts), "salt": self._salt.hex()}

        def restart() -> None:
            self._stream.truncate(0)
            self._end = 0
            self._append(_line(header))

        self._write(restart)
        return changed if had else []

    def digest(self, resume: UnreadResume) -> str:
        """A keyed hash of a resume's id and content."""
        digest = hashlib.blake2b(key=self._salt, digest_size=16)
        identity = resume.id.encode("utf-8", "surrogatepass")
        digest.update(len(identity).to_bytes(8, "little") + identity)
        digest.update(resume.data if resume.text is None else resume.text.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def holds(self, identity: str) -> bool:
        """Whether a resume of this id was scored, whatever it held."""
        return identity in self._places

    def known(self, identity: str, digest: str) -> JournalEntry | None:
        """What was scored for a resume, if it has not changed since."""
        place = self._places.get(identity)
        if place is None or place.digest != digest:
            return None
        with self._turn:
            self._stream.seek(place.start)
            line = self._stream.read(place.length)
        return _entry(json.loads(line[9:]))

    def add(self, entries: Sequence[JournalEntry]) -> None:
        """Keep what was scored. Raises `TableError` if the disk takes it not."""
        if not entries:
            return
        lines = [_line(_record(entry)) for entry in entries]
        start = self._end
        self._write(lambda: self._append(b"".join(lines)))
        for entry, line in zip(entries, lines, strict=True):
            self._places[entry.candidate.id] = _Place(entry.digest, start, len(line))
            start += len(line)
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            self._write(lambda: os.fsync(self._stream.fileno()))
            self._synced = time.monotonic()

    def remove(self) -> None:
        """The run is over and its output written."""
        self.file.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Leave the file as it is, for a later run; one that holds nothing goes."""
        if self._stream.closed:
            return
        if not self._places:
            self.file.unlink(missing_ok=True)
        self._stream.close()

    def _lock(self) -> None:
        if sys.platform == "win32":
            return
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._stream.close()
            raise TableError(f"{self.file} is in use: another run writes the same output") from None

    def _read(self) -> int:
        """Read the header and where each resume stands; returns where the last whole line ends."""
        end = 0
        with open(os.dup(self._stream.fileno()), "rb") as stream:
            stream.seek(0)
            for line in stream:
                record = _parsed(line)
                if record is None or (end == 0 and record.get("evenmatch_journal") != _VERSION):
                    break
                if end == 0:
                    self._header = record
                    self._salt = bytes.fromhex(record.get("salt", ""))
                else:
                    self._places[record["id"]] = _Place(record["digest"], end, len(line))
                end += len(line)
        return end

    def _append(self, data: bytes) -> None:
        with self._turn:
            self._stream.seek(self._end)
            view = memoryview(data)
            while view:
                view = view[self._stream.write(view) :]
            self._end += len(data)

    def _write(self, work: Callable[[], object]) -> None:
        try:
            work()
        except OSError as error:
            raise unwritable(self.file, error) from None


def fingerprint(*parts: str | bytes | None) -> str:
    """A hash of some texts, in their order."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = (
            b"" if part is None else part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        )
        digest.update((b"-" if part is None else b"+") + len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _line(record: Mapping[str, Any]) -> bytes:
    body = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """What a line says; None if it is not whole."""
    if not line.endswith(b"\n") or line[8:9] != b" " or b"%08x" % zlib.crc32(line[9:-1]) != line[:8]:
        return None
    record = json.loads(line[9:])
    return record if isinstance(record, dict) else None


def _record(entry: JournalEntry) -> dict[str, Any]:
    candidate, document = entry.candidate, entry.candidate.document
    return {
        "id": candidate.id,
        "digest": entry.digest,
        "scores": entry.scores.tolist(),
        "language": candidate.language,
        "non_latin_script": candidate.non_latin_script,
        "redacted": candidate.redacted,
        "warnings": candidate.warnings,
        "repeats": list(candidate.repeats.items()),
        **({} if candidate.evidence is None else {"evidence": candidate.evidence}),
        "document": None
        if document is None
        else [document.kind, document.pages, document.characters, dict(document.warnings)],
    }


def _entry(record: Mapping[str, Any]) -> JournalEntry:
    document = record["document"]
    candidate = ScoredCandidate(
        record["id"],
        record["language"],
        record["non_latin_script"],
        record["redacted"],
        tuple(record["warnings"]),
        dict(record["repeats"]),
        None if document is None else DocumentSummary(*document),
        None
        if record.get("evidence") is None
        else tuple((found, tuple(where)) for found, where in record["evidence"]),
    )
    return JournalEntry(record["digest"], candidate, np.array(record["scores"], dtype=np.int32))
