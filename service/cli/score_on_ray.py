"""`evenmatch score --engine ray`: its options, what it says on the way, and how it ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from service.cli.console import (
    EXIT_SKIPPED,
    EXIT_UNUSABLE_MODEL,
    MOST_NAMED,
    exit_codes,
    say,
    stderr,
)
from service.core.errors import CapacityError, ClusterError, EngineError, StoreError
from service.ray_data.run import RayRun, ScoredOutput, score_folder

WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, help="With --engine ray: model actors; by default as many as the cluster fits."),
]
CpusOption = Annotated[
    int | None, typer.Option(min=1, help="With --engine ray: CPUs, and threads, of each worker [1].")
]
GpusOption = Annotated[
    float | None,
    typer.Option(min=0.0, help="With --engine ray: GPUs of each worker [0]; 0.5 lets two share."),
]
RayAddressOption = Annotated[
    str | None,
    typer.Option(help="With --engine ray: a running cluster [RAY_ADDRESS]; else one on this machine."),
]
BlockRowsOption = Annotated[
    int | None,
    typer.Option(min=1, help="With --engine ray: resumes that are scored and written together [500]."),
]
RecordOption = Annotated[
    bool,
    typer.Option(
        "--record",
        help="With --engine ray: keep each decision in the decision log [EVENMATCH_DATABASE_URL], once.",
    ),
]

_LINE_SECONDS = 30.0


class _Line:
    """Says now and then how many resumes are scored."""

    def __init__(self) -> None:
        self._begun = self._said = time.monotonic()
        self._done = 0

    def __call__(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if now - self._said >= _LINE_SECONDS:
            self._said = now
            say(f"{self._done:,} resumes done, {self._done / (now - self._begun):,.1f} a second")


def score_on_ray(run: RayRun) -> None:
    """Run it; exits with the code of what went wrong, or of what was left out."""
    with exit_codes(), _watched(run):
        try:
            with stderr.status("scoring ..."):
                done = score_folder(run, say=say, advance=_Line())
        except KeyboardInterrupt:
            say(_go_on(run))
            raise typer.Exit(EXIT_UNUSABLE_MODEL) from None
        except (CapacityError, ClusterError, EngineError, StoreError):
            say(_go_on(run))
            raise
    _end(done)


@contextmanager
def _watched(run: RayRun) -> Iterator[None]:
    """Have it said how to go on even if this process ends at once: Ray does that to who loses its cluster.

    Another process waits for the end of a pipe, and says it unless the block was left.
    """
    if not hasattr(os, "fork"):
        yield
        return
    reading, writing = os.pipe()
    if os.fork() == 0:
        status = 1
        try:
            os.close(writing)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if not os.read(reading, 1):
                os.write(2, f"error: the run ended at once, before it was done; {_go_on(run)}\n".encode())
            status = 0
        finally:
            os._exit(status)
    os.close(reading)
    try:
        yield
    finally:
        os.write(writing, b".")
        os.close(writing)


def _go_on(run: RayRun) -> str:
    return f"finished blocks are kept in {run.output}: the same command with --resume goes on from there"


def _end(done: ScoredOutput) -> None:
    recorded = f", {done.recorded:,} decisions recorded" if done.recorded else ""
    earlier = f", {done.reused:,} blocks were there" if done.reused else ""
    say(f"scored {done.scored:,} resumes in {done.blocks:,} blocks to {done.output}{earlier}{recorded}")
    for fault in done.faults[:MOST_NAMED]:
        say(f"skipped: {fault.message}")
    if len(done.faults) > MOST_NAMED:
        say(f"skipped: and {len(done.faults) - MOST_NAMED:,} more")
    if done.faults:
        say(f"what was left out stands in {done.output}/errors")
        raise typer.Exit(EXIT_SKIPPED)
