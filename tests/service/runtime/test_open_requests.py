from __future__ import annotations

import threading
import time

import pytest

from service.core.errors import NoIdleTimeError, ShuttingDownError
from service.runtime.open_requests import OpenRequests
from tests.support.patience import PATIENCE


def soon(seconds: float = PATIENCE) -> float:
    return time.monotonic() + seconds


def test_nothing_is_waited_for_while_no_request_is_open() -> None:
    OpenRequests().wait_until_idle(soon())


def test_background_work_waits_for_the_last_open_request() -> None:
    live = OpenRequests()
    went_on = threading.Event()

    def background() -> None:
        live.wait_until_idle(soon())
        went_on.set()

    with live.request():
        with live.request():
            thread = threading.Thread(target=background)
            thread.start()
        assert not went_on.wait(0.05)
    thread.join(PATIENCE)
    assert went_on.is_set()


def test_background_work_that_finds_no_time_breaks_off() -> None:
    live = OpenRequests()
    with live.request(), pytest.raises(NoIdleTimeError):
        live.wait_until_idle(soon(0.01))
    with pytest.raises(NoIdleTimeError):
        live.wait_until_idle(time.monotonic() - 1)


def test_closing_wakes_what_waits_and_lets_nothing_more_begin() -> None:
    live = OpenRequests()
    raised: list[type[Exception]] = []

    def background() -> None:
        try:
            live.wait_until_idle(soon())
        except ShuttingDownError as error:
            raised.append(type(error))

    with live.request():
        thread = threading.Thread(target=background)
        thread.start()
        live.close()
        thread.join(PATIENCE)
    assert raised == [ShuttingDownError]
    with pytest.raises(ShuttingDownError):
        live.wait_until_idle(soon())


def test_a_request_that_fails_is_over_too() -> None:
    live = OpenRequests()
    with pytest.raises(KeyError), live.request():
        raise KeyError
    live.wait_until_idle(soon())
