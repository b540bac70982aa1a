from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.core.errors import (
    CallerGoneError,
    EmptyTextError,
    ReaderDownError,
    ShuttingDownError,
    TextTooLongError,
    UnreadableTextError,
)
from service.core.redaction.policy import CATEGORIES
from service.core.redaction.redactor import Redactor
from service.core.text_reader import Cancelled, InProcessReader, ReadText
from service.runtime.process_pool import WorkerProcess
from service.runtime.reader_pool import LONG_TEXT, CpuBudget, PooledReader, ReaderPool
from service.runtime.reader_process import ReadTask
from tests.support.patience import PATIENCE, wait_until

LIMIT = 100_000
JOB = "- Built the payment service in Python and Java for 3 teams, with Jane, at Acme in 2019.\n"
RESUME = "Jane Doe\njane.doe@mail.com | +1 415 555 0100\n\nEXPERIENCE\n" + JOB * 110
CHEAP = "a" + " word" * 2_000
COSTLY = "Dr. Jane Doe and " * 5_000
"""About 1 s of CPU time."""


@pytest.fixture(scope="module")
def shared() -> Iterator[ReaderPool]:
    pool = ReaderPool()
    with pytest.MonkeyPatch.context() as settings:
        settings.setenv("EVENMATCH_LOG_KEY", "secret")
        pool.warm_up()
    yield pool
    pool.stop()


@pytest.fixture
def pool() -> Iterator[ReaderPool]:
    own = ReaderPool()
    yield own
    own.stop()


def read(pool: ReaderPool, text: str, cancelled: Callable[[], bool] = lambda: False) -> ReadText:
    return pool.read(
        text,
        field="resume",
        max_characters=LIMIT,
        categories=CATEGORIES,
        size=len(text),
        cancelled=cancelled,
    )


def in_process() -> InProcessReader:
    return InProcessReader(Redactor())


@pytest.mark.parametrize("categories", [CATEGORIES, ("name", "email"), None])
def test_a_worker_reads_a_text_as_the_callers_process_does(shared: ReaderPool, categories: object) -> None:
    text = RESUME + "\ud800\u0301é\u200b"

    by_worker = shared.read(
        text,
        field="resume",
        max_characters=LIMIT,
        categories=categories,  # type: ignore[arg-type]
        size=len(text),
    )

    assert by_worker == in_process().read(
        text,
        field="resume",
        max_characters=LIMIT,
        categories=categories,  # type: ignore[arg-type]
    )


def test_what_is_wrong_with_a_text_comes_back_as_it_was_raised(shared: ReaderPool) -> None:
    with pytest.raises(EmptyTextError) as empty:
        read(shared, " " * 10_000)
    with pytest.raises(TextTooLongError) as long:
        read(shared, "\ufdfa" * 10_000)

    assert empty.value.field == "resume"
    assert empty.value.limit == 1
    assert long.value.limit == LIMIT
    assert long.value.actual == 180_000


def test_a_text_above_its_cpu_budget_is_refused_and_the_next_is_read() -> None:
    pool = ReaderPool(budget=CpuBudget(base=100, per_thousand_characters=0))
    try:
        with pytest.raises(UnreadableTextError, match="more than 100 ms of CPU time") as refused:
            read(pool, COSTLY)

        assert refused.value.field == "resume"
        assert refused.value.limit == 100
        assert "Jane" not in str(refused.value)
        assert read(pool, CHEAP).document.text == CHEAP
    finally:
        pool.stop()


def test_short_texts_start_no_process_and_texts_that_become_long_do(pool: ReaderPool) -> None:
    reader = PooledReader(in_process(), pool)
    short = reader.read("Jane Doe\nengineer", field="resume", max_characters=LIMIT, categories=CATEGORIES)
    assert short.redacted is not None
    assert pool.pids == []

    grown = "\ufdfa " * 1_000
    assert len(grown) < LONG_TEXT
    reader.read(grown, field="resume", max_characters=LIMIT, categories=CATEGORIES)

    assert len(pool.pids) == 1


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced(pool: ReaderPool) -> None:
    pool.warm_up()
    (first,) = pool.pids

    os.kill(first, signal.SIGKILL)

    assert read(pool, CHEAP).document.text == CHEAP
    assert pool.pids
    assert pool.pids != [first]


@pytest.mark.slow
def test_a_text_is_tried_once_more_when_a_worker_dies_and_then_not_again(pool: ReaderPool) -> None:
    pool.warm_up()
    killed: set[int] = set()

    def kill_each() -> bool:  # asked while the worker, which is stopped, answers nothing
        killed.update(pool.pids)
        for pid in pool.pids:
            os.kill(pid, signal.SIGKILL)
        return False

    for pid in pool.pids:
        os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ReaderDownError) as down:
        read(pool, CHEAP, kill_each)

    assert down.value.retry_after >= 1
    assert len(killed) == 2
    assert read(pool, CHEAP).document.text == CHEAP


@pytest.mark.slow
def test_a_caller_who_has_gone_is_not_waited_for(pool: ReaderPool) -> None:
    pool.warm_up()
    (first,) = pool.pids
    os.kill(first, signal.SIGSTOP)  # so that it cannot be done before it is asked

    with pytest.raises(CallerGoneError):
        read(pool, CHEAP, lambda: True)

    assert read(pool, CHEAP).document.text == CHEAP
    assert first not in pool.pids


class Noting(ReaderPool):
    """Notes whose turn it is: the number of the text, which is its field."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[str] = []

    def _ask(self, task: ReadTask, place: WorkerProcess | None, cancelled: Cancelled) -> object:
        self.turns.append(task.field)
        return super()._ask(task, place, cancelled)


@pytest.mark.slow
def test_texts_are_read_in_the_order_in_which_they_came() -> None:
    pool = Noting()
    pool.warm_up()
    (worker,) = pool.pids
    os.kill(worker, signal.SIGSTOP)
    asked = [threading.Event() for _ in range(4)]

    def ask(number: int) -> None:
        def waits() -> bool:
            asked[number].set()
            return False

        pool.read(
            CHEAP,
            field=str(number),
            max_characters=LIMIT,
            categories=None,
            size=len(CHEAP),
            cancelled=waits,
        )

    with ThreadPoolExecutor(4) as threads:
        for number in range(4):
            threads.submit(ask, number)
            assert asked[number].wait(PATIENCE)
        os.kill(worker, signal.SIGCONT)
    pool.stop()

    assert pool.turns == ["0", "1", "2", "3"]


@pytest.mark.slow
def test_a_worker_that_stands_still_is_replaced() -> None:
    pool = ReaderPool(stall_seconds=10)
    try:
        pool.warm_up()
        os.kill(pool.pids[0], signal.SIGSTOP)

        assert read(pool, CHEAP).document.text == CHEAP
    finally:
        pool.stop()


def test_nothing_is_read_after_stop(pool: ReaderPool) -> None:
    pool.warm_up()
    (worker,) = pool.pids

    pool.stop()

    assert not Path(f"/proc/{worker}").exists()
    with pytest.raises(ShuttingDownError):
        read(pool, CHEAP)


@pytest.mark.slow
def test_a_text_at_work_is_broken_off_by_stop(pool: ReaderPool) -> None:
    pool.warm_up()
    os.kill(pool.pids[0], signal.SIGSTOP)
    waits = threading.Event()

    def at_work() -> bool:
        waits.set()
        return False

    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read, pool, CHEAP, at_work)
        assert waits.wait(PATIENCE)
        pool.stop()

        with pytest.raises(ShuttingDownError):
            reading.result()
    assert pool.pids == []


def test_a_worker_keeps_texts_and_settings_to_itself(shared: ReaderPool) -> None:
    read(shared, RESUME)
    process = Path(f"/proc/{shared.pids[0]}")

    assert b"Jane" not in (process / "cmdline").read_bytes()
    assert b"EVENMATCH" not in (process / "environ").read_bytes()
    (core,) = [line for line in (process / "limits").read_text().splitlines() if "core file" in line]
    # One byte, not none: a limit of 0 does not stop a dump that is piped to a program.
    assert core.split()[4:6] == ["1", "1"]
    opened = {os.readlink(file) for file in (process / "fd").iterdir()}
    held = {name for name in opened if not name.startswith("pipe:")}
    assert held <= {"/dev/null", os.readlink("/proc/self/fd/2")}


def test_a_worker_imports_what_reading_needs() -> None:
    program = "import sys, service.runtime.reader_process; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "service.core.redaction.redactor" in modules
    assert not {"openvino", "fastapi", "sqlalchemy", "py3langid", "numpy", "tokenizers", "uvicorn"} & set(
        modules
    )


@pytest.mark.slow
def test_workers_end_with_a_parent_that_is_killed() -> None:
    program = """
import time
from service.runtime.reader_pool import ReaderPool
pool = ReaderPool()
pool.warm_up()
print(*pool.pids, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        worker = int(parent.stdout.readline())
        parent.kill()
        parent.wait()

    wait_until(lambda: _has_ended(worker))


def _has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
