"""Callers who hang up: the work for them ends at its next step, and nothing of it is recorded or counted."""

from __future__ import annotations

import asyncio

import anyio
from anyio import from_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.paths import UPLOADS

DISCONNECTED = "evenmatch.left"
"""In a request's scope: true once its caller hung up before the answer began."""


def is_upload(scope: Scope) -> bool:
    """Whether the route reads the body as it arrives. JSON has to be there whole before it says anything."""
    if scope["method"] != "POST" or scope["path"] not in UPLOADS:
        return False
    media_type = media_type_of(scope)
    return media_type != "application/json" and not media_type.endswith("+json")


def media_type_of(scope: Scope) -> str:
    """Of the body, without parameters, in lower case."""
    return Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()


def caller_disconnected() -> bool:
    """Asked in a thread that works for a request: whether the request was cancelled meanwhile."""
    try:
        from_thread.check_cancelled()
    except asyncio.CancelledError:
        return True
    return False


class CancelOnDisconnect:
    """Cancels what runs inside for a caller who is gone. What must be finished shields itself from that.

    Expects the whole body in the first message: after it nothing can come but the end of the connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS") or is_upload(scope):
            await self._app(scope, receive, send)
            return
        inbox = [await receive()]
        gone = anyio.Event()
        begun = answered = False
        failure: Exception | None = None

        async def receive_once() -> Message:
            if inbox:
                return inbox.pop()
            await gone.wait()  # the connection is watched below, and may be by one only
            return {"type": "http.disconnect"}

        async def send_on(message: Message) -> None:
            nonlocal begun, answered
            begun = True
            await send(message)
            answered |= message["type"] == "http.response.body" and not message.get("more_body", False)

        async with anyio.create_task_group() as group:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                gone.set()
                if not answered:  # else the server says so of every connection
                    scope[DISCONNECTED] = not begun
                    group.cancel_scope.cancel()

            group.start_soon(watch)
            try:
                await self._app(scope, receive_once, send_on)
            except Exception as error:  # raised below, not as one of a group
                failure = error
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure
