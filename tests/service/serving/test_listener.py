"""Addresses to listen on, as they are written."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from service.core.errors import ConfigurationError
from service.serving.listener import bind, url_of

needs_ipv6 = pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")


@contextmanager
def bound(host: str) -> Iterator[list[socket.socket]]:
    sockets = bind(host, 0)
    try:
        yield sockets
    finally:
        for one in sockets:
            one.close()


@needs_ipv6
@pytest.mark.parametrize("host", ["::", "[::]"])
def test_every_address_is_those_of_both_kinds_on_one_port(host: str) -> None:
    with bound(host) as sockets:
        port = sockets[0].getsockname()[1]
        assert [url_of(one) for one in sockets] == [f"http://[::]:{port}", f"http://0.0.0.0:{port}"]


@needs_ipv6
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_address_of_ipv6_may_have_its_brackets(host: str) -> None:
    with bound(host) as (one,):
        assert url_of(one).startswith("http://[::1]:")


def test_an_address_of_ipv4_is_alone() -> None:
    with bound("0.0.0.0") as (one,):
        assert url_of(one).startswith("http://0.0.0.0:")


def test_a_host_that_is_none_of_this_machine_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^cannot listen on no\.such\.invalid:0: "):
        bind("no.such.invalid", 0)
