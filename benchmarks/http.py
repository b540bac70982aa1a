"""The real server: throughput of /v1/embed, one job with a hundred resumes, start, memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil

CLIENTS = 4
INPUTS = 32
"""Texts in one request."""


class BenchServer:
    """`evenmatch serve` on a free port, without an embedding cache unless `others` sets one.

    `PYTHONPATH` among them lets another checkout serve, with this environment's libraries.
    """

    def __init__(self, data_dir: Path, threads: int, **others: str) -> None:
        settings = {
            "EVENMATCH_DATA_DIR": str(data_dir),
            "EVENMATCH_THREADS": str(threads),
            "EVENMATCH_CACHE_MIB": "0",
            "EVENMATCH_LOG_LEVEL": "info",
            **others,
        }
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("evenmatch")), "serve", "--port", "0"],
            env={**os.environ, **settings},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(r"ready to score at (http://\S+)", line):
                self.url = found[1]
                break
        else:
            raise RuntimeError("the server did not start")
        httpx.get(f"{self.url}/health/ready").raise_for_status()
        self.start_seconds = time.perf_counter() - started
        self.rest_mib = psutil.Process(self.process.pid).memory_info().rss / 2**20
        self._log = ThreadPoolExecutor(1)
        self.log = self._log.submit(self.process.stderr.read)
        """What it has logged since, once it was stopped."""
        self._clients = [httpx.Client(base_url=self.url, timeout=600) for _ in range(CLIENTS)]

    def embed(self, texts: Sequence[str], *, redact: bool = False) -> None:
        """Embed all texts with several clients side by side."""
        parts = [texts[i : i + INPUTS] for i in range(0, len(texts), INPUTS)]

        def send(client: httpx.Client, mine: Sequence[Sequence[str]]) -> None:
            for part in mine:
                client.post("/v1/embed", json={"inputs": list(part), "redact": redact}).raise_for_status()

        with ThreadPoolExecutor(CLIENTS) as pool:
            for sent in [pool.submit(send, c, parts[i::CLIENTS]) for i, c in enumerate(self._clients)]:
                sent.result()

    def score(self, job: dict[str, str], texts: Sequence[str]) -> None:
        candidates = [{"id": str(i), "resume": text} for i, text in enumerate(texts)]
        self._clients[0].post("/v1/score", json={"job": job, "candidates": candidates}).raise_for_status()

    def processor_seconds(self) -> float:
        """Processor time of the server and the processes that it has started, so far."""
        root = psutil.Process(self.process.pid)
        times = [process.cpu_times() for process in (root, *root.children(recursive=True))]
        return float(sum(time.user + time.system for time in times))

    def series(self, start: str) -> float:
        """The sum of all series of /metrics that begin so."""
        metrics = self._clients[0].get("/metrics").text
        return sum(float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines() if line.startswith(start))

    def encoded(self) -> int:
        """Texts that the engine has encoded so far."""
        return int(self.series("evenmatch_cache_misses_total"))

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self.process.terminate()
        self.process.wait(60)
        self._log.shutdown()
        assert self.process.stderr is not None
        self.process.stderr.close()
