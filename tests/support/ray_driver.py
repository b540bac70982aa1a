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
from typing import Any

from service.cli import main, score_on_ray
from service.core.tokenization import TokenIds
from service.ray_data.run import score_folder
from service.runtime.options import RuntimeOptions
from service.runtime.runtime import Runtime
from tests.support.fake_command_line import load_fake_runtime
from tests.support.fakes import FakeEngine


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


def _score_folder(run: Any, **told: Any) -> Any:
    return score_folder(replace(run, load=load), **told)


if __name__ == "__main__":
    score_on_ray.score_folder = _score_folder
    main()
