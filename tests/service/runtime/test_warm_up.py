from __future__ import annotations

import errno
import os
import threading

import pytest

from service.core.errors import EngineError, WarmingUpError
from service.runtime.warm_up import WarmUp

LONG = 60.0
"""Seconds; reached only if something is broken."""


class Steps:
    """Notes what ran; a step fails as long as it is in `broken`."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.broken: dict[str, Exception] = {}
        self.warm_up = WarmUp(first_pause=0.001, last_pause=0.002)
        self.done = threading.Event()
        self.warm_up.when_done(self.done.set)

    def add(self, name: str) -> None:
        def run() -> None:
            self.ran.append(name)
            if name in self.broken:
                raise self.broken[name]

        self.warm_up.add(name, run)


@pytest.fixture
def steps() -> Steps:
    steps = Steps()
    for name in ("lists", "model", "templates"):
        steps.add(name)
    return steps


def test_every_step_is_done_once_in_order(steps: Steps) -> None:
    with pytest.raises(WarmingUpError, match="lists, model, templates"):
        steps.warm_up.check()
    steps.warm_up.start()
    steps.warm_up.wait_for_first_round(LONG)
    assert steps.warm_up.is_done
    steps.warm_up.check()
    assert steps.ran == ["lists", "model", "templates"]
    assert steps.done.wait(LONG)


def test_who_comes_when_all_is_done_is_called_at_once(steps: Steps) -> None:
    steps.warm_up.start()
    assert steps.done.wait(LONG)
    called = threading.Event()
    steps.warm_up.when_done(called.set)
    assert called.is_set()


def test_a_failed_step_is_tried_again_and_the_others_are_not(
    steps: Steps, caplog: pytest.LogCaptureFixture
) -> None:
    steps.broken["model"] = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/secret/place")
    steps.warm_up.start()
    steps.warm_up.wait_for_first_round(LONG)
    said = r"it waits for model \(failed, is tried again: No space left on device\)$"
    with pytest.raises(WarmingUpError, match=said) as caught:
        steps.warm_up.check()
    assert (caught.value.code, caught.value.retry_after) == ("warming_up", 1)
    while steps.ran.count("model") < 5:
        assert not steps.done.wait(0.001)
    del steps.broken["model"]
    assert steps.done.wait(LONG)
    steps.warm_up.check()
    assert (steps.ran.count("lists"), steps.ran.count("templates")) == (1, 1)
    assert caplog.text.count("warm-up: model failed") == 1
    assert "/secret/place" not in caplog.text


def test_a_bug_is_logged_with_its_place(steps: Steps, caplog: pytest.LogCaptureFixture) -> None:
    steps.broken["lists"] = ValueError("a message that may quote anything")
    steps.broken["model"] = EngineError("the engine is broken")
    steps.warm_up.start()
    steps.warm_up.wait_for_first_round(LONG)
    with pytest.raises(WarmingUpError, match=r"ValueError.*the engine is broken"):
        steps.warm_up.check()
    steps.warm_up.stop()
    assert "test_warm_up.py" in caplog.text
    assert "quote" not in caplog.text


def test_after_stop_nothing_is_tried_again(steps: Steps) -> None:
    steps.broken["model"] = MemoryError()
    steps.warm_up.start()
    steps.warm_up.wait_for_first_round(LONG)
    steps.warm_up.stop()
    steps.warm_up._thread.join(LONG)
    assert not steps.warm_up._thread.is_alive()
    assert not steps.warm_up.is_done
