"""Programs of this project in processes of their own that spend no time on imports.

A fresh interpreter imports and compiles for four seconds before it does anything. These are forked from one
process that has done that. How a program starts from nothing is tested with `subprocess`.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TextIO

from tests.support.patience import PATIENCE

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.imported_before"])


class Forked:
    """A running program: what the tests use of `subprocess.Popen`. Whoever starts it reads what it prints."""

    def __init__(
        self, program: Callable[[], None], arguments: Sequence[str], env: Mapping[str, str], cwd: Path
    ) -> None:
        out, out_there = _CONTEXT.Pipe(duplex=False)
        err, err_there = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(
            target=_run, args=(program, [*arguments], dict(env), str(cwd), out_there, err_there)
        )
        self._process.start()
        out_there.close()
        err_there.close()
        self.stdout, self.stderr = _text(out), _text(err)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float = PATIENCE) -> int:
        """The exit status; negative for a signal."""
        self._process.join(timeout)
        assert self._process.exitcode is not None, "it did not end"
        return self._process.exitcode


def run(
    program: Callable[[], None], arguments: Sequence[str], env: Mapping[str, str], cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, as `subprocess.run` does."""
    process = Forked(program, arguments, env, cwd)
    with process.stdout, process.stderr, ThreadPoolExecutor(2) as pool:
        out, err = pool.submit(process.stdout.read), pool.submit(process.stderr.read)
        status = process.wait()
        return subprocess.CompletedProcess(list(arguments), status, out.result(), err.result())


def command_line() -> None:
    """`evenmatch`."""
    from service.cli import main

    main()


def _text(connection: Connection) -> TextIO:
    with connection:
        return os.fdopen(os.dup(connection.fileno()), encoding="utf-8")


def _run(
    program: Callable[[], None],
    arguments: list[str],
    env: dict[str, str],
    cwd: str,
    out: Connection,
    err: Connection,
) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # tests may run under `nohup`
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    out.close()
    err.close()
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  (until the process ends)
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["evenmatch", *arguments]
    program()
