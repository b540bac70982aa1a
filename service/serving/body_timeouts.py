"""How long a request's body may take to arrive, and what becomes of it when the service stops meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import problem_response
from service.api.paths import PROBES

SURPLUS = "evenmatch.surplus"
"""Set in the scope of a request on a connection above the limit."""

GRACE_SECONDS = 1.0
"""After SIGTERM: time for what is on its way, the rest of a body or the next request of a busy client."""

_BYTES_PER_SECOND = 10_000
"""A body that arrives at this rate is never given up: the 8 MiB of the largest one in 14 minutes."""


class Draining:
    """Whether the service stops, and what waits for bodies meanwhile. For one event loop."""

    def __init__(self) -> None:
        self.until: float | None = None
        """Monotonic time up to which bodies may still arrive; None while the service does not stop."""
        self._waiting: set[asyncio.Timeout] = set()

    @property
    def begun(self) -> bool:
        return self.until is not None

    def begin(self) -> None:
        """Give every body that is not there yet `GRACE_SECONDS`."""
        self.until = time.monotonic() + GRACE_SECONDS
        end = asyncio.get_running_loop().time() + GRACE_SECONDS
        for limit in self._waiting:
            limit.reschedule(min(end, limit.when() or end))

    def seconds_left(self, seconds: float) -> float:
        """`seconds`, or less where the service stops."""
        return seconds if self.until is None else max(0.0, min(seconds, self.until - time.monotonic()))

    @contextmanager
    def shortens(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Within this context, `begin` brings the end of `limit` forward."""
        self._waiting.add(limit)
        try:
            yield
        finally:
            self._waiting.discard(limit)


class ReceiveInTime:
    """Answers 408 to a body that stops arriving, and 503 to one that is not there when the service stops.

    A body may use up `body_seconds` of waiting; what arrives earns time back, up to that again. Only the time
    in which the app waits for the body counts. To the app, a request given up looks as if its caller had
    left.
    """

    def __init__(self, app: ASGIApp, *, body_seconds: float, draining: Draining) -> None:
        self._app = app
        self._body_seconds = body_seconds
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope.get(SURPLUS) and scope["path"] not in PROBES:
            await _too_many_connections(scope)(scope, receive, send)
            return
        body_seconds, draining = self._body_seconds, self._draining
        allowed = body_seconds
        received = 0
        complete = started = given_up = left = False

        async def receive_in_time() -> Message:
            nonlocal allowed, received, complete, given_up, left
            if left:
                return {"type": "http.disconnect"}
            if complete:
                return await receive()
            began = time.monotonic()
            try:
                async with asyncio.timeout(draining.seconds_left(allowed)) as limit:
                    with draining.shortens(limit):
                        message = await receive()
            except TimeoutError:
                left = True
                if not started:  # otherwise the app's own answer is under way
                    given_up = True
                    answer = _stopping(scope) if draining.begun else _timed_out(scope, received, body_seconds)
                    await answer(scope, receive, send)
                return {"type": "http.disconnect"}
            size = len(message.get("body", b""))
            received += size
            allowed += size / _BYTES_PER_SECOND - (time.monotonic() - began)
            allowed = max(0.0, min(allowed, body_seconds))
            complete = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def send_unless_given_up(message: Message) -> None:
            nonlocal started
            if not given_up:
                started = True
                await send(message)

        try:
            await self._app(scope, receive_in_time, send_unless_given_up)
        except asyncio.CancelledError:
            # The time given to open requests is over: uvicorn's own answer would be a 500 in plain text.
            if started or given_up or not draining.begun:
                raise
            given_up = True
            await _stopping(scope)(scope, receive, send)


def _timed_out(scope: Scope, received: int, seconds: float) -> Response:
    return problem_response(
        scope,
        status=408,
        code="body_timeout",
        title="Request timeout",
        detail=f"the body stopped arriving: after {received:,} bytes the rest did not come in {seconds:g} s",
        headers={"Connection": "close"},
    )


def _stopping(scope: Scope) -> Response:
    return problem_response(
        scope,
        status=503,
        code="shutting_down",
        title="Shutting down",
        detail="the service is stopping and this request was not complete; send it again",
        headers={"Connection": "close", "Retry-After": "1"},
    )


def _too_many_connections(scope: Scope) -> Response:
    return problem_response(
        scope,
        status=503,
        code="too_many_connections",
        title="Too many connections",
        detail="every connection that this process may have is in use; send the request again",
        headers={"Connection": "close", "Retry-After": "1"},
    )
