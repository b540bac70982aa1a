"""A process that records decisions (`recording_child`), seen and handled from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from service.store.recorder import DATABASE_FILE

CHECKOUT = Path(__file__).resolve().parents[3]


class Child:
    """Started and ready when it is made."""

    def __init__(self, folder: Path, timeout: float = 0.3) -> None:
        self.folder = folder
        self.file = folder / DATABASE_FILE
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.service.store.recording_child", str(folder), str(timeout)],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._answer() == "started"

    def say(self, command: str) -> Any:
        """The answer to a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return self._answer()

    def record(self, count: int) -> set[int]:
        """Numbers of the decisions that were acknowledged."""
        return set(self.say(f"record {count}"))

    def locks(self) -> int:
        """How many locks it has on the database's file, as the kernel sees it."""
        inode = self.file.stat().st_ino
        lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        return sum(
            line[1] == "POSIX" and line[4] == str(self.process.pid) and line[5].endswith(f":{inode}")
            for line in lines
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "it ended"
        return json.loads(line)
