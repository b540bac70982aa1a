"""The example gateways fit the service's limits; nginx's is driven in tests/e2e/test_gateway.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from service.settings import Settings

FOLDER = Path(__file__).resolve().parents[2] / "docker" / "gateway"
NGINX = (FOLDER / "nginx.conf").read_text("utf-8")
STATIC: dict[str, Any] = yaml.safe_load((FOLDER / "traefik" / "traefik.yml").read_text("utf-8"))
DYNAMIC: dict[str, Any] = yaml.safe_load(
    (FOLDER / "traefik" / "dynamic" / "evenmatch.yml").read_text("utf-8")
)
SETTINGS = Settings()


def of_nginx(directive: str) -> list[int]:
    """Its values: seconds, or MiB."""
    return [int(value) for value in re.findall(rf"^\s*{directive} (\d+)[sm];", NGINX, re.MULTILINE)]


def test_nginx_takes_what_the_service_takes() -> None:
    for_all, for_jobs = (mib * 2**20 for mib in of_nginx("client_max_body_size"))
    assert for_all >= max(SETTINGS.limits.max_form_bytes, SETTINGS.limits.max_inflight_bytes)
    assert for_jobs >= SETTINGS.jobs.max_upload_bytes


def test_who_closes_an_idle_connection_first_is_the_gateway() -> None:
    to_clients, upstream = sorted(of_nginx("keepalive_timeout"), reverse=True)
    assert upstream < to_clients < SETTINGS.server.keep_alive_seconds
    timeouts = DYNAMIC["http"]["serversTransports"]["evenmatch"]["forwardingTimeouts"]
    assert int(timeouts["idleConnTimeout"].removesuffix("s")) < SETTINGS.server.keep_alive_seconds


def test_traefiks_routers_name_what_is_there_and_lead_to_nothing_else() -> None:
    http = DYNAMIC["http"]
    for router in http["routers"].values():
        assert set(router["middlewares"]) <= set(http["middlewares"])
        assert router["service"] in http["services"]
        assert set(router["entryPoints"]) <= set(STATIC["entryPoints"])
        assert "tls" in router
        assert re.match(r"Path(Prefix)?\(`/evenmatch/(v1/|health/)", router["rule"])
    assert http["routers"]["evenmatch"]["priority"] > http["routers"]["evenmatch-without-key"]["priority"]
    transports = http["serversTransports"]
    assert http["services"]["evenmatch"]["loadBalancer"]["serversTransport"] in transports


def test_no_gateway_keeps_resumes_or_logs_keys() -> None:
    assert "proxy_request_buffering off;" in NGINX
    assert "proxy_max_temp_file_size 0;" in NGINX
    assert not any("buffering" in one for one in DYNAMIC["http"]["middlewares"].values())
    assert STATIC["accessLog"]["fields"]["headers"]["defaultMode"] == "drop"
    (logged,) = re.findall(r"^log_format .*?;", NGINX, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"\$(\w+)", logged)).isdisjoint({"request", "args", "request_uri", "request_body"})
    assert "key" not in logged
