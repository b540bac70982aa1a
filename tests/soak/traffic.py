"""Callers of two tenants, each with a scenario that it repeats. Every answer is checked."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from tests.soak.ledger import BROKEN, JobDone, Ledger, Refusal, Scored
from tests.soak.reference import Question, Reference, without_ids

SCORE, OUTCOMES, FAIRNESS = "/v1/score", "/v1/outcomes", "/v1/fairness"
JOBS = "/v1/score/jobs"
SEXES = ("female", "male", "nonbinary")
MAX_BODY_BYTES = 1_000_000
JOB_ROWS = 6
_TIMEOUT_SECONDS = 300.0
"""Longer than anything that is broken stays so: an answer that takes so long never comes."""

_PATIENCE_SECONDS = 900.0
_PAUSE_SECONDS = 0.3
_TOO_MANY_WRONG_KEYS = 429


class GivenUpError(Exception):
    """A request was not answered in all the time that a caller waits."""


@dataclass(frozen=True)
class Caller:
    """A tenant with a key for everything, and one that may only embed."""

    tenant: str
    key: str
    embed_key: str


class Traffic:
    """Runs scenarios until `stop`. `rate`: requests a second, of all scenarios together, roughly."""

    def __init__(
        self,
        url: str,
        callers: Sequence[Caller],
        reference: Reference,
        ledger: Ledger,
        seed: int,
        rate: float,
    ) -> None:
        self._url = url
        self._callers = callers
        self._reference = reference
        self._ledger = ledger
        self._seed = seed
        self._rate = rate
        self._stopped = asyncio.Event()
        self.clean = asyncio.Event()
        """Set while nothing is broken: what is asked and answered meanwhile must be up to date."""

    def stop(self) -> None:
        """Let every scenario come to its end."""
        self._stopped.set()

    async def run(self) -> None:
        scenarios = {
            self._score: 0.40,
            self._question: 0.20,
            self._fairness: 0.10,
            self._mistake: 0.15,
            self._hang_up: 0.08,
            self._probe: 0.05,
            self._job: 0.02,
        }
        async with (
            httpx.AsyncClient(base_url=self._url, timeout=_TIMEOUT_SECONDS) as client,
            asyncio.TaskGroup() as tasks,
        ):
            for number, (scenario, share) in enumerate(scenarios.items()):
                # Two of each, so that the same scenario meets itself.
                for twin in range(2):
                    chance = random.Random(f"{self._seed} {number} {twin}")
                    tasks.create_task(self._repeat(scenario, client, chance, 2 / (share * self._rate)))

    async def confirm(self, sample: int) -> None:
        """Send again what took several tries, and a sample of the rest: answers under a key stay the same.

        What two processes answered without a database between them is settled now, as docs/decision-log.md
        says: this answer counts.
        """
        chance = random.Random(self._seed)
        once = [one for one in self._ledger.scored if one.tries == 1]
        again = [one for one in self._ledger.scored if one.tries > 1]
        again += chance.sample(once, min(sample, len(once)))
        by_tenant = {caller.tenant: caller for caller in self._callers}
        async with httpx.AsyncClient(base_url=self._url, timeout=_TIMEOUT_SECONDS) as client:
            for one in again:
                headers = {**_bearer(by_tenant[one.tenant].key), "Idempotency-Key": one.key}
                answer = await client.post(SCORE, json=one.body, headers=headers)
                if answer.status_code != 200:
                    self._wrong(f"a repeated request was answered {answer.status_code}: {answer.text[:200]}")
                    continue
                if answer.headers.get("idempotency-replayed") != "true":
                    self._wrong("a request that was answered before was decided again")
                results = answer.json()["results"]
                if one.tries == 1 and _ids(results) != _ids(one.results):
                    self._wrong("a repeated request was answered with other decisions")
                one.results = results

    async def _repeat(
        self, scenario: Any, client: httpx.AsyncClient, chance: random.Random, pause: float
    ) -> None:
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), chance.expovariate(1 / pause))
                return
            with suppress(GivenUpError):  # it is in the ledger
                await scenario(client, chance)

    # Scenarios.

    async def _score(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        caller = chance.choice(self._callers)
        posting = chance.randrange(len(self._reference.postings))
        chosen = chance.sample(range(len(self._reference.resumes)), chance.randint(1, 4))
        explain = chance.random() < 0.2
        candidates = [(f"c-{uuid.uuid4().hex}", chance.choice(SEXES)) for _ in chosen]
        body = {
            "job": self._reference.postings[posting],
            "candidates": [
                {"id": name, "resume": self._reference.resumes[resume], "groups": {"sex": sex}}
                for (name, sex), resume in zip(candidates, chosen, strict=True)
            ],
            "explain": explain,
        }
        key = str(uuid.uuid4())
        self._ledger.sent[caller.tenant] += len(candidates)
        headers = {**_bearer(caller.key), "Idempotency-Key": key}
        answer, tries = await self._insist(client, "POST", SCORE, json=body, headers=headers)
        results = answer.json()["results"]
        if [result["candidate_id"] for result in results] != [name for name, _ in candidates]:
            self._wrong("results of other candidates, or in another order")
            return
        for result, resume in zip(results, chosen, strict=True):
            expected = self._reference.result(posting, resume, explain=explain)
            if without_ids(result) != expected:
                self._differs(SCORE, without_ids(result), expected)
        self._ledger.scored.append(Scored(caller.tenant, key, body, candidates, tries, results))
        self._ledger.answered[caller.tenant] += len(candidates)
        if tries == 1 and chance.random() < 0.5:
            await self._outcome(client, chance, caller, str(results[0]["decision_id"]))

    async def _outcome(
        self, client: httpx.AsyncClient, chance: random.Random, caller: Caller, decision: str
    ) -> None:
        positive = chance.random() < 0.5
        body = {
            "decision_id": decision,
            "outcome": "positive" if positive else "negative",
            "kind": "label",
        }
        headers = {**_bearer(caller.key), "Idempotency-Key": str(uuid.uuid4())}
        answer, _ = await self._insist(client, "POST", OUTCOMES, json=body, headers=headers)
        if answer.json()["status"] != "recorded":
            self._wrong(f"an outcome that was new was answered {answer.json()['status']}")
        self._ledger.outcomes[decision] = positive

    async def _question(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        name = chance.choice(["embed", "embed", "redact", "redact", "redact", "document", "audit"])
        question: Question = chance.choice([one for one in self._reference.questions if one.name == name])
        headers = _bearer(chance.choice(self._callers).key)
        answer, _ = await self._insist(client, "POST", question.path, json=question.body, headers=headers)
        if answer.json() != question.answer:
            self._differs(question.path, answer.json(), question.answer)

    async def _fairness(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        caller = chance.choice(self._callers)
        was_clean, at_least = self.clean.is_set(), self._ledger.answered[caller.tenant]
        query = {"window": "all", "attribute": "sex"}
        answer, _ = await self._insist(client, "GET", FAIRNESS, params=query, headers=_bearer(caller.key))
        people, at_most = answer.json()["people"], self._ledger.sent[caller.tenant]
        if people > at_most or (was_clean and self.clean.is_set() and people < at_least):
            self._wrong(f"{FAIRNESS} counts {people} people, not {at_least} to {at_most}")

    async def _job(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        caller = chance.choice(self._callers)
        posting = chance.randrange(len(self._reference.postings))
        chosen = chance.sample(range(len(self._reference.resumes) - 1), JOB_ROWS)
        candidates = [(f"j-{uuid.uuid4().hex}", chance.choice(SEXES)) for _ in chosen]
        rows: list[Mapping[str, Any]] = [{"job": self._reference.postings[posting]}]
        rows += [
            {"id": name, "resume": self._reference.resumes[resume], "groups": {"sex": sex}}
            for (name, sex), resume in zip(candidates, chosen, strict=True)
        ]
        content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        bearer = _bearer(caller.key)
        headers = {
            **bearer,
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        self._ledger.sent[caller.tenant] += len(candidates)
        answer, _ = await self._insist(
            client, "POST", JOBS, expected={200, 202}, content=content, headers=headers
        )
        job = str(answer.json()["id"])
        path, begun = f"{JOBS}/{job}", time.monotonic()
        while True:
            answer, _ = await self._insist(client, "GET", path, route=JOBS, headers=bearer)
            if answer.json()["ended_at"] is not None:
                break
            if time.monotonic() - begun > 2 * _PATIENCE_SECONDS:
                self._wrong(f"a job is not over after {2 * _PATIENCE_SECONDS:g} s: {answer.text[:300]}")
                return
            await asyncio.sleep(1)
        if answer.json()["status"] != "completed":
            self._wrong(f"a job ended as {answer.json()['status']}")
            return
        other = next(one for one in self._callers if one is not caller)
        await self._insist(client, "GET", path, expected={404}, route=JOBS, headers=_bearer(other.key))
        answer, _ = await self._insist(client, "GET", f"{path}/results", route=JOBS, headers=bearer)
        results = [json.loads(line) for line in answer.text.splitlines()]
        if [one["candidate_id"] for one in results] != [name for name, _ in candidates]:
            self._wrong("a job has other results than rows")
            return
        for result, resume in zip(results, chosen, strict=True):
            expected = self._reference.result(posting, resume, explain=False)
            for name in ("raw_score", "calibrated_probability", "decision", "borderline"):
                if result[name] != expected[name]:
                    self._differs(JOBS, result, expected)
        self._ledger.jobs.append(JobDone(caller.tenant, job, candidates, results))
        self._ledger.answered[caller.tenant] += len(candidates)

    async def _mistake(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        """What must be refused, and how."""
        caller, other = chance.sample(self._callers, 2)
        bearer = _bearer(caller.key)
        as_json = {**bearer, "Content-Type": "application/json"}
        wrong = _bearer(caller.key[:-4] + "AAAA")
        body = {"job": {"description": "cook"}, "candidates": [{"id": "m", "resume": "cook"}]}
        outcome = {"decision_id": str(uuid.uuid4()), "outcome": "positive", "kind": "label"}
        others = [one for one in self._ledger.scored[-200:] if one.tenant == other.tenant]
        foreign = {**outcome, "decision_id": others[-1].results[0]["decision_id"]} if others else outcome
        choices: list[tuple[Collection[int], str, dict[str, Any]]] = [
            ({401, _TOO_MANY_WRONG_KEYS}, SCORE, {"json": body, "headers": wrong}),
            ({401, _TOO_MANY_WRONG_KEYS}, SCORE, {"json": body}),
            ({403}, SCORE, {"json": body, "headers": _bearer(caller.embed_key)}),
            ({400}, SCORE, {"content": b'{"job": {"descr', "headers": as_json}),
            ({422}, SCORE, {"json": {**body, "candidates": []}, "headers": bearer}),
            ({422}, "/v1/embed", {"json": {"inputs": ""}, "headers": bearer}),
            ({415}, "/v1/redact", {"content": b"resume", "headers": {**bearer, "Content-Type": "text/csv"}}),
            ({413}, SCORE, {"content": bytes(MAX_BODY_BYTES + 1), "headers": as_json}),
            ({404}, OUTCOMES, {"json": outcome, "headers": bearer}),
            ({404}, OUTCOMES, {"json": foreign, "headers": bearer}),
            ({404}, "/v1/nothing", {"json": body, "headers": bearer}),
        ]
        expected, path, request = chance.choice(choices)
        await self._insist(client, "POST", path, expected=expected, **request)

    async def _probe(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        path = chance.choice(["/health/live", "/health/ready", "/metrics"])
        await self._insist(client, "GET", path)

    async def _hang_up(self, _client: httpx.AsyncClient, chance: random.Random) -> None:
        """Send a request, or a part of it, and leave: in order, or with a reset."""
        caller = chance.choice(self._callers)
        name = f"h-{uuid.uuid4().hex}"
        resume = chance.choice(self._reference.resumes)
        body = json.dumps(
            {
                "job": chance.choice(self._reference.postings),
                "candidates": [{"id": name, "resume": resume, "groups": {"sex": chance.choice(SEXES)}}],
            }
        ).encode()
        head = (
            f"POST {SCORE} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {caller.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        message = head + body
        if chance.random() < 0.4:
            message = message[: chance.randrange(len(message))]
        self._ledger.hung_up.add(name)
        self._ledger.sent[caller.tenant] += 1
        address = httpx.URL(self._url)
        with suppress(OSError):
            _, writer = await asyncio.open_connection(address.host, address.port)
            try:
                writer.write(message)
                await writer.drain()
                await asyncio.sleep(chance.uniform(0, 0.3))
                if chance.random() < 0.5:
                    reset = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            finally:
                writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    # What they share.

    async def _insist(
        self,
        client: httpx.AsyncClient,
        method: str,
        path: str,
        *,
        expected: Collection[int] = (200,),
        route: str = "",
        **request: Any,
    ) -> tuple[httpx.Response, int]:
        """Ask until the answer is an expected one; how often that was. Refusals go to the ledger."""
        begun, tries, route = time.monotonic(), 0, route or path
        while True:
            tries += 1
            sent = time.monotonic()
            try:
                answer = await client.request(method, path, **request)
            except httpx.TimeoutException:
                what = "no answer in time"
            except httpx.TransportError:
                what = BROKEN
            else:
                self._ledger.answers[f"{method} {route} {answer.status_code}"] += 1
                if answer.status_code in expected:
                    return answer, tries
                what = f"{answer.status_code} {_code(answer)}"
            self._ledger.refusals.append(Refusal(route, what, sent, time.monotonic()))
            if time.monotonic() - begun > _PATIENCE_SECONDS:
                self._wrong(f"{method} {route} was given up after {tries} tries, the last: {what}")
                raise GivenUpError
            await asyncio.sleep(_PAUSE_SECONDS)

    def _differs(self, route: str, found: Any, expected: Any) -> None:
        names = [name for name in {*found, *expected} if found.get(name) != expected.get(name)]
        self._wrong(f"{route} answered otherwise than before in {sorted(names)}")

    def _wrong(self, what: str) -> None:
        self._ledger.wrong.append(what)


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _ids(results: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [result["decision_id"] for result in results]


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code", ""))
    except ValueError:
        return "not JSON"
