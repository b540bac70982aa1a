"""`python -m benchmarks.overload --minutes 30`: twice the load that the service can bear.

First patient callers alone, as many as keep it busy: the peak. Then the same with others beside them, who
send as much again, hang up after 2 seconds and try once more. Asks what the patient ones still get, and
whether what they got, what is stored and what is counted agree.
"""

from __future__ import annotations

import argparse
import math
import random
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.http import BenchServer

PATIENT = 16
"""So many that most of them wait: otherwise those who leave get their share before they do."""

RESUMES = 4
WORDS = 300
"""Of one resume."""

HASTE_SECONDS = 2.0
_SETTLE_SECONDS = 120.0
_PATIENCE_SECONDS = 300.0
_WORDS = [
    "built",
    "led",
    "designed",
    "tested",
    "shipped",
    "measured",
    "payment",
    "search",
    "services",
    "systems",
    "teams",
    "budgets",
    "python",
    "sql",
    "ledger",
    "quality",
    "support",
    "training",
    "sales",
    "nursing",
    "market",
    "report",
    "customer",
    "supplier",
    "logistics",
    "safety",
]


@dataclass
class Outcome:
    """What callers of one kind met. `answers`: decisions of each answered request."""

    answers: dict[str, list[str]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    left: set[str] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)


@dataclass
class Watched:
    """Seconds until health answered, answers other than 200, and the largest resident memory in MiB."""

    live: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    dead: int = 0
    unready: int = 0
    rss: float = 0.0


@dataclass
class Result:
    """`peak`, `goodput`: requests of patient callers answered a second, alone and beside the hasty ones.

    `useful`: of the engine's work beside the hasty ones, the share that was answered. A machine that is now
    faster, now slower, changes the first two but not this.
    """

    peak: float
    goodput: float
    useful: float
    patient: Outcome
    hasty: Outcome
    watched: Watched
    stored: Counter[str]
    counted: int

    @property
    def share(self) -> float:
        return self.goodput / self.peak

    def faults(self) -> Iterator[str]:
        """What must not be, the patient callers' share left out."""
        for request, decisions in self.patient.answers.items():
            if self.stored[request] != len(decisions):
                yield f"{self.stored[request]} of {len(decisions)} answered decisions are stored"
        unanswered = set(self.stored) - set(self.patient.answers) - set(self.hasty.answers)
        for request in unanswered:
            if request not in self.hasty.left:
                yield "decisions are stored of a request that neither was answered nor left"
            if self.stored[request] != RESUMES:
                yield f"{self.stored[request]} of {RESUMES} decisions of a request that was left are stored"
        if self.counted != sum(self.stored.values()):
            yield f"{self.counted} decisions were counted, {sum(self.stored.values())} are stored"


def body(seed: str) -> dict[str, Any]:
    """A scoring request like no other."""
    draw = random.Random(seed)

    def text(words: int) -> str:
        return ". ".join(" ".join(draw.choices(_WORDS, k=12)) for _ in range(words // 12))

    return {
        "job": {"description": text(60), "title": "engineer"},
        "candidates": [{"id": f"c-{i}", "resume": text(WORDS)} for i in range(RESUMES)],
    }


class Crowd:
    """Callers of one kind, each in a thread, until `end`. `patience`: seconds after which they hang up."""

    def __init__(self, url: str, name: str, count: int, patience: float) -> None:
        self._url = url
        self._patience = patience
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.outcome = Outcome()
        self._threads = [
            threading.Thread(target=self._call, args=(f"{name}-{i}",), daemon=True) for i in range(count)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def answered(self) -> int:
        return len(self.outcome.answers)

    def end(self) -> Outcome:
        """Send nothing more; what was sent is waited for."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self.outcome

    def _call(self, name: str) -> None:
        number = 0
        with httpx.Client(base_url=self._url, timeout=self._patience) as client:
            while not self._stop.is_set():
                number += 1
                self._stop.wait(self._once(client, f"{name}-{number}"))

    def _once(self, client: httpx.Client, request: str) -> float:
        """Send one request; the seconds to wait before the next."""
        started = time.monotonic()
        try:
            answer = client.post("/v1/score", json=body(request), headers={"X-Request-ID": request})
        except httpx.TimeoutException:
            with self._lock:
                self.outcome.left.add(request)
            return 0.0
        with self._lock:
            self.outcome.statuses[answer.status_code] += 1
            if answer.status_code == 200:
                self.outcome.seconds.append(time.monotonic() - started)
                ids = [result["decision_id"] for result in answer.json()["results"]]
                self.outcome.answers[request] = ids
        return float(answer.headers.get("retry-after", "0"))


@contextmanager
def watching(server: BenchServer) -> Iterator[Watched]:
    """Ask for health and look at memory twice a second."""
    found, stop = Watched(), threading.Event()
    process = psutil.Process(server.process.pid)

    def watch() -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            while not stop.wait(0.5):
                started = time.monotonic()
                found.dead += client.get("/health/live").status_code != 200
                found.live.append(time.monotonic() - started)
                started = time.monotonic()
                found.unready += client.get("/health/ready").status_code != 200
                found.ready.append(time.monotonic() - started)
                found.rss = max(found.rss, process.memory_info().rss / 2**20)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def measure(
    folder: Path, seconds: float, threads: int, tell: Callable[[str], object] = lambda _: None
) -> Result:
    """A quarter of the time for the peak, the rest for the overload."""
    server = BenchServer(folder, threads, EVENMATCH_DURABLE="true")
    try:
        with watching(server) as watched:
            alone = Crowd(server.url, "alone", PATIENT, _PATIENCE_SECONDS)
            peak = _rate(alone, seconds / 4)
            before = alone.end()
            tokens = server.series("evenmatch_batch_tokens_sum")
            of_one = tokens / max(1, len(before.answers))
            count = max(2, math.ceil(HASTE_SECONDS * peak))  # each sends one in so many seconds
            tell(f"peak {peak:.2f} requests/s; now {count} callers beside them who leave after 2 s")
            hasty = Crowd(server.url, "hasty", count, HASTE_SECONDS)
            patient = Crowd(server.url, "patient", PATIENT, _PATIENCE_SECONDS)
            goodput = _rate(patient, 3 * seconds / 4)
            of_hasty, of_patient = hasty.end(), patient.end()
        stored = _settled(server, folder)
        encoded = server.series("evenmatch_batch_tokens_sum") - tokens
        useful = of_one * (len(of_patient.answers) + len(of_hasty.answers)) / encoded
        of_patient.answers |= before.answers
        counted = server.series('evenmatch_match_score_count{attribute="sex",group="unknown"}')
    finally:
        server.stop()
    return Result(peak, goodput, useful, of_patient, of_hasty, watched, stored, int(counted))


def _rate(crowd: Crowd, seconds: float) -> float:
    """Answers a second, from the first answer on: before it nothing could be answered."""
    deadline = time.monotonic() + seconds
    while not crowd.answered and time.monotonic() < deadline + _PATIENCE_SECONDS:
        time.sleep(0.01)
    first, started = crowd.answered, time.monotonic()
    while time.monotonic() < max(deadline, started + seconds / 2):
        time.sleep(0.05)
    return (crowd.answered - first) / (time.monotonic() - started)


def _settled(server: BenchServer, folder: Path) -> Counter[str]:
    """Stored decisions by request, once those who left are through: as many as are counted."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    stored: Counter[str] = Counter()
    while time.monotonic() < deadline:
        with closing(sqlite3.connect(f"file:{folder / 'decisions.sqlite'}?mode=ro", uri=True)) as database:
            stored = Counter(row[0] for row in database.execute("SELECT request_id FROM decisions"))
        series = 'evenmatch_match_score_count{attribute="sex",group="unknown"}'
        if server.series(series) == sum(stored.values()) and not server.series("evenmatch_queue_depth"):
            break
        time.sleep(0.5)
    return stored


def report(result: Result) -> list[str]:
    """What was measured, a line each."""
    patient, hasty, watched = result.patient, result.hasty, result.watched
    return [
        f"peak: {result.peak:.2f} requests/s ({RESUMES} resumes of {WORDS} words, {PATIENT} patient callers)",
        f"goodput of the patient callers: {result.goodput:.2f} requests/s, {result.share:.0%} of the peak",
        f"engine's work that was answered: {result.useful:.0%}",
        f"patient: statuses {dict(patient.statuses)}, median {statistics.median(patient.seconds):.1f} s",
        f"hasty: statuses {dict(hasty.statuses)}, left {len(hasty.left)}",
        f"of those who left, recorded: {len(set(result.stored) & hasty.left)}",
        f"stored {sum(result.stored.values())} decisions, counted {result.counted}",
        f"slowest /health/live {max(watched.live):.2f} s, /health/ready {max(watched.ready):.2f} s; "
        f"not 200: {watched.dead} and {watched.unready} of {len(watched.live)}",
        f"largest resident memory: {watched.rss:.0f} MiB",
        *(f"FAULT: {fault}" for fault in result.faults()),
    ]


def main() -> int:
    """Measure, print, and say with the exit status whether all was as it must be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()

    def tell(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), 60 * given.minutes, given.threads, tell)
    for line in report(result):
        tell(line)
    return int(result.share < 0.9 or any(result.faults()))


if __name__ == "__main__":
    sys.exit(main())
