"""How many requests and tokens a minute a key may have, by the library `limits`.

Windows are fixed: the first request of a key begins one of 60 seconds, in which its requests and tokens are
counted. Counts are in Redis, where all processes and replicas see them, or in the memory of each process,
which then counts by itself. PostgreSQL is no backend of the library: a row a key would be written by every
request of every replica.

What a request costs in tokens is known when its texts are read. So tokens are counted afterwards: a key that
has some left may overdraw them by one request, and waits for the next window then. Those of a batch job are
counted for the key that made it, whenever some of its texts have been encoded.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Self

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from service.logs import OncePerMinute

log = logging.getLogger(__name__)

_WINDOW_SECONDS = 60
_REDIS_SECONDS = 0.25
"""Longest that a request waits for Redis."""

_PAUSE_SECONDS = 5.0
"""After a failure Redis is not asked for so long."""


class RateOptions(BaseModel):
    """How much a key may ask for a minute, and where that is counted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests_per_minute: int | None = Field(
        None, ge=1, description="Most requests of one key a minute; left out: any number."
    )
    tokens_per_minute: int | None = Field(
        None,
        ge=1,
        description="Most tokens of texts that one key has encoded a minute, by requests and batch jobs; "
        "left out: any number.",
    )
    wrong_keys_per_minute: int = Field(
        60, ge=1, description="Wrong keys from one address a minute; more get 429 and not 401."
    )
    limits_url: SecretStr = Field(
        SecretStr(""),
        description="Redis that all processes and replicas count requests and tokens in, as "
        "`redis://:PASSWORD@HOST:6379/0` (`rediss://`: by TLS); empty: each process counts by itself.",
    )

    @model_validator(mode="after")
    def _fit(self) -> Self:
        url = self.limits_url.get_secret_value()
        if url and not url.startswith(("redis://", "rediss://")):
            raise ValueError("limits_url must begin with redis:// or rediss://")
        if url and find_spec("redis") is None:
            raise ValueError("limits_url names redis, which needs the extra `redis`")
        return self


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit as it stands for one key. `resets`: seconds until all of it is there again."""

    name: str
    most: int
    left: int
    resets: int


@dataclass(frozen=True, slots=True)
class _Limit:
    name: str
    item: RateLimitItemPerMinute


class RateLimiter:
    """For one event loop."""

    def __init__(self, options: RateOptions) -> None:
        self._requests = _limit("requests", options.requests_per_minute)
        self._tokens = _limit("tokens", options.tokens_per_minute)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._shared: FixedWindowRateLimiter | None = None
        self._redis: RedisStorage | None = None
        self._shared_from = 0.0
        self._digest = OncePerMinute(log)
        if url := options.limits_url.get_secret_value():
            # Made here, connected to with the first request.
            self._redis = RedisStorage(
                f"async+{url}",
                wrap_exceptions=True,
                implementation="redispy",
                key_prefix="evenmatch",
                socket_timeout=_REDIS_SECONDS,
                socket_connect_timeout=_REDIS_SECONDS,
            )
            self._shared = FixedWindowRateLimiter(self._redis)

    @property
    def counts_tokens(self) -> bool:
        return self._tokens is not None

    @property
    def is_on(self) -> bool:
        """Whether there is any limit."""
        return self._requests is not None or self._tokens is not None

    async def close(self) -> None:
        """Close the connections to Redis, if there are any."""
        if self._redis is not None:
            client: Any = self._redis.bridge  # the library declares no way to close it
            await client.storage.aclose()

    async def take(self, key_id: str, *, encodes: bool) -> Quota | None:
        """Count a request. The limit that it passes, None if it may go on.

        `encodes`: it costs tokens; others are let in where no tokens are left, as who asks how far a job is.
        """
        if encodes and self._tokens is not None and not await self._may(self._tokens, key_id, cost=0):
            return await self._quota(self._tokens, key_id)
        if self._requests is not None and not await self._may(self._requests, key_id, cost=1):
            return await self._quota(self._requests, key_id)
        return None

    async def spend(self, key_id: str, tokens: int) -> None:
        """Count the tokens of a request that was let in, or of a part of a job."""
        if self._tokens is not None and tokens:
            await self._may(self._tokens, key_id, cost=tokens)

    async def quotas(self, key_id: str) -> list[Quota]:
        """What is left of each limit."""
        limits = (self._requests, self._tokens)
        return [await self._quota(limit, key_id) for limit in limits if limit is not None]

    async def _may(self, limit: _Limit, key_id: str, *, cost: int) -> bool:
        """Whether a cost fits, and count it; a cost of 0: whether one would."""
        for limiter in self._limiters():
            try:
                async with asyncio.timeout(_REDIS_SECONDS):
                    if cost:
                        return await limiter.hit(limit.item, limit.name, key_id, cost=cost)
                    return await limiter.test(limit.item, limit.name, key_id)
            except (StorageError, TimeoutError) as error:
                self._failed(error)
        return True

    async def _quota(self, limit: _Limit, key_id: str) -> Quota:
        most = limit.item.amount
        for limiter in self._limiters():
            try:
                async with asyncio.timeout(_REDIS_SECONDS):
                    stats = await limiter.get_window_stats(limit.item, limit.name, key_id)
            except (StorageError, TimeoutError) as error:
                self._failed(error)
                continue
            resets = math.ceil(stats.reset_time - time.time()) if stats.remaining < most else _WINDOW_SECONDS
            return Quota(limit.name, most, stats.remaining, min(_WINDOW_SECONDS, max(1, resets)))
        return Quota(limit.name, most, most, _WINDOW_SECONDS)

    def _limiters(self) -> Sequence[FixedWindowRateLimiter]:
        """Those to ask, in order: while Redis is away each process counts by itself."""
        if self._shared is None or time.monotonic() < self._shared_from:
            return (self._own,)
        return (self._shared, self._own)

    def _failed(self, error: Exception) -> None:
        self._shared_from = time.monotonic() + _PAUSE_SECONDS
        reason = error.storage_error if isinstance(error, StorageError) else error
        self._digest.warning(
            "limits are counted by each process: the Redis of limits_url does not work "
            f"({type(reason).__name__})"
        )


def policy_header(quotas: Sequence[Quota]) -> str:
    """Field `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-10."""
    return ", ".join(
        f'"{quota.name}";q={quota.most};w={_WINDOW_SECONDS}'
        + (';qu="tokens"' if quota.name == "tokens" else "")
        for quota in quotas
    )


def state_header(quotas: Sequence[Quota]) -> str:
    """Field `RateLimit` of the same draft."""
    return ", ".join(f'"{quota.name}";r={quota.left};t={quota.resets}' for quota in quotas)


def _limit(name: str, most: int | None) -> _Limit | None:
    return None if most is None else _Limit(name, RateLimitItemPerMinute(most))
