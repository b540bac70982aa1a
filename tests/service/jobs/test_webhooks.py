"""Webhooks against a real HTTP server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import Engine, insert, select, update
from standardwebhooks import Webhook, WebhookVerificationError

from service.core.errors import ConfigurationError, WebhookError
from service.jobs import webhooks
from service.jobs.clock import SECOND
from service.jobs.options import JobsOptions
from service.jobs.sealing import Sealer
from service.jobs.webhooks import WebhookSender, check_secret, check_webhook, is_public, secret_of
from service.store.job_tables import deliveries
from tests.service.jobs.test_leases import add_job
from tests.support.decision_logs import KEY

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PAYLOAD = json.dumps({"type": "score_job.completed", "data": {"id": "j"}})
SEALER = Sealer.of("", KEY)


@dataclass
class Receiver:
    """`statuses`: what it answers, in turn; the last one for ever."""

    statuses: list[int]
    url: str = ""
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    receiver = Receiver(list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            status = receiver.statuses.pop(0) if len(receiver.statuses) > 1 else receiver.statuses[0]
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook?a=b"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def options(**other: object) -> JobsOptions:
    return JobsOptions(webhook_secret=SECRET, **{"webhook_private": True, **other})


def due(engine: Engine, url: str, *, age: float = 0.0) -> None:
    now = int((time.time() - age) * SECOND)
    with engine.begin() as connection:
        connection.execute(
            insert(deliveries).values(
                id="msg_1",
                job_id="j",
                created=now,
                payload=PAYLOAD,
                url=SEALER.seal(url.encode(), "j/webhook"),
                attempts=0,
                due=now,
            )
        )


def pause(engine: Engine) -> float | None:
    """Seconds until the next try; None if there is none. Then it is due at once."""
    with engine.begin() as connection:
        until = connection.execute(select(deliveries.c.due)).scalar_one()
        if until is not None:
            connection.execute(update(deliveries).values(due=0))
    return None if until is None else until / SECOND - time.time()


def test_a_notice_is_signed_and_delivered_once(engine: Engine) -> None:
    with receiving(204) as receiver:
        due(engine, receiver.url)
        sender = WebhookSender(engine, SEALER, options())
        assert [sender.send_next(), sender.send_next()] == ["delivered", None]
    ((path, headers, body),) = receiver.got
    assert path == "/hook?a=b"
    assert Webhook(SECRET).verify(body, headers) == json.loads(PAYLOAD)
    assert headers["webhook-id"] == "msg_1"


def test_a_notice_that_is_replayed_later_or_changed_is_refused_by_who_checks_it(sqlite: Engine) -> None:
    with receiving(204) as receiver:
        due(sqlite, receiver.url)
        WebhookSender(sqlite, SEALER, options()).send_next()
    ((_, headers, body),) = receiver.got
    later = str(int(headers["webhook-timestamp"]) + 60)
    for changed in ({"webhook-timestamp": later}, {"webhook-id": "msg_2"}):
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            Webhook(SECRET).verify(body, {**headers, **changed})
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(SECRET).verify(body.replace(b"completed", b"cancelled"), headers)
    headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) - 600)
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(body, headers)


def test_a_notice_of_another_tenant_is_signed_with_its_own_secret(sqlite: Engine) -> None:
    add_job(sqlite, "j", 1, tenant="acme")
    with receiving(204) as receiver:
        due(sqlite, receiver.url)
        assert WebhookSender(sqlite, SEALER, options()).send_next() == "delivered"
    ((_, headers, body),) = receiver.got
    own = secret_of(options(), "acme")
    assert Webhook(own).verify(body, headers) == json.loads(PAYLOAD)
    for foreign in (SECRET, secret_of(options(), "zeta")):
        with pytest.raises(WebhookVerificationError):
            Webhook(foreign).verify(body, headers)
    assert (secret_of(options(), "default"), secret_of(JobsOptions(), "acme")) == (SECRET, "")


def test_a_receiver_that_is_down_for_an_hour_is_told_in_the_end(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(503) as receiver:
        due(sqlite, receiver.url)
        start = now = int(time.time() * SECOND)
        monkeypatch.setattr(webhooks, "now_in", lambda _: now)
        sender = WebhookSender(sqlite, SEALER, options())
        pauses = []
        while (outcome := sender.send_next()) == "failed":
            assert sender.send_next() is None  # not before it is due
            with sqlite.connect() as connection:
                until = connection.execute(select(deliveries.c.due)).scalar_one()
            pauses.append((until - now) / SECOND)
            now = until
            if now - start > 3_600 * SECOND:
                receiver.statuses = [200]
        assert outcome == "delivered"
        assert sender.send_next() is None
    # 5 s, doubled up to 15 minutes, each a fifth more or less.
    expected = [min(5 * 2**i, 900) for i in range(len(pauses))]
    assert all(0.8 * plan <= pause <= 1.2 * plan for plan, pause in zip(expected, pauses, strict=True))
    assert (now - start) / SECOND < 3_600 + 1.2 * 900
    assert len(receiver.got) == len(pauses) + 1 <= 13
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
    for _, headers, body in receiver.got:
        Webhook(SECRET).verify(body, headers)  # each is signed with the time of its own


@pytest.mark.parametrize(("status", "age", "outcome"), [(410, 0, "given_up"), (500, 90_000, "given_up")])
def test_a_notice_is_given_up(sqlite: Engine, status: int, age: float, outcome: str) -> None:
    with receiving(status) as receiver:
        due(sqlite, receiver.url, age=age)
        sender = WebhookSender(sqlite, SEALER, options())
        assert [sender.send_next(), sender.send_next()] == [outcome, None]
    assert pause(sqlite) is None


def test_redirects_are_not_followed(sqlite: Engine) -> None:
    with receiving(302) as receiver:
        due(sqlite, receiver.url)
        assert WebhookSender(sqlite, SEALER, options()).send_next() == "failed"
    assert [path for path, *_ in receiver.got] == ["/hook?a=b"]


def test_a_name_that_resolves_to_a_private_address_is_not_called(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(200) as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
        answers = [("93.184.216.34", port), ("127.0.0.1", port)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", one) for one in answers])
        due(sqlite, f"https://example.org:{port}/hook")
        assert WebhookSender(sqlite, SEALER, options(webhook_private=False)).send_next() == "failed"
    assert receiver.got == []


def test_private_addresses() -> None:
    plain = "127.0.0.1 10.0.0.1 169.254.169.254 0.0.0.0 100.64.0.1 224.0.0.1 ::1 fe80::1%eth0 fd00::1"
    wrapped = "::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1::"
    assert [one for one in f"{plain} {wrapped}".split() if is_public(one)] == []


def test_public_addresses() -> None:
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1::1")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://127.0.0.1/",
        "https://[::1]/x",
        "https://u:p@example.org/",
        "https://:80/",
        "ftp://example.org/",
        "https://example.org:99999/",
    ],
)
def test_an_address_that_is_never_called_is_refused_at_once(url: str) -> None:
    with pytest.raises(WebhookError):
        check_webhook(url, options(webhook_private=False))


def test_without_a_secret_no_webhook_is_taken() -> None:
    with pytest.raises(WebhookError, match="no secret"):
        check_webhook("https://example.org/", JobsOptions())
    with pytest.raises(ConfigurationError, match="no secret of Standard Webhooks"):
        check_secret(JobsOptions(webhook_secret="whsec_?"))
