"""Requests with an `Idempotency-Key`, as the store sees them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from service.store.decisions import Decision, KeyedRequest
from service.store.idempotency import keyed_request, with_answer
from service.store.log import DecisionLog
from service.store.tables import answers
from tests.support.decision_logs import DAY, KEY, decision


def request(key: str = "key", body: str = "body", route: str = "/v1/score") -> KeyedRequest:
    return keyed_request(KEY, route, key, body.encode())


def submission(
    numbers: Sequence[int], key: str = "key", body: str = "body", *, hours: float = 0
) -> list[Decision]:
    """The decisions of one keyed request, made at one time; its answer names them."""
    made = [decision(n, time=DAY + timedelta(hours=hours)) for n in numbers]
    return with_answer(made, request(key, body), content(made))


def content(made: Sequence[Decision]) -> str:
    return json.dumps([one.decision_id for one in made])


def kept_answers(log: DecisionLog) -> dict[str, str | None]:
    """Contents by digest of the key."""
    with log.reading() as connection:
        return {row.key: row.content for row in connection.execute(select(answers))}
