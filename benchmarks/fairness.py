"""`python -m benchmarks.fairness`: how long live fairness takes over many stored decisions.

A month of decisions with outcomes for a tenth of them. Answers are timed through the app, without a network;
processor time of this process stands beside it, since a shared machine makes everybody wait.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from service.api.thread_pools import ThreadPools
from service.core.groups import RACE_ETHNICITY, SEX, UNKNOWN, GroupSchema
from service.metrics.live_fairness import live_fairness
from service.serving.app import create_app
from service.settings import Settings
from service.store.database import migrate, open_database
from service.store.decisions import Decision
from service.store.outcomes import Outcome, record_outcomes
from service.store.sqlite import sqlite_url
from tests.support.stored import decision, store

DAYS = 30
_CHUNK = 20_000


def main() -> None:
    """Make the decisions, measure, print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fairness")
    parser.add_argument("--decisions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--url", help="an empty database; without it SQLite in a temporary folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(given.url or sqlite_url(Path(folder) / "decisions.sqlite"))
        migrate(engine)
        lines = list(_measure(engine, given.decisions, given.rounds))
        engine.dispose()
    sys.stdout.write("\n".join(["| figure | value | processor time |", "|---|---|---|", *lines]) + "\n")


def _measure(engine: Engine, decisions: int, rounds: int) -> Iterator[str]:
    now = datetime.now(UTC)
    seconds = _fill(engine, decisions, now)
    yield f"| decisions stored and counted, batches of {_CHUNK:,} | {decisions / seconds:,.0f} /s | |"
    app = create_app(Settings())
    app.state.database, app.state.pools, app.state.authenticator = engine, ThreadPools(), None
    client = TestClient(app, base_url="http://localhost")

    def ask(path: str) -> Callable[[], object]:
        return lambda: client.get(path).raise_for_status()

    for window in ("1h", "24h", "7d", "30d"):
        yield _row(f"`GET /v1/fairness?window={window}`", ask(f"/v1/fairness?window={window}"), rounds)
    bundles = client.get("/v1/fairness").json()["bundles"]
    digest = next(iter(bundles))
    yield _row(
        f"the same of one bundle of {len(bundles)}", ask(f"/v1/fairness?window=30d&bundle={digest}"), rounds
    )
    yield _row("`GET /v1/fairness/report?format=html`", ask("/v1/fairness/report?format=html"), rounds)
    yield _row("all live gauges, 4 windows", lambda: live_fairness(engine, GroupSchema(), now), rounds)


def _row(what: str, work: Callable[[], object], rounds: int) -> str:
    work()
    taken, computed = [], []
    for _ in range(rounds):
        started, busy = time.perf_counter(), time.process_time()
        work()
        taken.append(1000 * (time.perf_counter() - started))
        computed.append(1000 * (time.process_time() - busy))
    return (
        f"| {what} | {statistics.median(taken):.0f} ms ({min(taken):.0f} to {max(taken):.0f}) | "
        f"{statistics.median(computed):.0f} ms |"
    )


def _fill(engine: Engine, count: int, now: datetime) -> float:
    """Scores as the shipped bundle's calibration spreads them; returns the seconds that storing took."""
    rng = np.random.default_rng(1)
    scores = 1 / (1 + np.exp(6.1 - 9.7 * rng.normal(0.45, 0.2, count)))
    moments = np.sort(rng.uniform(0, DAYS * 86_400, count))
    sexes = rng.choice([*SEX, UNKNOWN], count, p=[0.4, 0.4, 0.02, 0.18])
    races = rng.choice([*RACE_ETHNICITY, UNKNOWN], count)
    first = now - timedelta(days=DAYS)

    def made(i: int) -> Decision:
        said = {"sex": str(sexes[i]), "race_ethnicity": str(races[i])}
        return decision(
            i,
            {attribute: group for attribute, group in said.items() if group != UNKNOWN},
            score=float(scores[i]),
            time=first + timedelta(seconds=float(moments[i])),
            bundle_digest=("a" if i % 3 else "b") * 64,
        )

    seconds = 0.0
    for start in range(0, count, _CHUNK):
        some = [made(i) for i in range(start, min(count, start + _CHUNK))]
        started = time.perf_counter()
        store(engine, some)
        seconds += time.perf_counter() - started
        told = [Outcome(one.decision_id, bool(i % 3), "label") for i, one in enumerate(some[::10])]
        record_outcomes(engine, told, now=now, skew=timedelta(0))
    return seconds


if __name__ == "__main__":
    main()
