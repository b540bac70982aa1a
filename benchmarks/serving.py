"""What `/v1/score` costs here and in another checkout: two servers, each request to both in turn.

`python -m benchmarks.serving resumes.csv --resumes resume_text --job posting.txt --against ../before`
"""

from __future__ import annotations

import argparse
import csv
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.http import BenchServer
from service.runtime.devices import usable_cores

HERE = Path(__file__).resolve().parents[1]
_RESAMPLES = 2_000


@dataclass
class Cost:
    """Of each round: processor time and time by the clock, in ms a resume."""

    processor: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)


def measure(servers: list[BenchServer], job: dict[str, str], requests: list[list[str]]) -> list[Cost]:
    """Each request to each server, which of them first is drawn. Requests are rounds."""
    order, draw = list(range(len(servers))), random.Random(0)
    costs = [Cost() for _ in servers]
    for texts in requests:
        draw.shuffle(order)
        for which in order:
            server = servers[which]
            spent, began = server.processor_seconds(), time.perf_counter()
            server.score(job, texts)
            costs[which].clock.append(1000 * (time.perf_counter() - began) / len(texts))
            costs[which].processor.append(1000 * (server.processor_seconds() - spent) / len(texts))
    return costs


def ratio(here: list[float], there: list[float]) -> str:
    """Sum of one over that of the other, with its 95 % interval by bootstrap over rounds."""
    a, b = np.array(here), np.array(there)
    drawn = np.random.default_rng(0).integers(0, len(a), (_RESAMPLES, len(a)))
    low, high = np.quantile(a[drawn].sum(1) / b[drawn].sum(1), (0.025, 0.975))
    return f"{a.sum() / b.sum():.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    arguments.add_argument("texts", type=Path, help="a CSV file of resumes")
    arguments.add_argument("--resumes", required=True, help="the column that holds them")
    arguments.add_argument(
        "--job", type=Path, required=True, help="a posting: its title in the first line, then its text"
    )
    arguments.add_argument("--against", type=Path, required=True, help="another checkout")
    arguments.add_argument("--rounds", type=int, default=40)
    arguments.add_argument("--candidates", type=int, default=10, help="resumes in one request")
    arguments.add_argument("--threads", type=int, default=min(2, usable_cores()))
    given = arguments.parse_args()
    csv.field_size_limit(10**9)
    with given.texts.open(encoding="utf-8", newline="") as file:
        texts = [row[given.resumes] for row in csv.DictReader(file)]
    title, _, description = given.job.read_text("utf-8").partition("\n")
    job = {"title": title, "description": description}
    draw = random.Random(1)
    requests = [draw.sample(texts, given.candidates) for _ in range(given.rounds)]
    with tempfile.TemporaryDirectory() as folder:
        servers = [
            BenchServer(Path(folder, str(i)), given.threads, PYTHONPATH=str(checkout))
            for i, checkout in enumerate((HERE, given.against.resolve()))
        ]
        try:
            measure(servers, job, requests[:2])  # warms both
            here, there = measure(servers, job, requests)
        finally:
            for server in servers:
                server.stop()
    for name, of in (("processor time", "processor"), ("by the clock", "clock")):
        a, b = getattr(here, of), getattr(there, of)
        middle = f"{statistics.median(a):.1f} ms | {statistics.median(b):.1f} ms"
        sys.stdout.write(f"| {name} a resume | {middle} | {ratio(a, b)} |\n")


if __name__ == "__main__":
    main()
