"""`python -m benchmarks.postgresql`: the decision log in PostgreSQL when it is large.

Starts a server of its own, fills it with a month of decisions, and asks and changes it as the service does.
Clock times are of a machine that may be shared, so the processor time of the server's process and of this one
stands beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from benchmarks.stored_month import BUNDLES, DAYS, TENANTS, fill
from service.api.thread_pools import ThreadPools
from service.core.tenants import DEFAULT_TENANT
from service.metrics.live_fairness import live_fairness
from service.serving.app import create_app
from service.settings import Settings
from service.store.chain import LogKey
from service.store.decisions import Decision
from service.store.log import DecisionLog
from service.store.outcomes import Outcome, record_outcomes
from service.store.recorder import StoreOptions, open_recorder
from service.store.retention import purge
from service.store.right_of_access import decisions_of_person
from service.store.right_to_erasure import erase_person
from service.store.transactions import reading
from service.store.window_counts import count_window, window_until
from tests.support.decision_logs import TEMPLATE
from tests.support.postgres import PostgresServer, programs

SERVER = {
    "fsync": "on",
    "shared_buffers": "2GB",
    "effective_cache_size": "8GB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
}
"""As one sets them on a machine with 12 GiB for PostgreSQL; all else is its default."""

SECRET = "benchmark " * 4
CANDIDATES = 20
REQUESTS = 32
"""Open at once in each process that writes."""
PROCESSES = (1, 2, 4)


def main() -> None:
    """Fill, measure, print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.postgresql")
    parser.add_argument("--rows", type=int, default=10_000_000, help="decisions of the month")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=20, help="of writing, for each number of processes")
    parser.add_argument("--chained", type=int, default=100_000, help="decisions that are signed and verified")
    parser.add_argument("--folder", type=Path, help="for the server's data; what is filled is used again")
    given = parser.parse_args()
    bin_folder = programs()
    if bin_folder is None:
        parser.error("needs PostgreSQL's initdb and pg_ctl, and as root a user postgres")
    server = PostgresServer(bin_folder, given.folder, SERVER)
    server.start()
    try:
        url = _filled(server, given.rows)
        sys.stdout.write("| figure | clock | server's processor time | this process's |\n|---|---|---|---|\n")
        for line in _measure(url, server.new_database(), given):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    finally:
        if given.folder is None:
            server.remove()
        else:
            server.stop()


def _filled(server: PostgresServer, rows: int) -> str:
    """The URL of a database with `rows` decisions, made now unless the server's folder has one."""
    done = server.folder / f"filled-{rows}"
    if done.exists():
        return server.url_of(done.read_text("utf-8"))
    url = server.new_database()
    log = _open(url)
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    started = time.perf_counter()
    fill(log, rows, end)
    sys.stderr.write(f"filled in {time.perf_counter() - started:.0f} s\n")
    log.close()
    done.write_text(str(make_url(url).database), "utf-8")
    return url


def _open(url: str) -> DecisionLog:
    log = DecisionLog(url, LogKey.from_text(SECRET), timeout=60)
    log.open()
    return log


def _measure(url: str, other_url: str, given: argparse.Namespace) -> Iterator[str]:
    log = _open(url)
    yield from _sizes(log.engine)
    yield from _fairness(log.engine, given.rounds)
    yield from _by_id(log, given.rows, given.rounds)
    for processes in PROCESSES:
        yield _writing(url, processes, given.seconds)
    yield from _chain(other_url, given.chained)
    yield _purging(url, log, given.seconds)
    log.close()


def _sizes(engine: Engine) -> Iterator[str]:
    query = text(
        "SELECT (SELECT count(*) FROM decisions), pg_table_size('decisions'), pg_indexes_size('decisions'), "
        "pg_total_relation_size('outcomes') + pg_total_relation_size('outcome_history'), "
        "(SELECT count(*) FROM outcomes), pg_total_relation_size('decision_counts') "
        "+ pg_total_relation_size('tenant_decision_counts') + pg_total_relation_size('outcome_counts') "
        "+ pg_total_relation_size('tenant_outcome_counts')"
    )
    with engine.connect() as connection:
        rows, table, indexes, outcomes, labelled, counts = connection.execute(query).one()
    yield f"| decisions; bytes each: row, indexes | {rows:,}; {table / rows:.0f}, {indexes / rows:.0f} | | |"
    yield f"| outcomes; bytes each, with history and indexes | {labelled:,}; {outcomes / labelled:.0f} | | |"
    yield f"| counts of {DAYS} days | {counts / 2**20:.0f} MiB | | |"


def _fairness(engine: Engine, rounds: int) -> Iterator[str]:
    app = create_app(Settings())
    app.state.database, app.state.pools, app.state.authenticator = engine, ThreadPools(), None
    client = TestClient(app, base_url="http://localhost")

    def ask(path: str) -> Callable[[], object]:
        return lambda: client.get(path).raise_for_status()

    now = datetime.now(UTC)
    for window in ("1h", "24h", "7d", "30d"):
        what = f"`GET /v1/fairness?window={window}`, {TENANTS[DEFAULT_TENANT]} % of the decisions"
        yield _row(what, ask(f"/v1/fairness?window={window}"), rounds)
    asked = ask(f"/v1/fairness?window=30d&bundle={BUNDLES[1]}")
    yield _row("the same of one bundle of two, 30 days", asked, rounds)
    yield _row("`GET /v1/fairness/report?format=html`", ask("/v1/fairness/report?format=html"), rounds)
    for tenant in (*list(TENANTS)[1:], None):

        def count(tenant: str | None = tenant) -> None:
            with reading(engine) as connection:
                count_window(connection, window_until("30d", now), kind="label", tenant=tenant)

        share = 100 if tenant is None else TENANTS[tenant]
        yield _row(f"counts and median of 30 days, {share} % of the decisions", count, rounds)
    schema = Settings().fairness.groups
    yield _row("all live gauges, 4 windows", lambda: live_fairness(engine, schema, now), rounds)


def _by_id(log: DecisionLog, decisions: int, rounds: int) -> Iterator[str]:
    engine, percent = log.engine, min(100.0, 4_000_000 / decisions)
    with engine.connect() as connection:
        sample = connection.execute(
            text(
                "SELECT decision_id, candidate_id FROM decisions TABLESAMPLE SYSTEM (:percent) "
                "WHERE tenant = 'default' AND erased IS NULL LIMIT 20000"
            ),
            {"percent": percent},
        ).all()
    ids, people = iter([one[0] for one in sample]), iter([one[1] for one in sample])
    yield _row("a decision by its id", lambda: _read(engine, next(ids)), rounds)
    now = datetime.now(UTC)

    def tell(count: int) -> Callable[[], object]:
        return lambda: record_outcomes(
            engine,
            [Outcome(next(ids), True, "human_decision") for _ in range(count)],
            now=now,
            skew=timedelta(days=1),
        )

    yield _row("an outcome recorded", tell(1), rounds)
    few = min(1000, len(sample) // (4 * rounds))
    yield _row(f"{few:,} outcomes recorded in one request", tell(few), rounds)

    def export() -> None:
        with reading(engine) as connection:
            decisions_of_person(connection, next(people))

    yield _row("all of one candidate read out", export, rounds)
    yield _row("one candidate erased", lambda: erase_person(log, next(people)), rounds)


def _read(engine: Engine, decision_id: str) -> None:
    with reading(engine) as connection:
        query = text("SELECT * FROM decisions WHERE decision_id = :id")
        connection.execute(query, {"id": decision_id}).one()


def _row(what: str, work: Callable[[], object], rounds: int) -> str:
    work()
    taken, computed, served = [], [], []
    for _ in range(rounds):
        # Looking through all processes takes as long as a short query: not while the clock runs.
        server = _server_seconds()
        started, busy = time.perf_counter(), time.process_time()
        work()
        taken.append(1000 * (time.perf_counter() - started))
        computed.append(1000 * (time.process_time() - busy))
        served.append(1000 * (_server_seconds() - server))
    return (
        f"| {what} | {statistics.median(taken):.0f} ms ({min(taken):.0f} to {max(taken):.0f}) | "
        f"{statistics.median(served):.0f} ms | {statistics.median(computed):.0f} ms |"
    )


def _server_seconds() -> float:
    """Processor time of the server's processes that serve somebody, and of those that help them."""
    total = 0.0
    for process in psutil.process_iter(["name", "cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if line.startswith(("postgres: tester ", "postgres: parallel worker")):
            total += sum(process.cpu_times()[:2])
    return total


def _decisions(request: int, now: datetime) -> list[Decision]:
    said: tuple[dict[str, str], ...] = ({"sex": "female"}, {"sex": "male", "race_ethnicity": "white"}, {})
    return [
        replace(
            TEMPLATE,
            decision_id=str(uuid.uuid4()),
            time=now,
            request_id=f"bench-{request}",
            job_id=f"req-{request % 100}",
            candidate_id=f"cand-{request}-{i}",
            groups=said[i % 3],
            calibrated_probability=(i + 0.5) / CANDIDATES,
            threshold=0.5,
            decision="selected" if i >= CANDIDATES / 2 else "not_selected",
            bundle_digest=BUNDLES[1],
        )
        for i in range(CANDIDATES)
    ]


def _write(url: str, seconds: float, start: Any, results: Any) -> None:
    """One serving process: requests that wait for their commit, as in durable mode."""
    with tempfile.TemporaryDirectory() as folder:
        options = StoreOptions(data_dir=Path(folder), database_url=url, log_key=SecretStr(SECRET))
        recorder = open_recorder(options)
        recorder.start()
        waits: list[float] = []

        async def requests(number: int, end: float) -> None:
            while time.perf_counter() < end:
                decisions = _decisions(number + len(waits), datetime.now(UTC))
                began = time.perf_counter()
                await recorder.record(decisions)
                waits.append(time.perf_counter() - began)

        async def run() -> float:
            begun = time.perf_counter()
            await asyncio.gather(*(requests(i, begun + seconds) for i in range(REQUESTS)))
            return time.perf_counter() - begun

        start.wait()
        busy = time.process_time()
        took = asyncio.run(run())
        results.put((len(waits) * CANDIDATES, took, waits, time.process_time() - busy))
        state = recorder.state
        recorder.stop()
        if state != "ok":
            raise SystemExit(f"the log was {state}: what was measured is not the database")


def _writing(url: str, processes: int, seconds: float) -> str:
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(processes), context.Queue()
    started = [context.Process(target=_write, args=(url, seconds, start, results)) for _ in range(processes)]
    for process in started:
        process.start()
    found = [results.get(timeout=600) for _ in started]
    for process in started:
        process.join()
        if process.exitcode:
            raise SystemExit(1)
    rate = sum(count / took for count, took, _, _ in found)
    waits = sorted(wait for _, _, some, _ in found for wait in some)
    client = 1e6 * sum(busy for _, _, _, busy in found) / sum(count for count, _, _, _ in found)
    return (
        f"| recorded durably, chained and counted: {processes} processes x {REQUESTS} requests of "
        f"{CANDIDATES} | {rate:,.0f} decisions/s; a request waits {1000 * statistics.median(waits):.0f} ms, "
        f"p99 {1000 * waits[int(0.99 * len(waits))]:.0f} ms | | {client:.0f} µs a decision |"
    )


_VERIFY = """
import resource, sys, time
from benchmarks.postgresql import _open
from service.store.verification import verify

def most_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

log, before = _open(sys.argv[1]), most_mib()
started, busy = time.perf_counter(), time.process_time()
result = verify(log)
assert not result.broken
print(result.rows, time.perf_counter() - started, time.process_time() - busy, before, most_mib())
"""
"""A process of its own, whose memory nothing else has used."""


def _chain(url: str, rows: int) -> Iterator[str]:
    """In a database of its own, since the month's rows are not signed."""
    log, now = _open(url), datetime.now(UTC)
    batch = 100  # requests in one commit, as under load
    parts = range(max(1, rows // (batch * CANDIDATES)))
    batches = [[one for i in range(batch) for one in _decisions(part * batch + i, now)] for part in parts]
    server = _server_seconds()
    started, busy = time.perf_counter(), time.process_time()
    for decisions in batches:
        log.append(decisions)
    took, ours = time.perf_counter() - started, time.process_time() - busy
    theirs, stored = _server_seconds() - server, sum(map(len, batches))
    yield (
        f"| appended in commits of {len(batches[0]):,} | {stored / took:,.0f} decisions/s | "
        f"{1e6 * theirs / stored:.0f} µs a decision | {1e6 * ours / stored:.0f} µs |"
    )
    log.close()
    run = [sys.executable, "-c", _VERIFY, url]
    done = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    found, took, ours, before, after = (float(one) for one in done)
    yield (
        f"| the chain verified, {found:,.0f} rows | {found / took:,.0f} rows/s; {after:.0f} MiB at most, "
        f"{before:.0f} before | | {1e6 * ours / found:.0f} µs a row |"
    )


def _purging(url: str, log: DecisionLog, seconds: float) -> str:
    """A day's decisions purged while one process writes; it must not wait."""
    with log.engine.connect() as connection:
        first, now = connection.execute(
            text("SELECT min(time), 1000000 * extract(epoch FROM now())::bigint FROM decisions")
        ).one()
    older = timedelta(microseconds=now - first) - timedelta(days=1)
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(2), context.Queue()
    writer = context.Process(target=_write, args=(url, seconds, start, results))
    writer.start()
    start.wait()
    began = time.perf_counter()
    purged = purge(log, older, force=True)
    took = time.perf_counter() - began
    waits = sorted(results.get(timeout=600)[2])
    writer.join()
    return (
        f"| a day purged, {purged.rows:,} decisions with their outcomes, while another process writes | "
        f"{took:.1f} s, {purged.rows / took:,.0f} rows/s; its requests wait "
        f"{1000 * statistics.median(waits):.0f} ms, p99 {1000 * waits[int(0.99 * len(waits))]:.0f} ms | | |"
    )


if __name__ == "__main__":
    main()
