"""The copy of the keys that requests are checked against."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from service.access import fresh_copy
from service.access.key_ring import KeyRing
from service.access.keys import KeySecret, revoked
from service.core.errors import KeysUnavailableError, StoreError
from tests.support.access import NOW, SECRET, HeldKeys, new_key
from tests.support.patience import PATIENCE


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh_copy, "_LONGEST_WAIT_SECONDS", PATIENCE)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def ring(storage: HeldKeys, clock: Clock, refresh_seconds: float = 3_600) -> AsyncIterator[KeyRing]:
    opened = KeyRing(
        storage,
        KeySecret(SECRET),
        refresh_seconds=refresh_seconds,
        stale_seconds=100,
        clock=clock,
        now=lambda: NOW,
    )
    await opened.start()
    try:
        yield opened
    finally:
        await opened.stop()


async def test_a_revocation_takes_effect_with_the_next_reading() -> None:
    key = new_key()
    storage = HeldKeys([key.record])
    async with asyncio.timeout(PATIENCE), ring(storage, Clock(), refresh_seconds=0.01) as keys:
        assert await keys.check(key.text) is not None
        storage.keys = [revoked(key.record, NOW)]
        while await keys.check(key.text) is not None:
            await asyncio.sleep(0.01)


async def test_a_new_key_works_at_once_and_wrong_ones_read_no_more_than_once_a_second() -> None:
    storage, clock = HeldKeys(), Clock()
    async with ring(storage, clock) as keys:
        clock.seconds += 1
        late = new_key()
        storage.keys = [late.record]
        assert await keys.check(late.text) is not None
        reads = storage.reads
        for _ in range(1_000):
            assert await keys.check(new_key().text) is None
            assert await keys.check("no key at all") is None
        assert storage.reads == reads
        clock.seconds += 1
        assert await keys.check(new_key().text) is None
        assert storage.reads == reads + 1


async def test_many_at_once_wait_for_one_reading() -> None:
    storage, clock = HeldKeys(), Clock()
    async with ring(storage, clock) as keys:
        clock.seconds += 1
        late = new_key()
        storage.keys = [late.record]
        found = await asyncio.gather(*(keys.check(late.text) for _ in range(50)))
        assert None not in found
        assert storage.reads == 2


async def test_keys_go_on_working_while_they_cannot_be_read_until_they_are_stale(
    caplog: pytest.LogCaptureFixture,
) -> None:
    key, clock = new_key(), Clock()
    storage = HeldKeys([key.record])
    async with ring(storage, clock) as keys:
        storage.error = StoreError("the database failed")
        clock.seconds += 100
        assert await keys.check(new_key().text) is None  # tries to read
        assert await keys.check(key.text) is not None
        clock.seconds += 1
        with pytest.raises(KeysUnavailableError):
            await keys.check(key.text)
        with pytest.raises(KeysUnavailableError):
            await keys.check("no key at all")
        storage.error = None
        clock.seconds += 1
        assert await keys.check(new_key().text) is None
        assert await keys.check(key.text) is not None
    assert "keys cannot be read: the database failed" in caplog.text


async def test_without_a_first_reading_nobody_is_let_in() -> None:
    storage = HeldKeys()
    storage.error = StoreError("away")
    async with ring(storage, Clock()) as keys:
        with pytest.raises(KeysUnavailableError):
            await keys.check(new_key().text)


async def test_what_needs_a_person_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with ring(HeldKeys(), Clock()):
        assert "evenmatch keys create" in caplog.text
    ending = new_key(expires=NOW + timedelta(days=3))
    async with ring(HeldKeys([ending.record, new_key(secret_id="0" * 16).record]), Clock()):
        pass
    assert f"the key evm_{ending.record.id} expires at 2026-03-04T12:00:00+00:00" in caplog.text
    assert "1 keys were made with another keys_secret" in caplog.text
    assert all(record.levelno == logging.WARNING for record in caplog.records if "key" in record.message)
    assert ending.text not in caplog.text


@pytest.mark.slow
async def test_a_check_costs_less_than_a_millisecond_with_ten_thousand_keys() -> None:
    every = [new_key() for _ in range(10_000)]
    async with ring(HeldKeys(key.record for key in every), Clock()) as keys:
        began = time.perf_counter()
        for key in every[:1_000]:
            assert await keys.check(key.text) is not None
        assert (time.perf_counter() - began) / 1_000 < 0.001


async def test_a_bug_does_not_end_the_upkeep_and_its_message_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = new_key()
    storage = HeldKeys([key.record])
    async with asyncio.timeout(PATIENCE), ring(storage, Clock(), refresh_seconds=0.01) as keys:
        storage.error = RuntimeError("the message")
        reads = storage.reads
        while storage.reads < reads + 2:
            await asyncio.sleep(0.01)
        storage.error, storage.keys = None, []
        while await keys.check(key.text) is not None:
            await asyncio.sleep(0.01)
    assert "keys cannot be read: unexpected RuntimeError" in [r.getMessage() for r in caplog.records]
