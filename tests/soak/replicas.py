"""Three replicas behind HAProxy on one PostgreSQL; one after the other is killed and replaced under load.

`python -m tests.soak.replicas --kills 50 --seed 7` (docs/operations.md).
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.campaign import models
from tests.chaos.service import CHECKOUT, ChaosError, Place, run_command
from tests.e2e.conftest import Server, watched
from tests.soak.checks import query, shown_by_sex
from tests.soak.haproxy import free_ports, haproxy
from tests.soak.reference import Reference, ask_all, without_ids
from tests.soak.traffic import OUTCOMES, SCORE, SEXES
from tests.support.forked import Forked, command_line
from tests.support.patience import PATIENCE, wait_until
from tests.support.postgres import PostgresServer, programs

REPLICAS = 3
CLIENTS = 3
_BETWEEN = 6
"""Decisions that callers get between two kills, at least."""

_RETRIED = {429, 502, 503, 504}
"""And broken connections: what docs/operations.md tells clients to send again, under the same key."""

_PAUSE_SECONDS = 0.5


@dataclass
class Result:
    """`decisions`: candidate, sex and result by decision id, as answered. `wrong`: all that must not be."""

    kills: int = 0
    decisions: dict[str, tuple[str, str, Mapping[str, Any]]] = field(default_factory=dict)
    outcomes: dict[str, bool] = field(default_factory=dict)
    tries: Counter[int] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    answered_by: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        again = sum(count for tries, count in self.tries.items() if tries > 1)
        refused = ", ".join(f"{name} {count}" for name, count in sorted(self.refusals.items())) or "none"
        return (
            f"{self.kills} kills: {len(self.decisions):,} decisions and {len(self.outcomes):,} outcomes "
            f"answered, {again} requests sent more than once, "
            f"{self.replayed} of them answered from the first try; refused: {refused}; "
            f"by replica {dict(sorted(self.answered_by.items()))}; {len(self.wrong)} wrong"
        )


class Replicas:
    """Each on a port and a data folder of its own, which its replacement takes over."""

    def __init__(self, place: Place, ports: Sequence[int], folder: Path) -> None:
        self._places = [replace(place, data=folder / f"data-{i}", port=port) for i, port in enumerate(ports)]
        with ThreadPoolExecutor(len(ports)) as pool:
            self.servers = list(pool.map(self._start, range(len(ports))))

    def _start(self, number: int) -> Server:
        place = self._places[number]
        arguments = ["serve", "--port", str(place.port)]
        return watched(Forked(command_line, arguments, place.environment(), CHECKOUT))

    def replace(self, number: int) -> None:
        """kill -9, and another one in its place, once it is ready."""
        self.servers[number].process.kill()
        self.servers[number].wait()
        self.servers[number] = self._start(number)

    def kill(self) -> None:
        for server in self.servers:
            server.process.kill()
            server.wait()


class Clients:
    """Send through the balancer until `stop`. Each request has a key, and is sent until it is answered."""

    def __init__(self, url: str, reference: Reference, result: Result, seed: int) -> None:
        self._url = url
        self._reference = reference
        self._result = result
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._send, args=(random.Random(f"{seed} {i}"),)) for i in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Every request that was begun comes to its end."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads), "a request never ended"

    def _send(self, chance: random.Random) -> None:
        with httpx.Client(base_url=self._url, timeout=PATIENCE) as client:
            while not self._stopped.wait(chance.uniform(0, 2 * _PAUSE_SECONDS)):
                self._score(client, chance)

    def _score(self, client: httpx.Client, chance: random.Random) -> None:
        posting = chance.randrange(len(self._reference.postings))
        chosen = chance.sample(range(len(self._reference.resumes) - 1), chance.randint(1, 3))
        people = [(f"c-{uuid.uuid4().hex}", chance.choice(SEXES)) for _ in chosen]
        body = {
            "job": self._reference.postings[posting],
            "candidates": [
                {"id": name, "resume": self._reference.resumes[resume], "groups": {"sex": sex}}
                for (name, sex), resume in zip(people, chosen, strict=True)
            ],
        }
        results = self._insist(client, SCORE, body).json()["results"]
        with self._lock:
            for (name, sex), resume, one in zip(people, chosen, results, strict=True):
                expected = self._reference.result(posting, resume, explain=False)
                if without_ids(one) != expected or one["candidate_id"] != name:
                    self._result.wrong.append(f"{SCORE} answered otherwise than before")
                self._result.decisions[one["decision_id"]] = name, sex, one
        if chance.random() < 0.5:
            decision, positive = results[0]["decision_id"], chance.random() < 0.5
            word = "positive" if positive else "negative"
            self._insist(client, OUTCOMES, {"decision_id": decision, "outcome": word, "kind": "label"})
            self._result.outcomes[decision] = positive

    def _insist(self, client: httpx.Client, path: str, body: Mapping[str, Any]) -> httpx.Response:
        headers, tries = {"Idempotency-Key": str(uuid.uuid4())}, 0
        while True:
            tries += 1
            try:
                answer = client.post(path, json=body, headers=headers)
            except httpx.TransportError as error:
                what = type(error).__name__
            else:
                if answer.status_code == 200:
                    break
                what = str(answer.status_code)
                if answer.status_code not in _RETRIED:
                    self._result.wrong.append(f"{path} answered {answer.status_code}: {answer.text[:200]}")
            with self._lock:
                self._result.refusals[what] += 1
            time.sleep(_PAUSE_SECONDS)
        with self._lock:
            self._result.tries[tries] += 1
            if answer.headers.get("idempotency-replayed") == "true":
                self._result.replayed += 1
        return answer


def _has_decided(result: Result, enough: int) -> bool:
    return len(result.decisions) >= enough


def run(
    kills: int, seed: int, converted: Path, say: Callable[[str], None], ended: threading.Event | None = None
) -> Result:
    """Kill and replace so many times, and look whether anything is lost, doubled or different.

    `ended`: set, no further one is killed.
    """
    found = programs()
    if found is None:
        raise ChaosError("needs PostgreSQL's initdb and pg_ctl, and as root a user postgres")
    chance, result = random.Random(seed), Result()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="evenmatch-replicas-")))
        server = PostgresServer(found)
        stack.callback(server.remove)
        server.start()
        place = _place(folder, server.new_database(), converted)
        ports = free_ports(REPLICAS)
        replicas = Replicas(place, ports, folder)
        stack.callback(replicas.kill)
        reference = ask_all(replicas.servers[0].url, random.Random(0))
        before = Counter(shown_by_sex(replicas.servers[0].url))
        assert not before, "the reference has no groups"
        result.wrong += _answers_that_differ(replicas, reference)
        url = stack.enter_context(haproxy(folder, ports))
        say(f"{REPLICAS} replicas are behind {url}")
        clients = Clients(url, reference, result, seed)
        try:
            for number in range(kills):
                if ended is not None and ended.is_set():
                    break
                enough = len(result.decisions) + _BETWEEN
                wait_until(partial(_has_decided, result, enough), "nothing is decided")
                victim = chance.randrange(REPLICAS)
                _count_answers(replicas, victim, result)
                replicas.replace(victim)
                result.kills += 1
                say(f"kill {number + 1}, of replica {victim}: {result}")
        finally:
            clients.stop()
        for number in range(REPLICAS):
            _count_answers(replicas, number, result)
        result.wrong += _answers_that_differ(replicas, reference)
        result.wrong += _faults(place, [*(one.url for one in replicas.servers), url], result)
    return result


def _place(folder: Path, url: str, converted: Path) -> Place:
    logs = folder / "logs"
    logs.mkdir()
    return Place(
        data=folder / "data-0",
        logs=logs,
        models=converted,
        url=url,
        workers=1,
        database_seconds=60,  # of a busy machine
        settings={
            "EVENMATCH_LOG_KEY": "a key that all replicas have",
            "EVENMATCH_READY_SECONDS": "60",  # of a busy machine
            "EVENMATCH_STALL_SECONDS": "600",
            "EVENMATCH_CACHE_MIB": "1",
        },
    )


def _answers_that_differ(replicas: Replicas, reference: Reference) -> Iterator[str]:
    """Each replica is asked itself what the first one was asked."""
    for number, server in enumerate(replicas.servers):
        for question in reference.questions:
            answer = httpx.post(f"{server.url}{question.path}", json=question.body, timeout=PATIENCE)
            if answer.status_code != 200 or answer.json() != question.answer:
                yield f"replica {number} answers {question.path} otherwise than the first one"


def _count_answers(replicas: Replicas, number: int, result: Result) -> None:
    result.answered_by[number] += replicas.servers[number].log.count("POST /v1/score 200")


def _faults(place: Place, urls: Sequence[str], result: Result) -> Iterator[str]:
    rows = query(
        place, "SELECT * FROM decisions WHERE candidate_id LIKE 'c-________________________________'"
    )
    stored = {row["decision_id"]: row for row in rows}
    if lost := result.decisions.keys() - stored.keys():
        yield f"lost: {len(lost)} of {len(result.decisions)} answered decisions"
    if more := stored.keys() - result.decisions.keys():
        yield f"decided twice, or for nobody: {len(more)}"
    if len({row["candidate_id"] for row in rows}) != len(rows):
        yield "doubled: a candidate was decided more than once"
    for decision, (name, _, answered) in result.decisions.items():
        row = stored.get(decision, {})
        names = ("raw_score", "calibrated_probability", "decision")
        if row and (row["candidate_id"] != name or any(row[one] != answered[one] for one in names)):
            yield f"stored otherwise than answered: {decision}"
    said = {row["decision_id"]: row["positive"] for row in query(place, "SELECT * FROM outcomes")}
    if said != result.outcomes:
        yield f"{len(said)} outcomes are stored, and {len(result.outcomes)} were answered"
    if len(query(place, "SELECT id FROM outcome_history")) != len(result.outcomes):
        yield "doubled: the history of outcomes"
    people, selected = Counter[str](), Counter[str]()
    for _, sex, answered in result.decisions.values():
        people[sex] += 1
        selected[sex] += answered["decision"] == "selected"
    expected = {sex: (people[sex], selected[sex]) for sex in people}
    for url in urls:
        if (found := shown_by_sex(url)) != expected:
            yield f"/v1/fairness of {url} shows {found}, and callers were answered {expected}"
    verified = run_command(place, "log", "verify")
    if verified.returncode:
        yield f"log verify ended with {verified.returncode}: {(verified.stdout + verified.stderr).strip()}"


def main() -> int:
    """Exit status 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.replicas", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--models", type=Path, help="folder of converted models: made there if it is empty")
    asked = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    # What it started goes with it, however it is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    _say(f"seed {asked.seed}")
    with models(asked.models) as converted:
        result = run(asked.kills, asked.seed, converted, _say, ended)
    _say(str(result))
    for one in result.wrong:
        _say(f"WRONG: {one}")
    return 1 if result.wrong else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
