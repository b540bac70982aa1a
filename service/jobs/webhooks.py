"""Notices of a job's end, signed as Standard Webhooks has it, and sent again until somebody takes them.

A notice is a row that is made in the transaction which ends the job, so none is lost and none is made
twice. It may arrive twice, if a process dies between the answer and the note of it: receivers go by
`webhook-id`.

An address is what a caller names, so a notice goes to public addresses only, unless the settings say
otherwise. The name is resolved once for each try, every address that it has is checked, and the connection
goes to one of those: a name that changes its address in between gains nothing. Redirects are not followed.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import http.client
import ipaddress
import random
import socket
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import Engine, select, update
from standardwebhooks import Webhook

from service.core.errors import ConfigurationError, SealedError, WebhookError
from service.core.tenants import DEFAULT_TENANT
from service.jobs.clock import SECOND, now_in
from service.jobs.observer import Delivery
from service.jobs.options import JobsOptions
from service.jobs.sealing import Sealer
from service.store.job_tables import deliveries, jobs
from service.store.transactions import reading, writing

_HELD_SECONDS = 120
"""After so long a notice that was taken to be sent is due again: its process died."""

_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 900.0
_WAIT_SECONDS = 10.0
_ALL_SECONDS = 30.0
_GONE = 410
_PREFIX = "whsec_"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_HOUR = 3_600 * SECOND


@dataclass(frozen=True, slots=True)
class _Notice:
    id: str
    tenant: str
    payload: str
    url: str
    attempts: int
    created: int


class _SendError(Exception):
    """A try failed. `final`: another would, too."""

    def __init__(self, *, final: bool = False) -> None:
        super().__init__()
        self.final = final


def check_webhook(url: str, options: JobsOptions) -> None:
    """Raise `WebhookError` for an address that notices are never sent to, as far as its text says so."""
    if not options.webhook_secret.get_secret_value():
        raise WebhookError("webhooks are not set up here: there is no secret to sign with", field="webhook")
    _parsed(url, private=options.webhook_private)


def check_secret(options: JobsOptions) -> None:
    """Raise `ConfigurationError` if the secret is none that Standard Webhooks knows."""
    secret = options.webhook_secret.get_secret_value()
    if secret:
        try:
            Webhook(secret)
        except Exception:
            raise ConfigurationError(
                "jobs_webhook_secret is no secret of Standard Webhooks: `whsec_` and base64",
                field="jobs.webhook_secret",
            ) from None


def secret_of(options: JobsOptions, tenant: str) -> str:
    """What a tenant's notices are signed with, in the form of Standard Webhooks: "" if none are sent.

    That of the settings for the default tenant; derived from it for every other one, since who knows the
    secret of another receiver could make notices for it.
    """
    secret = options.webhook_secret.get_secret_value()
    if not secret or tenant == DEFAULT_TENANT:
        return secret
    own = base64.b64decode(secret.removeprefix(_PREFIX))
    derived = hmac.digest(own, f"evenmatch webhook\n{tenant}".encode(), "sha256")
    return _PREFIX + base64.b64encode(derived).decode()


class WebhookSender:
    """Sends what is due, one after the other. For one thread."""

    def __init__(self, engine: Engine, sealer: Sealer, options: JobsOptions) -> None:
        self._engine = engine
        self._sealer = sealer
        self._options = options

    def send_next(self) -> Delivery | None:
        """Send one notice that is due; what became of it, None if none is. Raises `StoreUnavailableError`."""
        if not self._options.webhook_secret.get_secret_value():
            return None
        notice = self._take()
        if notice is None:
            return None
        try:
            self._send(notice)
        except _SendError as error:
            return self._failed(notice, final=error.final)
        self._settle(notice, None)
        return "delivered"

    def _take(self) -> _Notice | None:
        with reading(self._engine) as connection:
            now = now_in(connection)
            query = select(deliveries).where(deliveries.c.due <= now).order_by(deliveries.c.due).limit(1)
            if connection.execute(query).first() is None:
                return None
        with writing(self._engine) as connection:
            row = connection.execute(query.with_for_update(skip_locked=True)).mappings().first()
            if row is None:
                return None
            of_job = select(jobs.c.tenant).where(jobs.c.id == row["job_id"])
            tenant = connection.execute(of_job).scalar() or DEFAULT_TENANT
            connection.execute(
                update(deliveries)
                .where(deliveries.c.id == row["id"])
                .values(due=now + _HELD_SECONDS * SECOND, attempts=row["attempts"] + 1)
            )
        try:
            url = self._sealer.open(row["url"], f"{row['job_id']}/webhook").decode()
        except SealedError:
            url = ""  # the key was changed meanwhile: nobody knows the address any more
        return _Notice(row["id"], tenant, row["payload"], url, row["attempts"] + 1, row["created"])

    def _send(self, notice: _Notice) -> None:
        try:
            parsed = _parsed(notice.url, private=self._options.webhook_private)
        except WebhookError:
            raise _SendError(final=True) from None
        now = datetime.now(UTC)
        secret = Webhook(secret_of(self._options, notice.tenant))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "evenmatch",
            "webhook-id": notice.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": secret.sign(notice.id, now, notice.payload),
        }
        status = _post(parsed, notice.payload.encode(), headers, private=self._options.webhook_private)
        if not 200 <= status < 300:
            raise _SendError(final=status == _GONE)

    def _failed(self, notice: _Notice, *, final: bool) -> Delivery:
        with writing(self._engine) as connection:
            now = now_in(connection)
        if final or now - notice.created > self._options.webhook_hours * _HOUR:
            self._settle(notice, None)
            return "given_up"
        # A doubtful exponent would overflow; the pause is at its longest by then.
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(notice.attempts - 1, 16))
        self._settle(notice, now + int(pause * random.uniform(0.8, 1.2) * SECOND))
        return "failed"

    def _settle(self, notice: _Notice, due: int | None) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(deliveries).where(deliveries.c.id == notice.id).values(due=due))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also when it is wrapped in another."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip.sixtofour is not None or ip.teredo is not None or ip in _NAT64:
            return False
    return ip.is_global and not ip.is_multicast


def _parsed(url: str, *, private: bool) -> SplitResult:
    try:
        parsed = urlsplit(url)
        host, _ = parsed.hostname, parsed.port
    except ValueError:
        raise WebhookError("webhook is not a URL", field="webhook") from None
    if parsed.scheme != "https" and not (private and parsed.scheme == "http"):
        raise WebhookError("webhook must begin with https://", field="webhook")
    if not host or parsed.username is not None or parsed.password is not None:
        raise WebhookError("webhook needs a host, and neither a user nor a password", field="webhook")
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return parsed
    if not private and not is_public(str(literal)):
        raise WebhookError("webhook names a private or local address", field="webhook")
    return parsed


def _address(host: str, port: int, *, private: bool) -> str:
    """One address of a host, every one of which was checked."""
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise _SendError from None
    if not found or (not private and not all(map(is_public, found))):
        raise _SendError
    return found[0]


def _post(url: SplitResult, body: bytes, headers: dict[str, str], *, private: bool) -> int:
    """The status of the answer, of which no more is read."""
    host, secure = url.hostname or "", url.scheme == "https"
    port = url.port or (443 if secure else 80)
    address = _address(host, port, private=private)
    connection = (_PinnedTls if secure else _Pinned)(host, port, address)
    # Each wait has a limit; one who answers a byte at a time must not hold up the others either.
    too_long = threading.Timer(_ALL_SECONDS, _cut, [connection])
    too_long.daemon = True
    too_long.start()
    try:
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        raise _SendError from None
    finally:
        too_long.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """Connects to an address that was checked, whatever the name says by now."""

    def __init__(self, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=_WAIT_SECONDS)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), _WAIT_SECONDS)


class _PinnedTls(_Pinned):
    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _cut(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
