"""How every process of the service logs: to stderr, one line a record, without content of requests."""

from __future__ import annotations

import logging

from service.core.printable import printable


class _Printable(logging.Formatter):
    """Names of files and bundles are in the log, and the log may be read in a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def log_to_stderr(level: str) -> None:
    """Log lines of `level` and above."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Printable("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
