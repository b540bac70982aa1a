"""Mixed traffic and random faults: `python -m tests.soak --minutes 60 --seed 7` (docs/operations.md)."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from pathlib import Path

from tests.chaos.campaign import models
from tests.soak.soak import Plan, run


def main() -> int:
    """Exit status 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2, help="requests a second")
    parser.add_argument("--workers", type=int, default=2, help="processes that serve")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--models", type=Path, help="folder of converted models: made there if it is empty")
    parser.add_argument("--report", type=Path, help="write the report there, as JSON")
    asked = parser.parse_args()
    # What it started and mounted goes with it, however it is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with models(asked.models) as folder:
        plan = Plan(minutes=asked.minutes, rate=asked.rate, seed=asked.seed, workers=asked.workers)
        report = run(plan, folder, _say)
    _say(report.as_markdown())
    if asked.report:
        asked.report.write_text(report.as_json())
    return 1 if report.wrong else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
