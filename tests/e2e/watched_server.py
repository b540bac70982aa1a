"""`evenmatch serve`, which notes every module it imports and every file it opens once it is ready.

Run as `python -m tests.e2e.watched_server FILE ARGUMENTS-OF-EVENMATCH...`; FILE gets one line for each.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

EVENTS = ("import", "open", "ctypes.dlopen", "subprocess.Popen")


def watch(file: Path) -> None:
    """Install the hook; it writes from the log's "ready to score" on."""
    notes = file.open("w", buffering=1)
    ready = False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if ready and event in EVENTS:
            notes.write(f"{event} {arguments[0]}\n")

    class UntilReady(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            nonlocal ready
            ready = ready or str(record.msg).startswith("ready to score")
            return True

    logging.getLogger("service.serving.process").addFilter(UntilReady())
    sys.addaudithook(hook)


if __name__ == "__main__":
    watch(Path(sys.argv.pop(1)))
    from service.cli import main

    main()
