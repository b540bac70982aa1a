"""Which requests are let in: before their body is read if its length says enough, always before it is parsed.

What waits for memory or a place would take both, so nothing waits here: a request is let in or gets 429.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anyio import move_on_after
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.disconnects import DISCONNECTED, is_upload, media_type_of
from service.api.errors import problem_response
from service.api.paths import FORMS
from service.core.errors import QueueFullError

_DRAIN_FACTOR = 8
_DRAIN_SECONDS = 5.0
"""A refused body is read on, up to so many times the limit and for so long: who still sends would not see the
answer, since a connection that is closed with unread data in it is reset."""

_SMALL_BYTES = 64 * 1024
"""A refused body up to this length is read first, and the connection stays."""


class Budget:
    """What is open in this process: bytes of bodies, bytes of large answers, requests with a body.

    For one event loop.
    """

    def __init__(self, max_bytes: int, max_answer_bytes: int, max_requests: int) -> None:
        self.max_bytes = max_bytes
        self.max_answer_bytes = max_answer_bytes
        self.max_requests = max_requests
        self.bytes = 0
        self.answer_bytes = 0
        self.requests = 0

    def fits(self, size: int) -> bool:
        """Whether `size` more bytes of bodies have room."""
        return self.bytes + size <= self.max_bytes


class Held:
    """What one request holds of the budget until it is answered; in its scope under `KEY`."""

    KEY = "evenmatch.held"

    def __init__(self, budget: Budget) -> None:
        self.body = 0
        self._budget = budget
        self._answer = 0
        budget.requests += 1

    def take(self, size: int) -> None:
        """Hold more of the room for bodies: the caller has looked that it is there."""
        self.body += size
        self._budget.bytes += size

    def take_answer(self, size: int) -> None:
        """Hold room for `size` bytes of an answer; raises `QueueFullError` if there is none now.

        One answer is let in however large it is: its own limits say how large it may be.
        """
        budget = self._budget
        if budget.answer_bytes and budget.answer_bytes + size > budget.max_answer_bytes:
            raise QueueFullError(
                f"answers that are being made or sent hold {budget.answer_bytes:,} of "
                f"{budget.max_answer_bytes:,} bytes; {size:,} more do not fit now",
                retry_after=5,
                limit=budget.max_answer_bytes,
                actual=budget.answer_bytes + size,
            )
        self._answer += size
        budget.answer_bytes += size

    def release(self) -> None:
        """The request is over."""
        self._budget.requests -= 1
        self._budget.bytes -= self.body
        self._budget.answer_bytes -= self._answer


class _Refused(Exception):
    """Carries the answer to a request that is not let in. `unread`: more of its body may come."""

    def __init__(self, response: Response, *, unread: bool = True) -> None:
        super().__init__(response.status_code)
        self.response = response
        self.unread = unread


class _CallerLeft(Exception):
    """The body did not come to its end."""


class Admission:
    """Reads bodies of up to `limit` bytes within the budget, and keeps their share until they are answered.

    413 for a body that is too long, 429 if there is no room now; `retry_after` estimates the seconds. A form
    with documents may have `form_limit` bytes, and a body that its route reads as it arrives `upload_limit`,
    which takes no room.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int,
        budget: Budget,
        retry_after: Callable[[], int],
        *,
        form_limit: int,
        upload_limit: int,
    ) -> None:
        self._app = app
        self._limit = limit
        self._form_limit = form_limit
        self._upload_limit = upload_limit
        self._budget = budget
        self._retry_after = retry_after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        declared = _content_length(scope)
        if is_upload(scope):
            await self._let_arrive(scope, receive, send, declared)
            return
        try:
            with self._let_in(scope, declared) as held:
                scope[Held.KEY] = held
                body = await self._read(scope, receive, held)
                delivered = False

                async def replay() -> Message:
                    nonlocal delivered, body
                    if delivered:
                        return await receive()
                    delivered = True
                    # Handed over: not held here while the request is answered.
                    message, body = {"type": "http.request", "body": body, "more_body": False}, b""
                    return message

                await self._app(scope, replay, send)
        except _Refused as refused:
            await self._answer(refused, scope, receive, send, declared)
        except _CallerLeft:
            scope[DISCONNECTED] = True

    @contextmanager
    def _let_in(self, scope: Scope, declared: int | None) -> Iterator[Held]:
        budget = self._budget
        uploads = is_upload(scope)
        if declared is not None and declared > self._limit_of(scope):
            raise _Refused(self._too_large(scope, declared))
        if budget.requests >= budget.max_requests:
            raise _Refused(self._too_many(scope))
        # Bytes are held as they come: who announces a body and sends none takes no room.
        if not uploads and not budget.fits(declared or 0):
            raise _Refused(self._no_room(scope, declared or 0))
        held = Held(budget)
        try:
            yield held
        finally:
            held.release()

    async def _let_arrive(self, scope: Scope, receive: Receive, send: Send, declared: int | None) -> None:
        """An upload. One that is answered before its end is read on, so that the answer is seen."""
        complete = False

        async def receive_on() -> Message:
            nonlocal complete
            message = await receive()
            complete |= message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def send_on(message: Message) -> None:
            if complete:
                await send(message)
            elif message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
                await send(message)
            elif message.get("more_body", False):
                await send(message)
            else:
                await send({**message, "more_body": True})
                with move_on_after(_DRAIN_SECONDS):
                    await self._drain(receive)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        try:
            with self._let_in(scope, declared) as held:
                scope[Held.KEY] = held
                await self._app(scope, receive_on, send_on)
        except _Refused as refused:
            await self._answer(refused, scope, receive, send, declared)

    async def _read(self, scope: Scope, receive: Receive, held: Held) -> bytes:
        """The whole body. Raises `_Refused` as soon as it does not fit, `_CallerLeft`."""
        chunks: list[bytes] = []
        limit, more = self._limit_of(scope), True
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _CallerLeft
                chunk = message.get("body", b"")
                size = held.body + len(chunk)
                more = message.get("more_body", False)
                if size > limit:
                    raise _Refused(self._too_large(scope, size), unread=more)
                if not self._budget.fits(len(chunk)):
                    raise _Refused(self._no_room(scope, len(chunk)), unread=more)
                held.take(len(chunk))
                chunks.append(chunk)
            return b"".join(chunks)
        finally:
            chunks.clear()  # not kept by the traceback while a refused caller is answered

    async def _answer(
        self, refused: _Refused, scope: Scope, receive: Receive, send: Send, declared: int | None
    ) -> None:
        """Send the answer, and read what is still being sent so that it is seen."""
        response, unread = refused.response, refused.unread
        if unread and declared is not None and declared <= _SMALL_BYTES:
            if not await self._drain(receive):
                scope[DISCONNECTED] = True
                return
            unread = False
        if not unread:
            await response(scope, receive, send)
            return
        response.headers["Connection"] = "close"
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        )
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        with move_on_after(_DRAIN_SECONDS):
            await self._drain(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self, receive: Receive) -> bool:
        """Whether the body came to its end, or to as much of it as is worth reading."""
        size = 0
        while size <= _DRAIN_FACTOR * self._limit:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            size += len(message.get("body", b""))
            if not message.get("more_body", False):
                break
        return True

    def _limit_of(self, scope: Scope) -> int:
        if is_upload(scope):
            return self._upload_limit
        is_form = scope["path"] in FORMS and media_type_of(scope) == "multipart/form-data"
        return self._form_limit if is_form else self._limit

    def _too_large(self, scope: Scope, actual: int) -> Response:
        limit = self._limit_of(scope)
        return problem_response(
            scope,
            status=413,
            code="body_too_large",
            title="Body too large",
            detail=f"the body has {actual:,} bytes or more; the limit is {limit:,}",
            limit=limit,
            actual=actual,
        )

    def _no_room(self, scope: Scope, size: int) -> Response:
        budget = self._budget
        return self._busy(
            scope,
            f"requests that are being answered hold {budget.bytes:,} of {budget.max_bytes:,} bytes; "
            f"{size:,} more do not fit now",
            budget.max_bytes,
            budget.bytes + size,
        )

    def _too_many(self, scope: Scope) -> Response:
        most = self._budget.max_requests
        return self._busy(scope, f"{most:,} requests are being answered, as many as may", most, most + 1)

    def _busy(self, scope: Scope, detail: str, limit: int, actual: int) -> Response:
        return problem_response(
            scope,
            status=429,
            code="too_busy",
            title="Too busy",
            detail=detail,
            limit=limit,
            actual=actual,
            headers={"Retry-After": str(max(1, self._retry_after()))},
        )


def _content_length(scope: Scope) -> int | None:
    given = Headers(scope=scope).get("content-length", "")
    return int(given) if given.isdecimal() and given.isascii() else None
