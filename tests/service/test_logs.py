"""What an error writes into the log: where and of what kind, never what it quotes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime

import pytest

PROGRAM = """
import asyncio, logging, sys, threading, warnings
from service.logs import fields, log_task_failure, log_to_stderr

def fail(what):
    try:
        raise ValueError(what)
    except ValueError as error:
        raise RuntimeError("it failed: " + what) from error

class Unclosed:
    def __del__(self):
        fail(what)

async def leave_a_task():
    asyncio.get_running_loop().set_exception_handler(log_task_failure)
    async def task():
        fail(what)
    asyncio.create_task(task())
    asyncio.get_running_loop().call_soon(fail, what)
    await asyncio.sleep(0.01)

log_to_stderr("debug", sys.argv[1])
what = "Key (candidate_id)=(person-" + str(4711) + ") already exists"
log = logging.getLogger("service.test")
try:
    fail(what)
except RuntimeError:
    log.exception("a task failed")
log.info("%s answered\\n%s", "it", "twice", extra=fields(status=200, route="/v1/score", trace_id=None))
log.debug("ours")
log.info("%d", what)
logging.getLogger("library").debug(what)
warnings.warn(what)
Unclosed()
asyncio.run(leave_a_task())
thread = threading.Thread(target=fail, args=(what,), name="decision-watch")
thread.start()
thread.join()
fail(what)
"""


def run(form: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True)
    assert done.returncode == 1
    assert "4711" not in done.stderr
    return done.stderr.splitlines()


@pytest.fixture(scope="module")
def text() -> str:
    return "\n".join(run("text"))


@pytest.mark.parametrize(
    "said",
    [
        "ERROR service.test: a task failed\n",
        "CRITICAL service.logs: the thread decision-watch died of RuntimeError\n",
        "CRITICAL service.logs: the process ends by RuntimeError\n",
        "ERROR service.logs: an error that nobody could be told of: RuntimeError\n",
        "ERROR service.logs: Task exception was never retrieved: RuntimeError\n",
        "ERROR service.logs: Exception in callback fail: RuntimeError\n",
        "WARNING service.logs: UserWarning at <string>:",
        "\na line of service.test could not be logged: TypeError\n",
    ],
)
def test_an_error_is_logged_by_its_place_and_kind_and_keeps_its_message_to_itself(
    text: str, said: str
) -> None:
    _, found, after = text.partition(said)
    assert found
    if said.startswith(("ERROR", "CRITICAL")):
        frames = re.split(r"^\d{4}-", after, maxsplit=1, flags=re.MULTILINE)[0]
        assert "in fail" in frames


def test_in_json_every_line_is_an_object_and_libraries_say_nothing_at_debug() -> None:
    lines = run("json")
    assert lines.count("a line of service.test could not be logged: TypeError") == 1
    records = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(records) == len(lines) - 1
    assert all({"time", "level", "logger", "process", "message"} <= set(one) for one in records)
    assert {one["logger"] for one in records} == {"service.test", "service.logs"}
    failed, answered, ours = records[:3]
    assert failed["exception"].splitlines()[-1] == "RuntimeError"
    assert "in fail" in failed["exception"]
    assert {name: answered[name] for name in ("level", "message", "status", "route")} == {
        "level": "info",
        "message": "it answered\ntwice",
        "status": 200,
        "route": "/v1/score",
    }
    assert "trace_id" not in answered
    assert ours["level"] == "debug"
    assert datetime.fromisoformat(answered["time"]).tzinfo is not None
