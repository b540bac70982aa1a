"""What protects a service, and people's data in it, from web pages: hosts, origins and security headers.

A service without keys listens on this machine alone, but a browser on it is inside, and any page that it
shows may send requests to 127.0.0.1: under a name of its own (DNS rebinding), or as a form whose answer it
cannot read, but which would be decided and recorded. So on a loopback address requests must
name a host that is this machine, and what changes something must not come from another site's page.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

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
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


_LOOPBACK = "localhost"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def secure(headers: MutableHeaders) -> None:
    """Add what every answer has, but what it has of its own."""
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)


class BrowserSafety:
    """Takes `prefix` ("/evenmatch", or "") off the path, and refuses what a page of another site sent.

    `hosts`: names that `Host` may have; None: any. `origins`: of pages that may change things all the same.
    Refusals are 421 `unknown_host` and 403 `cross_origin`.
    """

    def __init__(
        self, app: ASGIApp, hosts: Sequence[str] | None, origins: Sequence[str], prefix: str
    ) -> None:
        self._app = app
        self._hosts = None if hosts is None else frozenset(map(str.lower, hosts))
        self._origins = frozenset(origins)
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if path.startswith(("http://", "https://")):  # RFC 9112, section 3.2.2: goes before Host
            host, _, path = path.partition("://")[2].partition("/")
            scope["path"] = path = f"/{path}"
        if self._prefix and path.startswith(f"{self._prefix}/"):
            scope["path"] = path.removeprefix(self._prefix)  # in place: who logs the request sees it, too
        answer = self._app
        if not self._is_host(host, scope["path"]):
            answer = problem_response(
                scope,
                status=421,
                code="unknown_host",
                title="Unknown host",
                detail="requests to this service must name it by a host of EVENMATCH_ALLOWED_HOSTS; by "
                "default a service on a loopback address is named localhost or by that address only",
            )
        elif scope["method"] not in _SAFE_METHODS and not self._is_own_page(headers):
            answer = problem_response(
                scope,
                status=403,
                code="cross_origin",
                title="Page of another site",
                detail="a browser sent this for a page of another site, whose origin is none of "
                "EVENMATCH_CORS_ORIGINS",
            )
        await answer(scope, receive, send)

    def _is_host(self, header: str, path: str) -> bool:
        # Probes of an orchestrator name a pod by its address, and are answered with nothing about anybody.
        if self._hosts is None or path in (paths.LIVE, paths.READY):
            return True
        host = host_of(header)
        return not host or host in self._hosts or (_LOOPBACK in self._hosts and is_loopback(host))

    def _is_own_page(self, headers: Headers) -> bool:
        """Whether no page sent this, or one of this service, or one that may.

        Browsers say which page it was, and pages cannot change that: `Sec-Fetch-Site` where the address is
        https or this machine, else `Origin`. Programs send neither.
        """
        origin = headers.get("origin")
        if origin in self._origins or "*" in self._origins:
            return True
        if (site := headers.get("sec-fetch-site")) is not None:
            return site in ("same-origin", "none")
        # A gateway may have put its own name into Host; a page could send no such header of its own choice.
        names = (headers.get("host"), headers.get("x-forwarded-host"))
        return origin is None or origin.partition("://")[2] in names


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
