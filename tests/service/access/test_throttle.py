"""Wrong keys by address, in bounded memory."""

from __future__ import annotations

import pytest

from service.access.throttle import Throttle, source_of


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_after_so_many_wrong_keys_an_address_waits_for_the_rest_of_its_minute() -> None:
    clock = Clock()
    throttle = Throttle(3, clock=clock)
    assert [throttle.failed("10.0.0.1") for _ in range(3)] == [None] * 3
    clock.seconds = 10.5
    assert throttle.failed("10.0.0.1") == 50
    assert throttle.failed("10.0.0.2") is None
    clock.seconds = 60
    assert [throttle.failed("10.0.0.1") for _ in range(4)] == [None, None, None, 60]


def test_memory_is_bounded_under_wrong_keys_from_everywhere() -> None:
    throttle = Throttle(3, addresses=1_000)
    for i in range(10_000):
        throttle.failed(f"10.{i // 65_536}.{i // 256 % 256}.{i % 256}")
    assert len(throttle) == 1_000
    # Who goes on is not forgotten, however many others come by.
    steady = Throttle(3, addresses=1_000)
    waits = []
    for i in range(10_000):
        steady.failed(f"2001:db8:{i:x}::1")
        if i % 500 == 0:
            waits.append(steady.failed("10.0.0.1"))
    assert waits[:3] == [None] * 3
    assert None not in waits[3:]


def test_the_log_names_an_address_once_a_minute_and_not_every_one(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    throttle = Throttle(3, clock=clock)
    for _ in range(100):
        throttle.failed("10.0.0.1")
    said = "more than 3 wrong keys a minute come from 10.0.0.1: it gets 429"
    assert caplog.messages == [said]
    for i in range(100):
        for _ in range(5):
            throttle.failed(f"resume of {i}")
    assert len(caplog.messages) == 10
    assert "resume" not in caplog.text
    clock.seconds = 61
    for _ in range(4):
        throttle.failed("10.0.0.1")
    assert caplog.messages[-2:] == ["addresses that sent too many wrong keys: 91 more had no line", said]


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("x" * 1_000, "x" * 64),
    ],
)
def test_a_network_of_ipv6_counts_as_one_caller(address: str, source: str) -> None:
    assert source_of(address) == source
