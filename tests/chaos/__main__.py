"""Kill the service again and again: `python -m tests.chaos --rounds 200 --seed 7` (docs/decision-log.md)."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from pathlib import Path

from tests.chaos.campaign import Campaign, models
from tests.chaos.history import Kind


def main() -> int:
    """Exit status 1 if anything was lost, doubled, damaged, or not erased."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="kill -9 so many times, on each kind")
    parser.add_argument("--each", type=int, default=10, help="rounds on one log before the next one begins")
    parser.add_argument("--kind", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--models", type=Path, help="folder of converted models: made there if it is empty")
    asked = parser.parse_args()
    kinds: list[Kind] = ["sqlite", "postgresql"] if asked.kind == "both" else [asked.kind]
    # What it started and mounted goes with it, however it is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.stdout.write(f"seed {asked.seed}\n")
    with models(asked.models) as folder:
        campaign = Campaign(asked.seed, folder, _say)
        for kind in kinds:
            campaign.run(kind, asked.rounds, asked.each)
    _say(str(campaign.result))
    return 1 if campaign.result.broken else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
