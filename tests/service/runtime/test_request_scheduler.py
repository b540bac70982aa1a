"""Who is read when: in the order of coming; large ones in one line, small ones past them in another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from service.core.errors import QueueFullError, RequestTooLargeError
from service.runtime.request_scheduler import RequestScheduler, Turn, count_words

LIMIT, SMALL, AHEAD = 1_000, 10, 20


@dataclass
class Bench:
    """Requests in a scheduler that go on when they are told to."""

    backlog: int = 0
    waiting: list[int] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    turns: RequestScheduler = field(init=False)

    def __post_init__(self) -> None:
        self.scheduler = RequestScheduler(
            LIMIT,
            small_words=SMALL,
            ahead=AHEAD,
            backlog=lambda: self.backlog,
            retry_after=lambda words: 1 + words,
            on_change=self.waiting.append,
        )

    def request(self, name: str, words: int, act: Callable[[Turn], None] = lambda turn: None) -> Request:
        return Request(self, name, words, act)


class Request:
    def __init__(self, bench: Bench, name: str, words: int, act: Callable[[Turn], None]) -> None:
        self.go_on = asyncio.Event()
        self.task = asyncio.create_task(self._run(bench, name, words, act))

    async def _run(self, bench: Bench, name: str, words: int, act: Callable[[Turn], None]) -> None:
        async with bench.scheduler.turn(words) as turn:
            bench.begun.append(name)
            act(turn)
            await self.go_on.wait()

    async def end(self) -> None:
        self.go_on.set()
        await self.task
        await settle()


async def settle() -> None:
    """Let everybody who can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_large_requests_are_read_one_after_the_other_in_the_order_of_coming(bench: Bench) -> None:
    requests = [bench.request(name, 100) for name in "abc"]
    await settle()
    assert (bench.begun, bench.waiting[-1]) == (["a"], 200)
    await requests[0].end()
    assert bench.begun == ["a", "b"]
    await requests[1].end()
    await requests[2].end()
    assert (bench.begun, bench.waiting[-1]) == (["a", "b", "c"], 0)


async def test_the_next_is_read_once_little_waits_for_the_engine(bench: Bench) -> None:
    def queue(turn: Turn) -> None:
        turn.texts_read()
        bench.backlog = 100

    first = bench.request("a", 100, queue)
    second = bench.request("b", 100)
    await settle()
    assert bench.begun == ["a"]
    bench.backlog = AHEAD - 1
    bench.scheduler.queue_changed()
    await settle()
    assert bench.begun == ["a", "b"]
    await first.end()
    await second.end()


async def test_small_requests_pass_large_ones_but_not_without_end(bench: Bench) -> None:
    large = [bench.request(name, 100) for name in "AB"]
    small = [bench.request(name, SMALL) for name in "abc"]
    await settle()
    assert bench.begun == ["A", "a", "b"]
    await small[0].end()
    assert bench.begun == ["A", "a", "b", "c"]
    for request in (*small[1:], *large):
        await request.end()


async def test_one_that_leaves_the_line_lets_the_next_one_up(bench: Bench) -> None:
    requests = [bench.request(name, 100) for name in "abc"]
    await settle()
    requests[1].task.cancel()
    await settle()
    assert bench.waiting[-1] == 100
    await requests[0].end()
    assert bench.begun == ["a", "c"]
    await requests[2].end()


async def test_one_that_leaves_as_its_turn_comes_takes_it_from_nobody(bench: Bench) -> None:
    requests = [bench.request(name, 100) for name in "abc"]
    await settle()
    bench.scheduler.look_soon()
    requests[0].go_on.set()
    await requests[0].task
    requests[1].task.cancel()
    await settle()
    assert bench.begun[-1] == "c"
    await requests[2].end()
    assert (bench.scheduler.requests_waiting, bench.scheduler.words_waiting) == (0, 0)


async def test_what_does_not_fit_is_refused_at_once_with_an_honest_time(bench: Bench) -> None:
    requests = [bench.request(name, 450) for name in "ab"]
    await settle()
    with pytest.raises(QueueFullError) as full:
        async with bench.scheduler.turn(101):
            pass
    assert (full.value.limit, full.value.actual) == (LIMIT, 1_001)
    assert full.value.retry_after == 901
    with pytest.raises(RequestTooLargeError) as large:
        async with bench.scheduler.turn(LIMIT + 1):
            pass
    assert (large.value.limit, large.value.actual) == (LIMIT, LIMIT + 1)
    for request in requests:
        await request.end()
    async with bench.scheduler.turn(LIMIT):
        pass


def test_words_of_all_texts_are_counted() -> None:
    assert count_words(["a b\nc", "a b\nc", " d ", ""]) == 7
