"""What monitoring costs: the scrape, and shadow audits beside live scoring.

`python -m benchmarks.monitoring`. Two servers, without and with shadow audits, are alive all the time;
rounds alternate between them, and ratios are taken within a round. On a machine with other work, trust the
processor's time more than the clock's.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil

from benchmarks import corpus
from benchmarks.http import BenchServer
from service.api.paths import ROUTES
from service.core.groups import GroupSchema
from service.metrics.live_fairness import WINDOWS, LiveFigures
from service.metrics.registry import Metrics
from service.metrics.shared_values import SharedValues
from service.settings import Settings
from tests.support.resume_corpus import samples

SHARE = 0.1
CLIENTS = 4
CANDIDATES = 5
"""In one request."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring")
    parser.add_argument("--requests", type=int, default=40, help="requests a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0)
    given = parser.parse_args()
    lines = scrapes()
    with tempfile.TemporaryDirectory() as folder:
        lines += shadow(Path(folder), given.requests, given.rounds, given.threads)
    sys.stdout.write("\n".join(["| figure | value |", "|---|---|", *lines]) + "\n")


def scrapes() -> list[str]:
    """Processor time to write /metrics with every series of the default schema."""
    schema = Settings().fairness.groups
    alone = Metrics(schema, ROUTES)
    _fill(alone, schema)
    size = sum(1 for line in alone.exposition().splitlines() if not line.startswith(b"#"))
    lines = [f"| scrape, {size} series, one process | {_spread(_times(alone))} ms |"]
    for processes in (2, 4, 8):
        with tempfile.TemporaryDirectory() as folder:
            together = [
                Metrics(schema, ROUTES, shared=SharedValues(Path(folder), slot)) for slot in range(processes)
            ]
            for one in together:
                _fill(one, schema)
            lines.append(f"| scrape, {processes} processes | {_spread(_times(together[0]))} ms |")
    return lines


def shadow(folder: Path, requests: int, rounds: int, threads: int) -> list[str]:
    """Throughput under load and latency at moderate load, without and with shadow audits."""
    BenchServer(folder, threads).stop()  # the first start converts the model
    cache = {"EVENMATCH_CACHE_MIB": "32"}
    plain = BenchServer(folder, threads, **cache)
    audited = BenchServer(folder, threads, EVENMATCH_SHADOW_AUDIT_SHARE=str(SHARE), **cache)
    try:
        bodies = _bodies()
        for server in (plain, audited):
            _load(server, [next(bodies) for _ in range(8)])
        throughput: dict[BenchServer, list[float]] = {plain: [], audited: []}
        work_time: dict[BenchServer, list[float]] = {plain: [], audited: []}
        during = 0.0
        for i in range(rounds):
            work = [next(bodies) for _ in range(requests)]
            for server in (plain, audited) if i % 2 else (audited, plain):
                before, made = _processor_ms(server), _outcome(audited)[0]
                throughput[server].append(CANDIDATES * requests / _load(server, work))
                work_time[server].append((_processor_ms(server) - before) / (CANDIDATES * requests))
                during += _outcome(audited)[0] - made
                _settle(audited)
        loaded = _outcome(audited)
        latency: dict[BenchServer, list[float]] = {plain: [], audited: []}
        for i in range(rounds):
            work = [next(bodies) for _ in range(requests // 2)]
            for server in (plain, audited) if i % 2 else (audited, plain):
                latency[server] += _one_by_one(server, work)
                _settle(audited)
        after = _outcome(audited)
    finally:
        plain.stop()
        audited.stop()
    without, having = throughput[plain], throughput[audited]
    paired = [b / a for a, b in zip(without, having, strict=True)]
    costs = [b / a for a, b in zip(work_time[plain], work_time[audited], strict=True)]
    return [
        f"| `/v1/score` under load, {CLIENTS} clients, share 0 | {_spread(without)} candidates/s |",
        f"| the same, share {SHARE} | {_spread(having)} candidates/s |",
        f"| ratio within a round | {_spread(paired, 3)} |",
        f"| processor time a candidate, share 0 | {_spread(work_time[plain])} ms |",
        f"| the same, share {SHARE} | {_spread(work_time[audited])} ms |",
        f"| ratio within a round | {_spread(costs, 3)} |",
        f"| audits made during these rounds | {during:.0f} |",
        f"| audits made with the pauses after the rounds, dropped | {loaded[0]:.0f}, {loaded[1]:.0f} |",
        f"| one request each 0.3 s, share 0 | {_quantiles(latency[plain])} |",
        f"| the same, share {SHARE} | {_quantiles(latency[audited])} |",
        f"| audits then made, dropped | {after[0] - loaded[0]:.0f}, {after[1] - loaded[1]:.0f} |",
    ]


def _bodies() -> Iterator[dict[str, object]]:
    """Requests, none of which shares a candidate with another."""
    texts = (s.text for s in samples(100_000, 5) if s.layout != "flat")
    job = corpus.job()
    for first in itertools.count():
        resumes = [f"{next(texts)}\nReference {first} {i}" for i in range(CANDIDATES)]
        yield {"job": job, "candidates": [{"id": str(i), "resume": t} for i, t in enumerate(resumes)]}


def _load(server: BenchServer, bodies: Sequence[dict[str, object]]) -> float:
    """Seconds until all are answered, with several clients at once."""

    def send(mine: Sequence[dict[str, object]]) -> None:
        with httpx.Client(base_url=server.url, timeout=600) as client:
            for body in mine:
                client.post("/v1/score", json=body).raise_for_status()

    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for sent in [pool.submit(send, bodies[i::CLIENTS]) for i in range(CLIENTS)]:
            sent.result()
    return time.perf_counter() - started


def _one_by_one(server: BenchServer, bodies: Sequence[dict[str, object]]) -> list[float]:
    """Milliseconds of each request, with time between them."""
    taken = []
    with httpx.Client(base_url=server.url, timeout=600) as client:
        for body in bodies:
            started = time.perf_counter()
            client.post("/v1/score", json=body).raise_for_status()
            taken.append(1000 * (time.perf_counter() - started))
            time.sleep(max(0.0, 0.3 - taken[-1] / 1000))
    return taken


def _outcome(server: BenchServer) -> tuple[float, float]:
    made = server.series("evenmatch_shadow_audits_total")
    return made, server.series("evenmatch_shadow_audits_dropped_total")


def _processor_ms(server: BenchServer) -> float:
    times = psutil.Process(server.process.pid).cpu_times()
    return 1000 * float(times.user + times.system)


def _settle(server: BenchServer) -> None:
    """Wait until the audits of a round have ended: they shall not disturb the next round."""
    before = (-1.0, -1.0)
    while (now := _outcome(server)) != before:
        before = now
        time.sleep(1.5)


def _fill(metrics: Metrics, schema: GroupSchema) -> None:
    metrics.fairness(
        {
            (attribute, group, window): LiveFigures(0.5, 1.0, 10)
            for attribute, groups in schema.members().items()
            for group in groups
            for window in WINDOWS
        }
    )


def _times(metrics: Metrics) -> list[float]:
    metrics.exposition()  # the service makes one itself before it is ready
    taken = []
    for _ in range(21):
        started = time.process_time()
        metrics.exposition()
        taken.append(1000 * (time.process_time() - started))
    return taken


def _spread(values: Sequence[float], digits: int = 1) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _quantiles(values: Sequence[float]) -> str:
    cuts = statistics.quantiles(values, n=20)
    return f"p50 {cuts[9]:.0f} ms, p95 {cuts[18]:.0f} ms, highest {max(values):.0f} ms"


if __name__ == "__main__":
    main()
