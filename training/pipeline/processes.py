"""The processes of a run: one, or one for each GPU under `accelerate launch` or `torchrun`."""

from __future__ import annotations

import os


def rank() -> int:
    """This process's number; 0 is the one that writes. Launchers tell it by `RANK`."""
    return int(os.environ.get("RANK", "0"))


def count() -> int:
    """How many processes train together. Launchers tell it by `WORLD_SIZE`."""
    return int(os.environ.get("WORLD_SIZE", "1"))
