"""Work in threads: no kind takes the places of another, and nobody waits for a database that is away."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import anyio
import pytest

from service.api.thread_pools import DatabasePool, ThreadPool
from service.core.errors import QueueFullError, StoreUnavailableError


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Database:
    """Answers, or blocks until `release` and fails."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = True
        self.release = threading.Event()

    def __call__(self) -> str:
        self.asked += 1
        if self.away:
            assert self.release.wait(30)
            raise StoreUnavailableError("away", retry_after=5)
        return "answer"


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def test_those_who_wait_for_a_database_fail_with_the_first_and_do_not_ask() -> None:
    pool, database = DatabasePool(2, 100, Clock()), Database()
    asking = [asyncio.create_task(pool.run(database)) for _ in range(20)]
    await until(lambda: database.asked == 2)
    database.release.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(answer, StoreUnavailableError) for answer in answers)
    assert database.asked == 2


async def test_a_database_that_was_away_is_tried_by_one_at_a_time() -> None:
    clock, database = Clock(), Database()
    pool = DatabasePool(4, 100, clock)
    database.release.set()
    for _ in range(3):
        with pytest.raises(StoreUnavailableError) as error:
            await pool.run(database)
    assert (database.asked, error.value.retry_after) == (1, 1)
    clock.now = 2.0
    database.release.clear()
    trying = asyncio.create_task(pool.run(database))
    await until(lambda: database.asked == 2)
    with pytest.raises(StoreUnavailableError):
        await pool.run(database)
    database.release.set()
    with pytest.raises(StoreUnavailableError):
        await trying
    assert database.asked == 2
    clock.now, database.away = 4.0, False
    assert await pool.run(database) == "answer"
    assert await pool.run(database) == "answer"


async def test_only_so_many_may_wait() -> None:
    pool, database = DatabasePool(1, 1, Clock()), Database()
    asking = [asyncio.create_task(pool.run(database)) for _ in range(2)]
    await until(lambda: pool.is_full)
    with pytest.raises(StoreUnavailableError):
        await pool.run(database)
    database.release.set()
    await asyncio.gather(*asking, return_exceptions=True)
    assert database.asked == 1


async def test_a_place_is_taken_until_the_thread_ends_even_if_its_caller_left() -> None:
    pool, release, running = ThreadPool(1, waiting=0), threading.Event(), threading.Event()

    def work() -> None:
        running.set()
        assert release.wait(30)

    async def leave() -> None:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(pool.run, work)
                await until(running.is_set)
                scope.cancel()

    leaving = asyncio.create_task(leave())
    await until(running.is_set)
    await asyncio.sleep(0.01)
    with pytest.raises(QueueFullError):
        await pool.run(work)
    release.set()
    await leaving
    await pool.run(work)
