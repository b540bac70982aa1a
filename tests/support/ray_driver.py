"""`evenmatch` whose Ray workers have a fake engine, in a process of its own.

TEST_DIES names a folder: workers that score die as those do that are out of memory, one or, with
TEST_DIES_ALWAYS, each. See `fake_command_line` for what else is set.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from service.cli import main, score_on_ray
from service.core.tokenization import TokenIds
from service.files.table_columns import Say
from service.ray_data import run as runs
from service.ray_data.run import Advance, RayRun, ScoredOutput, score_folder
from service.runtime.options import RuntimeOptions
from service.runtime.runtime import Runtime
from tests.support.fake_command_line import load_fake_runtime
from tests.support.fakes import FakeEngine
from tests.support.in_process_cluster import InProcessCluster


def load(options: RuntimeOptions) -> Runtime:
    """A fake runtime that may kill its process. The first process encodes the postings and is spared."""
    seconds = float(os.environ.get("TEST_SECONDS_A_BATCH", "0"))

    def before(batch: Sequence[TokenIds]) -> None:
        time.sleep(seconds)
        folder = os.environ.get("TEST_DIES")
        if folder is None:
            return
        spared, died = Path(folder, "spared"), Path(folder, "died")
        if not spared.exists():
            spared.write_text(str(os.getpid()))
        if spared.read_text() == str(os.getpid()):
            return
        if not died.exists() or os.environ.get("TEST_DIES_ALWAYS"):
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    return load_fake_runtime(options, FakeEngine(before))


def ray_driver() -> None:
    """`evenmatch` for a process of its own. With TEST_IN_PROCESS it scores itself, and needs no Ray."""

    def with_fake_engine(run: RayRun, *, say: Say, advance: Advance) -> ScoredOutput:
        return score_folder(replace(run, load=load), say=say, advance=advance)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score_on_ray, "score_folder", with_fake_engine)
        if os.environ.get("TEST_IN_PROCESS"):
            patch.setattr(runs, "connected", InProcessCluster().connected)
        main()


if __name__ == "__main__":
    ray_driver()
