"""Requests and tokens a minute, counted in memory and in a real Redis."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.access import limits
from service.access.limits import Quota, RateLimiter, RateOptions, policy_header, state_header
from tests.support.patience import PATIENCE, wait_until


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class Redis:
    """A server on this machine, which keeps nothing."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [program, *arguments], cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: listens(self.port))

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server")
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["memory", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "memory" else str(request.getfixturevalue("redis").url)


Make = Callable[..., RateLimiter]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_REDIS_SECONDS", PATIENCE)  # a busy machine is not a Redis that is away


@pytest.fixture
async def limiter() -> AsyncIterator[Make]:
    made: list[RateLimiter] = []

    def make(url: str = "", requests: int | None = None, tokens: int | None = None) -> RateLimiter:
        options = {"requests_per_minute": requests, "tokens_per_minute": tokens, "limits_url": url}
        made.append(RateLimiter(RateOptions.model_validate(options)))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def test_each_key_has_its_own_requests_a_minute(url: str, limiter: Make) -> None:
    one = limiter(url, requests=3)
    assert [await one.take("a", encodes=True) for _ in range(3)] == [None] * 3
    passed = await one.take("a", encodes=True)
    assert passed is not None
    assert (passed.name, passed.most, passed.left) == ("requests", 3, 0)
    assert 1 <= passed.resets <= 60
    assert await one.take("b", encodes=True) is None
    assert [quota.left for quota in await one.quotas("b")] == [2]


async def test_tokens_are_counted_afterwards_and_may_be_overdrawn_once(url: str, limiter: Make) -> None:
    one = limiter(url, tokens=100)
    assert await one.take("a", encodes=True) is None
    await one.spend("a", 99)
    assert await one.take("a", encodes=True) is None
    await one.spend("a", 5_000)
    passed = await one.take("a", encodes=True)
    assert passed is not None
    assert (passed.name, passed.most, passed.left) == ("tokens", 100, 0)
    assert await one.take("a", encodes=False) is None
    assert await one.take("b", encodes=True) is None


async def test_a_refused_request_costs_no_tokens_and_none_is_let_in_by_the_other_limit(limiter: Make) -> None:
    both = limiter(requests=2, tokens=100)
    await both.spend("a", 100)
    passed = await both.take("a", encodes=True)
    assert passed is not None
    assert passed.name == "tokens"
    assert [quota.left for quota in await both.quotas("a")] == [2, 0]


async def test_what_is_left_comes_back_with_the_next_minute(
    monkeypatch: pytest.MonkeyPatch, limiter: Make
) -> None:
    now = time.time()
    one = limiter(requests=1)
    assert await one.take("a", encodes=True) is None
    assert await one.take("a", encodes=True) is not None
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert await one.take("a", encodes=True) is None


async def test_replicas_count_together_in_redis_and_apart_while_it_is_away(
    redis: Redis, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, limiter: Make
) -> None:
    monkeypatch.setattr(limits, "_PAUSE_SECONDS", 0.0)
    one, other = limiter(redis.url, requests=2), limiter(redis.url, requests=2)
    assert await one.take("a", encodes=True) is None
    assert await other.take("a", encodes=True) is None
    assert await one.take("a", encodes=True) is not None
    redis.stop()
    assert [await one.take("a", encodes=True) is None for _ in range(3)] == [True, True, False]
    assert [await other.take("a", encodes=True) is None for _ in range(3)] == [True, True, False]
    assert "counted by each process" in caplog.text
    redis.start()
    assert await one.take("a", encodes=True) is None
    assert await other.take("a", encodes=True) is None
    assert await one.take("a", encodes=True) is not None


def test_the_fields_are_those_of_the_draft() -> None:
    quotas = [Quota("requests", 600, 599, 42), Quota("tokens", 100_000, 0, 7)]
    assert policy_header(quotas) == '"requests";q=600;w=60, "tokens";q=100000;w=60;qu="tokens"'
    assert state_header(quotas) == '"requests";r=599;t=42, "tokens";r=0;t=7'


@pytest.mark.parametrize("url", ["http://x", "postgresql://x", "memcached://x"])
def test_another_place_to_count_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValidationError, match="limits_url must begin with redis://"):
        RateOptions.model_validate({"limits_url": url})
