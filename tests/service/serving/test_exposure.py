"""Without keys the service listens where only this machine can reach it."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Any

import pytest

from service.core.errors import ConfigurationError
from service.serving.exposure import is_metrics_socket, listening_sockets
from service.settings import Settings
from tests.support.access import SECRET


def listened_on(**parts: dict[str, Any]) -> list[str]:
    """Addresses that are bound with these settings."""
    settings = Settings(**{**parts, "server": {"port": 0, **parts.get("server", {})}})  # type: ignore[arg-type]
    sockets = listening_sockets(settings)
    try:
        return [one.getsockname()[0] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.7.6"])
def test_on_this_machine_no_keys_are_needed(host: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert listened_on(server={"host": host})
    assert "only this machine can reach the service" in caplog.text


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_elsewhere_the_service_does_not_start_without_keys(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no keys are configured: .*--insecure") as refused:
        listened_on(server={"host": host})
    assert refused.value.field == "host"


def test_a_name_of_this_machine_that_others_know_counts_as_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    # What counts is the address that was bound, not how it was written.
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("0.0.0.0", 0))]
    )
    with pytest.raises(ConfigurationError, match="no keys are configured"):
        listened_on(server={"host": "localhost"})


def test_it_starts_elsewhere_with_keys_or_where_a_gateway_asks_for_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = {"host": "0.0.0.0"}
    assert listened_on(server=server, access={"keys_secret": SECRET}) == ["0.0.0.0"]
    assert not caplog.text
    assert listened_on(server=server, access={"insecure": True}) == ["0.0.0.0"]
    assert "whoever reaches 0.0.0.0:" in caplog.text


def test_a_secret_that_cannot_be_used_is_refused_before_anything_listens(tmp_path: Path) -> None:
    file = tmp_path / "keys.secret"
    file.write_text(SECRET)
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="mode 0644"):
        listened_on(access={"keys_secret_file": file})


def test_metrics_on_a_port_of_their_own_are_bound_beside_the_service() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(server={"port": 0}, access={"metrics_port": port})
    sockets = listening_sockets(settings)
    try:
        assert [is_metrics_socket(one, settings) for one in sockets] == [False, True]
        assert sockets[1].getsockname() == ("127.0.0.1", port)
    finally:
        for one in sockets:
            one.close()
    with pytest.raises(ConfigurationError, match=r"metrics_port is \d+, the port of requests"):
        listening_sockets(Settings(server={"port": port}, access={"metrics_port": port}))
