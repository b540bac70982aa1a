"""A caller who can hang up at any moment, which test clients cannot."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import anyio
from starlette.types import Message

from tests.support.api import Api
from tests.support.patience import PATIENCE


class Caller:
    """Sends a request to the app as a server would. `more`: the body does not come to its end."""

    def __init__(self, api: Api, path: str, body: Any, *, more: bool = False, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json", "content-length": str(len(data)), **headers}
        self._scope = self.scope(path, sent)
        assert api.portal is not None
        self._api = api
        self._portal = api.portal
        self._body: list[Message] = [{"type": "http.request", "body": data, "more_body": more}]
        self._gone: anyio.Event = self._portal.call(_event)
        self.answer: list[Message] = []
        self.done: Future[None] = self._portal.start_task_soon(self._run)

    @staticmethod
    def scope(path: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """What a server tells of a POST."""
        return {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "http_version": "1.1",
            "scheme": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }

    @property
    def status(self) -> int | None:
        return self.answer[0]["status"] if self.answer else None

    def leave(self) -> None:
        """Hang up."""
        self._portal.call(self._gone.set)

    async def _run(self) -> None:
        async def receive() -> Message:
            if self._body:
                return self._body.pop()
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            self.answer.append(message)

        await self._api.app(self._scope, receive, send)


async def _event() -> anyio.Event:
    return anyio.Event()


def until(condition: Callable[[], object]) -> None:
    """Wait for something that must come."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
