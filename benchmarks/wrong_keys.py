"""`python -m benchmarks.wrong_keys`: wrong keys, as many as can be sent, and what a right one still gets.

Phases alternate with idle ones, since a shared machine is not equally fast from one minute to the next: what
counts are ratios to the idle phase before. Callers have addresses of their own, 127.0.1.1 and so on.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path

import httpx
import psutil

from benchmarks.http import BenchServer
from service.access.key_storage import FileKeys
from service.access.keys import KeySecret, KeyTable, make_key, utc_now
from service.access.principal import Scope
from service.access.throttle import Throttle

CONNECTIONS = 32
"""Of all wrong callers together."""

PAUSE_SECONDS = 0.01
"""Between two requests with the right key."""


@dataclass
class Phase:
    """`statuses`: of requests with wrong keys; `right`: seconds of each with the right one.

    `cpu`: seconds of CPU time that the service took, which other work on the machine changes least.
    """

    addresses: int
    seconds: float
    statuses: Counter[int]
    right: list[float]
    cpu: float
    rss: float

    @property
    def cpu_each(self) -> float:
        """Of a request with either key."""
        return self.cpu / (self.statuses.total() + len(self.right))

    @property
    def median(self) -> float:
        return statistics.median(self.right)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.right, n=20)[-1]


async def keep_sending(port: int, address: str, until: float, statuses: Counter[int]) -> None:
    """Send wrong keys on one connection, and on a new one whenever the service ends it."""
    while time.monotonic() < until:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        try:
            while time.monotonic() < until:
                key = f"evm_aaaaaaaaaaaa_{secrets.token_urlsafe(32)}"
                fields = ("GET /v1/model HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}", "\r\n")
                writer.write("\r\n".join(fields).encode())
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
                statuses[int(head.split(" ", 2)[1])] += 1
                if "connection: close" in head:
                    break
        finally:
            writer.close()


def flood(port: int, addresses: int, seconds: float, told: Queue[Counter[int]]) -> None:
    """Send wrong keys from so many addresses, and tell what was answered."""
    statuses: Counter[int] = Counter()

    async def send() -> None:
        until = time.monotonic() + seconds
        callers = (f"127.0.1.{1 + i % addresses}" for i in range(CONNECTIONS))
        await asyncio.gather(*(keep_sending(port, one, until, statuses) for one in callers))

    asyncio.run(send())
    told.put(statuses)


def phase(server: BenchServer, client: httpx.Client, addresses: int, seconds: float) -> Phase:
    """Ask with the right key, while wrong ones come from so many addresses; 0: none come."""
    spawn = multiprocessing.get_context("spawn")
    told: Queue[Counter[int]] = spawn.Queue()
    port = httpx.URL(server.url).port or 0
    sender = spawn.Process(target=flood, args=(port, addresses, seconds, told))
    before = server.series("evenmatch_requests_total")
    if addresses:
        sender.start()
        while server.series("evenmatch_requests_total") < before + 100:  # it imports first
            time.sleep(0.1)
    process = psutil.Process(server.process.pid)
    begun = sum(process.cpu_times()[:2])
    right: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until and (sender.is_alive() or not addresses):
        started = time.perf_counter()
        client.get("/v1/model").raise_for_status()
        right.append(time.perf_counter() - started)
        time.sleep(PAUSE_SECONDS)
    statuses = told.get() if addresses else Counter[int]()
    if addresses:
        sender.join()
    return Phase(
        addresses,
        seconds,
        statuses,
        right,
        sum(process.cpu_times()[:2]) - begun,
        process.memory_info().rss / 2**20,
    )


def check_seconds(count: int = 20_000) -> tuple[float, float]:
    """CPU time of one check without HTTP: of a right key, and of a wrong one that is counted by address."""
    secret, now = KeySecret(secrets.token_hex(32)), utc_now()
    right = make_key(secret, name="right", scopes=[Scope.SCORE], created=now, expires=None)
    table, throttle = KeyTable(secret, [right.record]), Throttle(60)
    wrong = [f"evm_aaaaaaaaaaaa_{secrets.token_urlsafe(32)}" for _ in range(count)]
    begun = time.process_time()
    for _ in range(count):
        table.check(right.text, now)
    between = time.process_time()
    for i, one in enumerate(wrong):
        table.check(one, now)
        throttle.failed(f"10.0.{i % 256}.{i // 256 % 256}")
    return (between - begun) / count, (time.process_time() - between) / count


def report(phases: list[Phase], log: str) -> list[str]:
    """Markdown."""
    lines = [
        "| addresses | wrong/s | 401 / 429 | right key: median, p95 (ms) | x idle | CPU, ms | RSS, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    idle = phases[0].median
    for one in phases:
        if not one.addresses:
            idle = one.median
        sent = f"{one.statuses.total() / one.seconds:,.0f}" if one.addresses else "-"
        answers = f"{one.statuses[401]:,} / {one.statuses[429]:,}" if one.addresses else "-"
        lines.append(
            f"| {one.addresses} | {sent} | {answers} | {1e3 * one.median:.1f} / "
            f"{1e3 * one.p95:.1f} | {one.median / idle:.1f} | {1e3 * one.cpu_each:.2f} | {one.rss:.0f} |"
        )
    refused = [line for line in log.splitlines() if " 401 " in line or " 429 " in line]
    warnings = [line for line in log.splitlines() if " WARNING " in line]
    lines += ["", f"{len(refused):,} lines of refused requests in the log, {len(warnings):,} warnings."]
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wrong_keys")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each phase")
    parser.add_argument("--addresses", type=int, nargs="*", default=[1, 32], help="a phase each")
    parser.add_argument("--models", type=Path, help="folder of converted models; left out: made anew")
    given = parser.parse_args()
    secret, now = secrets.token_hex(32), utc_now()
    key = make_key(KeySecret(secret), name="right", scopes=[Scope.SCORE], created=now, expires=None)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "keys.json"
        FileKeys(file).add(key.record)
        if given.models is not None:
            (Path(folder) / "models").symlink_to(given.models.resolve())
        server = BenchServer(Path(folder), 1, EVENMATCH_KEYS_SECRET=secret, EVENMATCH_KEYS_FILE=str(file))
        headers = {"Authorization": f"Bearer {key.text}"}
        try:
            with httpx.Client(base_url=server.url, headers=headers, timeout=600) as client:
                phases = []
                for addresses in given.addresses:
                    phases += [
                        phase(server, client, 0, given.seconds),
                        phase(server, client, addresses, given.seconds),
                    ]
        finally:
            server.stop()
        costs = " / ".join(f"{1e6 * one:.1f}" for one in check_seconds())
        sys.stdout.write(f"A check takes {costs} µs of CPU time, right / wrong.\n\n")
        sys.stdout.write("\n".join(report(phases, server.log.result())) + "\n")


if __name__ == "__main__":
    main()
