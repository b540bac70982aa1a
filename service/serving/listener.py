"""Sockets that listen, and accepting so that neither descriptors nor the log run out.

asyncio's own accepting is not used: without a free descriptor, Python 3.11 tries and logs 2,048 times a turn
and schedules as many new tries, which fills a disk within minutes.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from service.core.errors import ConfigurationError
from service.logs import OncePerMinute

log = logging.getLogger(__name__)

SURPLUS_CONNECTIONS = 16
"""Connections above the limit that are accepted for probes of health and metrics."""

_BACKLOG = 2_048
_ACCEPTS_A_TURN = 16
_MOST_DESCRIPTORS = 65_536
_DESCRIPTORS_KEPT = 64
"""For the database, files, and whatever else is opened while the service runs."""

_LEAST_CONNECTIONS = 8
_LAST_HANDSHAKES_SECONDS = 1.0
"""When the service stops: for connections that are being made."""

_PAUSE_WHEN_FULL_SECONDS = 0.1
_PAUSE_WITHOUT_DESCRIPTORS_SECONDS = 1.0


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets on the port of every address of `host`. They do not listen yet, so nobody can connect.

    `::` is every address of this machine, of IPv4 too, for which there is a socket of its own: behind a
    single one for both, callers would have addresses that no list of trusted proxies names.

    Raises `ConfigurationError`.
    """
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    bare = host.removeprefix("[").removesuffix("]")
    try:
        for one in (bare, "0.0.0.0") if bare == "::" else (bare or None,):  # nosec B104
            addresses = socket.getaddrinfo(one, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            for family, kind, protocol, _, address in dict.fromkeys(addresses):
                if sockets and not port:  # the first one chose it for all
                    address = (address[0], sockets[0].getsockname()[1], *address[2:])
                try:
                    sockets.append(_bound(family, kind, protocol, address))
                except OSError as error:
                    if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                        raise
                    missing = error  # as ::1 of `localhost` in a container without IPv6
        if missing is not None and not sockets:
            raise missing
    except OSError as error:
        for bound in sockets:
            bound.close()
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return sockets


def url_of(listening: socket.socket, scheme: str = "http") -> str:
    """Where a socket is reached, as `http://[::]:8000`."""
    host, port = listening.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


@dataclass(frozen=True, slots=True)
class Handshakes:
    """How connections of a listener are encrypted, how long a client has for that, and `most` at a time.

    `tls` gives the context of the next one.

    One that would be too many ends the oldest: whoever opens connections and says nothing keeps nobody out.
    """

    tls: Callable[[], ssl.SSLContext]
    seconds: float
    most: int


def _bound(family: int, kind: int, protocol: int, address: tuple[Any, ...]) -> socket.socket:
    one = socket.socket(family, kind, protocol)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # the IPv4 address has a socket of its own
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
    except OSError:
        one.close()
        raise
    return one


def raise_descriptor_limit() -> None:
    """Let this process, and those it starts, open as many files as the system allows, up to 65,536."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # macOS has a lower limit of its own
        log.warning("the limit of open files stays at %d: the system allows no more", soft)


def most_connections(wanted: int) -> int:
    """`wanted`, or what the limit of open files leaves beside those that are open now and those kept free."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    left = soft - len(os.listdir("/dev/fd")) - _DESCRIPTORS_KEPT - SURPLUS_CONNECTIONS - _ACCEPTS_A_TURN
    if left >= wanted:
        return wanted
    possible = max(_LEAST_CONNECTIONS, left)
    log.warning("%d connections at most, not %d: only %d files may be open", possible, wanted, soft)
    return possible


class Listener:
    """Accepts connections on one socket, while there is room for more."""

    def __init__(
        self,
        listening: socket.socket,
        connection: Callable[[], asyncio.Protocol],
        has_room: Callable[[], bool],
        make_room: Callable[[], bool],
        handshakes: Handshakes | None = None,
    ) -> None:
        """`make_room` closes a connection that can be spared; it is called when no descriptor is left.

        `handshakes`: of TLS; None: connections are not encrypted.
        """
        self._socket = listening
        self._connection = connection
        self._has_room = has_room
        self._make_room = make_room
        self._loop = asyncio.get_running_loop()
        self._handshakes = handshakes
        self._starting: dict[asyncio.Task[None], None] = {}  # the oldest first
        self._again: asyncio.TimerHandle | None = None
        self._digest = OncePerMinute(log)

    def start(self) -> None:
        """Listen, and accept from now on. Raises `OSError`."""
        self._socket.setblocking(False)
        self._socket.listen(_BACKLOG)
        self._resume()

    async def close(self) -> None:
        """Accept what has connected already, then no more. New connections are refused."""
        while self._again is None and self._accept():
            pass
        if self._again is not None:
            self._again.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()
        if self._starting:
            _, unfinished = await asyncio.wait(self._starting, timeout=_LAST_HANDSHAKES_SECONDS)
            for task in unfinished:
                task.cancel()

    def _accept(self) -> bool:
        """Accept a few connections; return whether there may be more now."""
        for _ in range(_ACCEPTS_A_TURN):
            if not self._has_room():
                self._pause(_PAUSE_WHEN_FULL_SECONDS)
                return False
            try:
                accepted, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return False
            except OSError as error:
                name = errno.errorcode.get(error.errno or 0, "an unknown error")
                self._digest.warning(f"no connection can be accepted for the moment: {name}")
                freed = [self._make_room() for _ in range(_ACCEPTS_A_TURN)]
                self._pause(_PAUSE_WHEN_FULL_SECONDS if any(freed) else _PAUSE_WITHOUT_DESCRIPTORS_SECONDS)
                return False
            accepted.setblocking(False)
            if self._handshakes is not None and len(self._starting) >= self._handshakes.most:
                next(iter(self._starting)).cancel()
            task = self._loop.create_task(self._connect(accepted))
            self._starting[task] = None
            task.add_done_callback(lambda done: self._starting.pop(done, None))
        return True

    async def _connect(self, accepted: socket.socket) -> None:
        encrypted: dict[str, Any] = {}
        if self._handshakes is not None:
            encrypted = {"ssl": self._handshakes.tls(), "ssl_handshake_timeout": self._handshakes.seconds}
        try:
            await self._loop.connect_accepted_socket(self._connection, accepted, **encrypted)
        except OSError:  # the client is gone already, or the handshake failed or took too long
            accepted.close()
        except asyncio.CancelledError:
            accepted.close()
            raise

    def _pause(self, seconds: float) -> None:
        """Stop being told of connections, which wait with the system meanwhile."""
        self._loop.remove_reader(self._socket)
        self._again = self._loop.call_later(seconds, self._resume)

    def _resume(self) -> None:
        self._again = None
        self._loop.add_reader(self._socket, self._accept)
