"""Around every request: an id, a log line without content, metrics, and the last resort."""

from __future__ import annotations

import logging
import re
import secrets
import time
import traceback

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access.principal import Principal
from service.api.browsers import secure
from service.api.disconnects import DISCONNECTED
from service.api.errors import problem_response
from service.api.paths import UPLOADS, documented
from service.logs import LinesPerMinute, fields
from service.metrics.registry import Metrics
from service.runtime.open_requests import OpenRequests

log = logging.getLogger("service.requests")

MAX_HEADER_FIELDS = 100
MAX_HEADER_BYTES = 32 * 1024
TRACE_ID = "evenmatch.trace_id"
"""In a request's scope where requests are traced."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")

_REFUSED = (401, 429)
"""Answers of `Access` to who has no right key; then nobody is set who asks."""

_REFUSED_LINES = 120
"""Lines a minute of those: whoever sends thousands must not fill the disk."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LEFT_STATUS = 499
"""Of a request whose caller hung up before the answer: in the log and in metrics, never sent."""

_BEFORE_ROUTING = (401, 403, 413, 429, 431, _LEFT_STATUS)
"""Answers of `HeaderLimits`, `Access` and `Admission`, given before it is known which route would answer."""


class RequestContext:
    """Outermost: whatever happens inside, there is an answer, a metric and a log line."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._refused = LinesPerMinute(log, _REFUSED_LINES, "requests without a right key")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope["evenmatch.request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                secure(headers)
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            # The traceback's frames say where; the exception's message could quote what came in.
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error(
                "unexpected %s, request_id=%s\n%s",
                type(error).__name__,
                request_id,
                frames,
                extra=fields(request_id=request_id),
            )
            if status:
                raise ConnectionAbortedError("the response broke off") from None
            await _internal_error(scope)(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            if not status and scope.get(DISCONNECTED, False):
                status = _LEFT_STATUS
            route = route_label(scope) or (documented(scope["path"]) if status in _BEFORE_ROUTING else None)
            self._metrics.answered(route, status, seconds)
            principal: Principal | None = scope.get("state", {}).get("principal")
            if principal is not None or status not in _REFUSED or self._refused.take():
                _say(scope, route, status, seconds, None if principal is None else principal.key_id)


def _say(scope: Scope, route: str | None, status: int, seconds: float, key_id: str | None) -> None:
    """The line of a request."""
    request_id = scope["evenmatch.request_id"]
    log.info(
        "%s %s %d %.1f ms request_id=%s%s",
        method_label(scope),
        route or "other",
        status,
        1000 * seconds,
        request_id,
        f" key={key_id}" if key_id else "",
        extra=fields(
            request_id=request_id,
            method=method_label(scope),
            route=route or "other",
            status=status,
            milliseconds=round(1000 * seconds, 1),
            key=key_id,
            trace_id=scope.get(TRACE_ID),
        ),
    )


class HeaderLimits:
    """Answers 431 to a request with more fields, or longer ones, than any client needs.

    What is longer than 16 KiB and the piece that was read last does not come here: it is refused while it
    arrives (`invalid_http`).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fields = scope["headers"]
        size = sum(len(name) + len(value) for name, value in fields)
        answer = self._app
        if len(fields) > MAX_HEADER_FIELDS:
            answer = _headers_too_large(scope, "fields", MAX_HEADER_FIELDS, len(fields))
        elif size > MAX_HEADER_BYTES:
            answer = _headers_too_large(scope, "bytes", MAX_HEADER_BYTES, size)
        await answer(scope, receive, send)


class HeadAsGet:
    """Answers HEAD as GET without its body (RFC 9110, section 9.3.2): balancers and monitors ask so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        scope["method"] = "GET"  # in place: those around this read the route that is found from the scope
        try:
            await self._app(scope, receive, send_head)
        finally:
            scope["method"] = "HEAD"


class CountOpenRequests:
    """Innermost, when the body is read: requests with a body keep background work waiting, but uploads."""

    def __init__(self, app: ASGIApp, open_requests: OpenRequests) -> None:
        self._app = app
        self._open_requests = open_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] in UPLOADS:
            await self._app(scope, receive, send)
            return
        with self._open_requests.request():
            await self._app(scope, receive, send)


def method_label(scope: Scope) -> str:
    """The method, if it is one of HTTP's: any other word is the caller's own text."""
    method: str = scope["method"]
    return method if method in _METHODS else "_OTHER"


def route_label(scope: Scope) -> str | None:
    """The route's path as documented, whichever of its names was asked; None if no route matched."""
    path: str | None = getattr(scope.get("route"), "path", None)
    return (documented(path) or path) if path else None


def _headers_too_large(scope: Scope, unit: str, limit: int, actual: int) -> ASGIApp:
    return problem_response(
        scope,
        status=431,
        code="headers_too_large",
        title="Request header too large",
        detail=f"the header has {actual:,} {unit}; the limit is {limit:,}",
        limit=limit,
        actual=actual,
        headers={"Connection": "close"},
    )


def _internal_error(scope: Scope) -> ASGIApp:
    return problem_response(
        scope,
        status=500,
        code="internal_error",
        title="Internal error",
        detail="the service failed on this request; its operators find the cause under the request_id",
    )
