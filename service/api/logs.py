"""How every process of the service logs: to stderr, one line a record, without content of requests."""

from __future__ import annotations

import logging


def log_to_stderr(level: str) -> None:
    """Log lines of `level` and above."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
