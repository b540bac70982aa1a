"""What an error writes into the log: where and of what kind, never what it quotes."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import logging, threading
from service.logs import log_to_stderr

def fail(what):
    try:
        raise ValueError(what)
    except ValueError as error:
        raise RuntimeError("it failed: " + what) from error

log_to_stderr("info")
what = "Key (candidate_id)=(person-" + str(4711) + ") already exists"
try:
    fail(what)
except RuntimeError:
    logging.getLogger("service.test").exception("a task failed")
thread = threading.Thread(target=fail, args=(what,), name="decision-watch")
thread.start()
thread.join()
"""


def test_an_exception_is_logged_by_its_place_and_kind_and_keeps_its_message_to_itself() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    first, _, second = done.stderr.partition("CRITICAL service.logs: ")
    assert "ERROR service.test: a task failed\n" in first
    assert "in fail" in first
    assert first.rstrip().split("\n")[-2] == "RuntimeError"
    assert second.startswith("the thread decision-watch died of RuntimeError\n")
    assert "in fail" in second
    assert "4711" not in done.stderr
