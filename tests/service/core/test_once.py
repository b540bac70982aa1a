from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.core.errors import WarmingUpError
from service.core.once import PAUSE_SECONDS, LoadedOnce


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Loader:
    """Fails as often as told, and counts."""

    def __init__(self, *failures: Exception, before: Callable[[], object] = lambda: None) -> None:
        self.failures = list(failures)
        self.before = before
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        self.before()
        if self.failures:
            raise self.failures.pop(0)
        return "loaded"


def test_forty_threads_at_once_load_once() -> None:
    together = threading.Barrier(40)
    loader = Loader()
    once = LoadedOnce("the list", loader)

    def first() -> str:
        together.wait()
        return once()

    with ThreadPoolExecutor(40) as threads:
        values = [future.result() for future in [threads.submit(first) for _ in range(40)]]
    assert values == ["loaded"] * 40
    assert loader.calls == 1


def test_what_passes_is_not_kept() -> None:
    clock = Clock()
    no_space = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/somewhere")
    loader = Loader(no_space, MemoryError())
    once = LoadedOnce("the list", loader, clock=clock)
    with pytest.raises(WarmingUpError, match=r"^the list cannot be loaded now: No space left on device$"):
        once()
    clock.now += PAUSE_SECONDS
    with pytest.raises(WarmingUpError, match="out of memory"):
        once()
    clock.now += PAUSE_SECONDS
    assert once() == once() == "loaded"
    assert loader.calls == 3


def test_a_failure_is_told_for_a_while_before_the_next_attempt() -> None:
    clock = Clock()
    loader = Loader(OSError(errno.EMFILE, os.strerror(errno.EMFILE)))
    once = LoadedOnce("the list", loader, clock=clock)
    for _ in range(3):
        with pytest.raises(WarmingUpError, match="Too many open files") as caught:
            once()
        assert caught.value.retry_after >= 1
    assert loader.calls == 1


def test_those_who_waited_for_an_attempt_share_its_failure() -> None:
    """Else forty requests would try one after the other, each for as long as it takes to fail."""
    clock = Clock()
    release = threading.Event()
    loader = Loader(*[OSError(errno.ENOSPC, "full")] * 10, before=lambda: release.wait(60))
    once = LoadedOnce("the list", loader, clock=clock)
    entered = threading.Semaphore(0)

    def first() -> str:
        entered.release()
        return once()

    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(first) for _ in range(8)]
        for _ in range(8):
            entered.acquire()
        clock.now -= 2 * PAUSE_SECONDS  # so that only their waiting can tell them
        release.set()
        failures = [future.exception(60) for future in futures]
    assert all(isinstance(failure, WarmingUpError) for failure in failures)
    assert loader.calls <= 2  # one more if a thread came after the others had failed


def test_a_bug_in_loading_is_logged_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    once = LoadedOnce("the list", Loader(KeyError("name"), KeyError("name")), clock=Clock())
    for _ in range(2):
        with pytest.raises(WarmingUpError, match="KeyError"):
            once()
    assert caplog.text.count("the list cannot be loaded") == 1
    assert Path(__file__).name in caplog.text
