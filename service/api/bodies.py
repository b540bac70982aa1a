"""Bodies as JSON without holding up the event loop, and answers that are sent in parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from json import decoder, scanner
from typing import Any, cast

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service.api.thread_pools import ThreadPools
from service.core.errors import UploadError

_LARGE_BYTES = 64 * 1024
"""Smaller bodies are parsed where they are: in a millisecond or two."""

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class _Decoder(json.JSONDecoder):
    """As `json.loads`, but other threads run in between.

    The scanner in C keeps Python's lock from the first character to the last: 3 s for 8 MB of empty lists.
    That in Python is as fast where a body is mostly text, since it leaves strings to C.
    """

    def __init__(self) -> None:
        super().__init__()
        self.parse_object = decoder.JSONObject  # type: ignore[attr-defined]  # not in typeshed
        self.parse_array = decoder.JSONArray  # type: ignore[attr-defined]
        self.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]


class JsonRequest(Request):
    """Parses a large body beside the event loop."""

    async def json(self) -> Any:
        body = await self.body()
        if len(body) < _LARGE_BYTES:
            return json.loads(body)
        pools = cast(ThreadPools, self.app.state.pools)
        return await pools.parsing.run(lambda: parse(body))


def parse(body: bytes) -> Any:
    """Parse JSON as `json.loads` does, in a thread beside others. Raises `ValueError`."""
    return _Decoder().decode(body.decode(json.detect_encoding(body), "surrogatepass"))


@contextmanager
def json_errors() -> Iterator[None]:
    """Raise `RequestValidationError` for text that is not JSON, as FastAPI does."""
    try:
        yield
    except json.JSONDecodeError as error:
        wrong = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "not JSON", "input": {}}
        raise RequestValidationError([wrong]) from None
    except UnicodeDecodeError as error:
        raise UploadError(f"the JSON is not UTF-8: invalid byte at offset {error.start:,}") from None
    except RecursionError:
        raise UploadError("the JSON is nested too deeply") from None


class BodyRoute(APIRoute):
    """A route whose body may be large."""

    def get_route_handler(self) -> _Handler:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(await self.prepared(request))

        return handle

    async def prepared(self, request: Request) -> Request:
        """The request as FastAPI is to read it."""
        return JsonRequest(request.scope, request.receive)


class PartsResponse(StreamingResponse):
    """An answer whose parts are made while it is sent, none before the caller took those before it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A caller who leaves is noticed by `CancelOnDisconnect`, for every kind of answer.
        await self.stream_response(send)
