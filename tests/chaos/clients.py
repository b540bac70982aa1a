"""Callers of the service, and what they were answered."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from tests.chaos.service import Service

_REFUSALS = {429, 503}
"""The documented answers of a service that can keep nothing now."""
_PATIENCE_SECONDS = 90.0
_IMPATIENCE_SECONDS = 1.0
_TRIES = 20
_PAUSE_SECONDS = 0.03
"""Between two requests of a client: what counts is how many moments are tried, not how many decisions."""
_OUTCOME_REFUSALS = {404, *_REFUSALS}
"""A decision that waits in the spool has no outcome yet."""


@dataclass
class Ledger:
    """What the service promised: thread-safe by its dictionaries, which are only added to.

    `decisions`: candidate id by decision id. `outcomes`: of decisions. `erased`: candidates whose erasure was
    confirmed; `to_erase`: those for whom it has to be asked for again.
    """

    decisions: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, bool] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    to_erase: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Clients:
    """Send from several threads until `stop`.

    `impatient`: some requests have an `Idempotency-Key`, are given up after a second, and sent again. While
    the database is away, only one process that serves can keep what is promised of keys.
    """

    def __init__(self, service: Service, ledger: Ledger, count: int, *, impatient: bool) -> None:
        self._url = service.url
        self._ledger = ledger
        self._impatient = impatient
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in self._threads), "a request never ended"

    def _send(self) -> None:
        number = 0
        with httpx.Client(base_url=self._url, timeout=_PATIENCE_SECONDS) as client:
            while not self._stopped.wait(_PAUSE_SECONDS):
                number += 1
                try:
                    self._score(client, 1 + number % 3, impatient=self._impatient and number % 4 == 0)
                except httpx.TimeoutException:
                    self._ledger.wrong.append(f"no answer within {_PATIENCE_SECONDS:g} s")
                except httpx.TransportError:
                    # The process was killed; its sisters may go on.
                    self._stopped.wait(0.1)

    def _score(self, client: httpx.Client, count: int, *, impatient: bool) -> None:
        # Never two rows of one candidate, unless one decision is stored twice.
        ids = [f"candidate-{uuid.uuid4().hex}" for _ in range(count)]
        body = {
            "job": {"id": "job-1", "description": "python developer"},
            "candidates": [{"id": one, "resume": f"java {i} python"} for i, one in enumerate(ids)],
        }
        answer = self._insist(client, body) if impatient else client.post("/v1/score", json=body)
        if answer is None:
            return
        if not self._is_taken(answer, _REFUSALS):
            self._stopped.wait(0.1)
            return
        results = answer.json()["results"]
        for result in results:
            self._ledger.decisions[result["decision_id"]] = result["candidate_id"]
        if count == 1:
            self._outcome(client, results[0]["decision_id"])

    def _insist(self, client: httpx.Client, body: Mapping[str, object]) -> httpx.Response | None:
        """Ask again and again under one key; None if none of the tries was waited for long enough."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        for _ in range(_TRIES):
            if self._stopped.is_set():
                break
            try:
                return client.post("/v1/score", json=body, headers=headers, timeout=_IMPATIENCE_SECONDS)
            except httpx.TimeoutException:
                self._ledger.answers["/v1/score given up"] += 1
        return None

    def _outcome(self, client: httpx.Client, decision_id: str) -> None:
        body = {"decision_id": decision_id, "outcome": "positive", "kind": "label"}
        if self._is_taken(client.post("/v1/outcomes", json=body), _OUTCOME_REFUSALS):
            self._ledger.outcomes[decision_id] = True

    def _is_taken(self, answer: httpx.Response, refusals: set[int]) -> bool:
        status = answer.status_code
        self._ledger.answers[f"{answer.request.url.path} {status}"] += 1
        if status != 200 and status not in refusals:
            self._ledger.wrong.append(f"{answer.request.url.path} answered {status}: {answer.text[:300]}")
        return status == 200
