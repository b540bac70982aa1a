"""How long tests wait for what must happen.

The bound only ends a test that would hang for ever; a machine ten times slower than usual does not reach it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 600.0
"""Seconds."""


def wait_until(condition: Callable[[], object], otherwise: str = "it did not happen") -> None:
    """Look again and again until `condition` holds; fails with `otherwise` when `PATIENCE` is at its end."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)
