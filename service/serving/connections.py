"""uvicorn's HTTP/1.1 connections, limited in number and in the time that a client may take for each step.

uvicorn does not limit the time for a header, for the rest of a body that nobody waits for, and for an answer
to be read. A body that the app waits for is limited in `body_timeouts`, which can answer as usual.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import select
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol
from uvicorn.server import ServerState

from service.api.browsers import secure
from service.api.errors import problem_response
from service.logs import OncePerMinute
from service.metrics.registry import CloseReason, Metrics
from service.serving.body_timeouts import GRACE_SECONDS, SURPLUS, Draining

log = logging.getLogger(__name__)

_LINGER_SECONDS = 10.0
"""Most that is read of a request whose answer is sent and says that the connection ends."""

_LINGER_QUIET_SECONDS = 1.0
_FRESH_SECONDS = 1.0
"""A connection this young has hardly had time to ask."""

_SAID: dict[CloseReason, str] = {
    "header_timeout": "a connection was closed: it sent no whole header in time",
    "body_timeout": "a connection was closed: the rest of a request that was answered did not come in time",
    "write_timeout": "a connection was closed: its answer was not read",
    "evicted": "a connection that had no open request was closed to make room for another",
    "invalid_request": "a connection was closed: what it sent was not HTTP",
}


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Seconds that a client has for each step, and how many connections one process has at `most`."""

    header_seconds: float
    body_seconds: float
    write_seconds: float
    most: int


class Connections:
    """What the connections of one process have in common."""

    def __init__(self, limits: ConnectionLimits, draining: Draining, metrics: Metrics) -> None:
        self.limits = limits
        self.draining = draining
        self.metrics = metrics
        self._digest = OncePerMinute(log)

    def ended(self, reason: CloseReason) -> None:
        """Count and say it."""
        self.metrics.connection_closed(reason)
        self._digest.warning(_SAID[reason])

    def make_room(self, state: ServerState) -> bool:
        """Close the connection that is missed least, if there is one without an open request.

        First those that stayed silent since they were opened, then kept-alive ones, the longest quiet first;
        those opened a moment ago come last, for their request is probably on its way. One whose request has
        arrived is not closed.
        """
        now = asyncio.get_running_loop().time()
        candidates = [one for one in state.connections if isinstance(one, Connection) and one.is_idle]
        candidates.sort(key=lambda one: one.rank(now))
        victim = next((one for one in candidates if not one.has_unread_data), None)
        if victim is None:
            return False
        state.connections.discard(victim)  # now, and not a turn later when it is closed: it counts no more
        victim.close_at_once()
        self.ended("evicted")
        return True


class Connection(H11Protocol):
    """One connection. Runs in the event loop's thread only."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        shared: Connections,
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._shared = shared
        self._limits = shared.limits
        self._quiet_since = 0.0
        self._surplus = False
        self._owed: Literal["header", "rest"] | None = None
        self._owed_timer: asyncio.TimerHandle | None = None
        self._unread = 0
        self._write_timer: asyncio.TimerHandle | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self._lingers_since: float | None = None
        self._raw: asyncio.Transport | None = None

    @property
    def has_asked(self) -> bool:
        """Whether a request has begun."""
        cycle: object | None = self.cycle
        return cycle is not None

    @property
    def has_open_request(self) -> bool:
        """Whether a request has begun and its answer is not complete."""
        return self.has_asked and not self.cycle.response_complete

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for anything: no open request, no answer that is still being read."""
        return (
            self._raw is not None
            and not self._raw.is_closing()
            and not self.has_open_request
            and self._raw.get_write_buffer_size() == 0
        )

    @property
    def has_unread_data(self) -> bool:
        """Whether a request, or the client's end, has arrived at the system and was not read yet."""
        assert self._raw is not None
        poll = select.poll()
        poll.register(self._raw.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def rank(self, now: float) -> tuple[int, float]:
        """Place in the order in which idle connections are closed when there are too many."""
        if self.has_asked:
            return 1, self._quiet_since
        return 2 if now - self._quiet_since < _FRESH_SECONDS else 0, self._quiet_since

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= self._limits.most:
            self._shared.make_room(self.server_state)
        self._surplus = len(self.connections) >= self._limits.most
        super().connection_made(transport)
        self._raw = transport
        self.transport = cast(asyncio.Transport, _GentlyClosed(transport, self))
        self._quiet_since = self.loop.time()
        self._shared.metrics.connections_changed(len(self.connections))
        self.app = partial(self._serve, self.app)
        self._watch_what_is_owed()
        if self._shared.draining.begun:
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._shared.metrics.connections_changed(len(self.connections))
        self._unset_keepalive_if_required()
        for timer in (self._owed_timer, self._write_timer, self._end_timer):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self._lingers_since is not None:
            self._linger(self._lingers_since)
            return
        super().data_received(data)
        self._watch_what_is_owed()

    def send_400_response(self, msg: str) -> None:
        self._shared.ended("invalid_request")
        self._answer(400, "invalid_http", "Invalid HTTP", "what was sent is not a request of HTTP/1.1")

    def on_response_complete(self) -> None:
        self._quiet_since = self.loop.time()
        self._watch_reading()
        super().on_response_complete()
        self._watch_what_is_owed()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reading()

    def shutdown(self) -> None:
        """The service stops: end after the open request, or now, or when what is on its way was answered."""
        if self.has_open_request:
            self.cycle.keep_alive = False
            return
        # A client that was answered a moment ago may be sending its next request: closing now would lose it.
        rest = self._quiet_since + GRACE_SECONDS - self.loop.time()
        if rest > 0 and not self.transport.is_closing():
            self._end_timer = self.loop.call_later(rest, self._end_if_idle)
        else:
            self._end_if_idle()

    def close_gently(self) -> None:
        """Close, but read on for a moment where the client still sends.

        The system answers what arrives at a closed socket with a reset, and then the client would lose the
        answer that it was sent.
        """
        raw = self._raw
        assert raw is not None
        if raw.is_closing() or self._lingers_since is not None:
            return
        if self.conn.their_state not in (h11.SEND_BODY, h11.ERROR):
            raw.close()
            return
        self._lingers_since = self.loop.time()
        if raw.can_write_eof():  # TLS of asyncio cannot end one direction alone
            raw.write_eof()
        self.flow.resume_reading()
        self._linger(self._lingers_since)

    def close_at_once(self) -> None:
        """Close as soon as what is written is sent."""
        assert self._raw is not None
        self._raw.close()

    @property
    def lingers(self) -> bool:
        return self._lingers_since is not None

    def _linger(self, since: float) -> None:
        if self._end_timer is not None:
            self._end_timer.cancel()
        end = min(since + _LINGER_SECONDS, self.loop.time() + _LINGER_QUIET_SECONDS)
        self._end_timer = self.loop.call_at(end, self.close_at_once)

    def _end_if_idle(self) -> None:
        if not self.has_open_request:
            self.transport.close()

    async def _serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and say in its answer where it is the connection's last one."""
        if self._surplus:
            scope[SURPLUS] = True

        async def send_with_end(message: Message) -> None:
            if message["type"] == "http.response.start" and (self._surplus or self._shared.draining.begun):
                headers = list(message.get("headers", ()))
                if CLOSE_HEADER not in headers:
                    message = {**message, "headers": [*headers, CLOSE_HEADER]}
            await send(message)

        await app(scope, receive, send_with_end)

    def _watch_what_is_owed(self) -> None:
        """Start the clock for what the client has to send next, or stop it where it has sent it."""
        owed: Literal["header", "rest"] | None = None
        if self.transport.is_closing():
            pass
        elif self.conn.their_state is h11.IDLE:
            # uvicorn's own clock runs between two requests; it stops at the first byte of the next one.
            owed = None if self.timeout_keep_alive_task is not None else "header"
        elif self.conn.their_state is h11.SEND_BODY and not self.has_open_request:
            owed = "rest"
        if owed == self._owed:
            return
        self._owed = owed
        if self._owed_timer is not None:
            self._owed_timer.cancel()
            self._owed_timer = None
        if owed is not None:
            header = owed == "header"
            seconds = self._limits.header_seconds if header else self._limits.body_seconds
            self._owed_timer = self.loop.call_later(seconds, self._header_late if header else self._rest_late)

    def _header_late(self) -> None:
        self._shared.ended("header_timeout")
        begun, _ = self.conn.trailing_data
        if begun:
            detail = f"the request's header was not complete within {self._limits.header_seconds:g} s"
            self._answer(408, "header_timeout", "Request timeout", detail)
        else:  # nobody reads an answer to nothing: a browser that opened it ahead would take it for its next
            self.transport.close()

    def _rest_late(self) -> None:
        self._shared.ended("body_timeout")
        self.close_at_once()

    def _answer(self, status: int, code: str, title: str, detail: str) -> None:
        """Answer what never reached the app, and end the connection."""
        if self.has_open_request:  # its body broke off into nonsense: to the app, the caller has left
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # an answer is under way already
            self.close_at_once()
            return
        request_id = secrets.token_hex(8)
        headers = {"X-Request-ID": request_id, "Connection": "close"}
        response = problem_response(
            {"path": "", "evenmatch.request_id": request_id},
            status=status,
            code=code,
            title=title,
            detail=detail,
            headers=headers,
        )
        secure(response.headers)
        head = h11.Response(
            status_code=status,
            headers=[*self.server_state.default_headers, *response.raw_headers],
            reason=STATUS_PHRASES[status],
        )
        for event in (head, h11.Data(data=bytes(response.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        log.info("answered %d before a request was complete, request_id=%s", status, request_id)
        self._watch_reading()
        self.transport.close()

    def _watch_reading(self) -> None:
        """Look after `write_seconds` whether the client has read some of what is still to be sent to it."""
        assert self._raw is not None
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        self._unread = self._raw.get_write_buffer_size()
        if self._unread:
            self._write_timer = self.loop.call_later(self._limits.write_seconds, self._look_at_reading)

    def _look_at_reading(self) -> None:
        assert self._raw is not None
        if 0 < self._unread <= self._raw.get_write_buffer_size():
            self._shared.ended("write_timeout")
            self._raw.abort()  # a close would wait for what is left to be sent
        else:
            self._watch_reading()


class _GentlyClosed:
    """A transport that lets its connection decide how it is closed."""

    def __init__(self, transport: asyncio.Transport, connection: Connection) -> None:
        self._transport = transport
        self._connection = connection

    def close(self) -> None:
        self._connection.close_gently()

    def is_closing(self) -> bool:
        return self._connection.lingers or self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
