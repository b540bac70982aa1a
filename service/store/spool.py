"""Decisions on disk until the database takes them: a folder of append-only files, each owned by one process.

A line is a signature and a JSON record. A process that was killed leaves its files behind; the next one that
opens the folder takes them over. A file is deleted when the database has all of it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from service.core.errors import StoreError
from service.store.decision import Decision
from service.store.key import LogKey
from service.store.spool_file import DAMAGED_SUFFIX, SpoolFile, claim, create

log = logging.getLogger(__name__)

SUFFIX = ".spool"


class Spool:
    """Used by one thread. `decisions`: how many wait in it."""

    def __init__(self, folder: Path, key: LogKey) -> None:
        self._folder = folder
        self._key = key
        self._files: list[SpoolFile] = []
        self._damaged: list[bytes] = []  # lines of the last `oldest`
        self.decisions = 0

    def open(self) -> None:
        """Take over what dead processes left. Raises `OSError` if the folder cannot be used."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            file = claim(path)
            if file is not None:
                self._files.append(file)
                self.decisions += file.lines
                log.info("%s: %d decisions wait there for the database", path, file.lines)

    def append(self, decisions: Sequence[Decision]) -> None:
        """On disk when it returns. Raises `OSError` if that cannot be done; then nothing was appended."""
        if not self._files or self._files[-1].nameless:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._files.append(create(self._folder, SUFFIX))
        self._files[-1].append([self._line(decision) for decision in decisions])
        self.decisions += len(decisions)

    def oldest(self, limit: int) -> list[Decision]:
        """Up to `limit` decisions, in the order in which they came. Raises `OSError`."""
        if not self._files:
            return []
        read = [(line, self._decision(line)) for line in self._files[0].peek(limit)]
        self._damaged = [line for line, decision in read if decision is None]
        return [decision for _, decision in read if decision is not None]

    def drop_oldest(self) -> None:
        """The database has what `oldest` returned last. Raises `OSError`."""
        file = self._files[0]
        for line in self._damaged:
            file.set_aside(line)
            log.error("%s: a line is damaged; it was set aside in %s", file.path, file.damaged_path)
        self._damaged.clear()
        self.decisions -= file.advance()
        if not file.lines:
            self._files.pop(0)
            file.delete()

    def probe(self) -> None:
        """Raises `OSError` if the disk takes nothing now."""
        create(self._folder, ".probe").probe()

    def close(self) -> None:
        """Let another process take over what still waits."""
        for file in self._files:
            file.close()
        self._files.clear()

    def _line(self, decision: Decision) -> bytes:
        record = {
            "decision_id": decision.decision_id,
            "time": decision.time.isoformat(),
            "request_id": decision.request_id,
            "job_id": decision.job_id,
            "candidate_id": decision.candidate_id,
            "groups": dict(decision.groups),
            "raw_score": decision.raw_score,
            "calibrated_probability": decision.calibrated_probability,
            "threshold": decision.threshold,
            "decision": decision.decision,
            "redact": decision.redact,
            "bundle_digest": decision.bundle_digest,
            "engine": decision.engine,
        }
        content = json.dumps(record, separators=(",", ":")).encode()
        return f"{self._key.sign_bytes('spool', content)} ".encode() + content + b"\n"

    def _decision(self, line: bytes) -> Decision | None:
        signature, _, content = line.rstrip(b"\n").partition(b" ")
        if signature != self._key.sign_bytes("spool", content).encode():
            return None
        record = json.loads(content)
        return Decision(**{**record, "time": datetime.fromisoformat(record["time"])})


def spooled_lines(folder: Path) -> int:
    """How many decisions wait in a spool, whoever owns them. Raises `StoreError` if it cannot be read."""
    return sum(_lines(path) for path in _files(folder, SUFFIX))


def damaged_files(folder: Path) -> int:
    """How many files hold damaged lines that were set aside. Raises `StoreError` if that cannot be known."""
    return len(_files(folder, DAMAGED_SUFFIX))


def _files(folder: Path, suffix: str) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix == suffix]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"the spool {folder} cannot be read: {error.strerror}") from None


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:  # the database has all of it since a moment ago
        return 0
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
