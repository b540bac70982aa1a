"""What protects a service, and people's data in it, from web pages: names of hosts and security headers.

There is no login here: a gateway has it (docs/containers.md). A browser on the same machine is inside, and
any page that it shows may send requests to 127.0.0.1 under a name of its own (DNS rebinding). So on a
loopback address requests must name a host that is this machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api import paths
from service.api.errors import problem_response

CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Of answers that are not meant to be shown. Pages have one of their own."""

REPORT_POLICY = f"{CONTENT_SECURITY_POLICY}; style-src 'unsafe-inline'; img-src data:"
"""Of HTML reports, which have styles and pictures inside and no script."""

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class BrowserSafety:
    """`hosts`: names that `Host` may have; None: any. `prefix`: before every path, as "/evenmatch", or ""."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str] | None, prefix: str) -> None:
        self._app = app
        self._hosts = None if hosts is None else frozenset(map(str.lower, hosts))
        self._prefix = prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        path: str = scope["path"]
        if self._prefix and path.startswith(f"{self._prefix}/"):
            scope["path"] = path.removeprefix(self._prefix)  # in place: who logs the request sees it, too
        if self._takes(scope):
            await self._app(scope, receive, send_safely)
        else:
            await self._refused(scope)(scope, receive, send_safely)

    def _takes(self, scope: Scope) -> bool:
        # Probes of an orchestrator name a pod by its address, and are answered with nothing about anybody.
        if self._hosts is None or scope["path"] in (paths.LIVE, paths.READY):
            return True
        host = host_of(Headers(scope=scope).get("host", ""))
        return not host or host in self._hosts or (_LOOPBACK in self._hosts and is_loopback(host))

    def _refused(self, scope: Scope) -> ASGIApp:
        return problem_response(
            scope,
            status=421,
            code="unknown_host",
            title="Unknown host",
            detail="requests to this service must name it by a host of EVENMATCH_ALLOWED_HOSTS; by default a "
            "service on a loopback address is named localhost or by that address only",
        )


_LOOPBACK = "localhost"


def host_of(header: str) -> str:
    """The name in a `Host` header, without port, in lower case."""
    header = header.strip().lower().rstrip(".")
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0] if header.count(":") == 1 else header


def is_loopback(host: str) -> bool:
    """Whether a name can only mean this machine: RFC 6761 keeps `localhost` and what ends so for it."""
    if host == _LOOPBACK or host.endswith(f".{_LOOPBACK}"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(configured: Sequence[str] | None, address: str) -> Sequence[str] | None:
    """Names for `BrowserSafety`: those configured, or by the address that the service listens on."""
    if configured is not None:
        return None if "*" in configured else configured
    return [_LOOPBACK] if is_loopback(host_of(address)) else None
