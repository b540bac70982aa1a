"""Batch jobs on the real server: `python -m benchmarks.jobs`, parts by name, or all of them.

`throughput`: rows a second of a job beside `/v1/score` in chunks of 200, in turns. `latency`: p95 of a small
`/v1/score` alone and while a job runs. `pairs`: postings times resumes beside encoding as many documents.
`memory`: the largest resident memory while rows come in, are scored and go out. `documents`: PDF files a
second through a job, beside reading them alone and a job of their texts; the tests' fixtures, or `--folder`.
On a shared machine go by the ratios, and by those of CPU time first: they leave out what others take.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks import corpus
from benchmarks.documents import FIXTURES
from benchmarks.engines import load
from benchmarks.http import BenchServer
from service.core.bundle import read_bundle
from service.core.errors import DocumentError
from service.files.documents.parsed import DocumentLimits
from service.files.documents.parsers import parse_document
from service.files.documents.pool import DocumentReader
from service.settings import Settings

CHUNK = 200
"""Candidates of one `/v1/score`: as many as it takes."""

_LINES = {"content-type": "application/x-ndjson"}
_PATIENCE_SECONDS = 7_200


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs")
    parts: dict[str, Callable[[BenchServer, argparse.Namespace, Sequence[str]], list[str]]] = {
        "throughput": throughput,
        "latency": latency,
        "pairs": pairs,
        "memory": memory,
        "documents": documents,
    }
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(parts)}; none: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rows", type=int, default=400, help="of a job, for throughput and latency")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postings", type=int, default=100)
    parser.add_argument("--resumes", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=100_000, help="rows for memory")
    parser.add_argument("--folder", type=Path, default=FIXTURES, help="of PDF files")
    parser.add_argument("--chunk-rows", type=int, default=0, help="0: as the settings have it")
    given = parser.parse_args()
    others = {"EVENMATCH_JOBS_CHUNK_ROWS": str(given.chunk_rows)} if given.chunk_rows else {}
    with tempfile.TemporaryDirectory() as folder:
        bundle = read_bundle(Settings().model.bundle_path)
        tokenizer = load(bundle, Path(folder) / "models", given.threads).chosen.tokenizer
        texts = corpus.resumes(tokenizer, max(400, given.rows))
        for name, measure in parts.items():
            if given.parts and name not in given.parts:
                continue
            server = BenchServer(Path(folder) / name, given.threads, **others)
            try:
                for line in measure(server, given, texts):
                    _say(line)
            finally:
                server.stop()
    return 0


def throughput(server: BenchServer, given: argparse.Namespace, texts: Sequence[str]) -> list[str]:
    """Both without a cache, rounds in turn."""
    job = corpus.job()
    direct, batch, cpu_direct, cpu_batch = [], [], [], []
    server.score(job, texts[:8])
    for number in range(given.rounds):
        rows = [f"{text}\nround {number}" for text in texts[: given.rows]]
        started, cpu = time.perf_counter(), _cpu(server)
        for start in range(0, len(rows), CHUNK):
            server.score(job, rows[start : start + CHUNK])
        direct.append(len(rows) / (time.perf_counter() - started))
        cpu_direct.append(_cpu(server) - cpu)
        started, cpu = time.perf_counter(), _cpu(server)
        _finish(server, _create(server, [job], rows))
        batch.append(len(rows) / (time.perf_counter() - started))
        cpu_batch.append(_cpu(server) - cpu)
    cpus = [one / other for one, other in zip(cpu_direct, cpu_batch, strict=True)]
    ratios = [one / other for one, other in zip(batch, direct, strict=True)]
    return [
        f"| `/v1/score`, {CHUNK} candidates a request | {statistics.median(direct):.1f} rows/s |",
        f"| a job of {given.rows} rows | {statistics.median(batch):.1f} rows/s |",
        f"| job / `/v1/score` | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |",
        f"| rows for a second of CPU time: job / `/v1/score` | {statistics.median(cpus):.2f} "
        f"({min(cpus):.2f} to {max(cpus):.2f}) |",
    ]


def latency(server: BenchServer, given: argparse.Namespace, texts: Sequence[str]) -> list[str]:
    """One caller with one candidate a request, twice a second, alone and beside a job."""
    job = corpus.job()
    alone = _latencies(server, job, texts, 60)
    created = _create(server, [job], [f"{text}\n{i}" for i in range(8) for text in texts[: given.rows]])
    beside = _latencies(server, job, texts, 60)
    done = server_job(server, created)["counts"]["completed"]
    httpx.post(f"{server.url}/v1/score/jobs/{created}/cancel", timeout=60)
    of_alone, of_beside = _p95(alone), _p95(beside)
    return [
        f"| `/v1/score`, one candidate, p95 alone | {1000 * of_alone:.0f} ms |",
        f"| the same while a job runs ({done} rows of it were done) | {1000 * of_beside:.0f} ms |",
        f"| beside / alone | {of_beside / of_alone:.2f} |",
    ]


def pairs(server: BenchServer, given: argparse.Namespace, texts: Sequence[str]) -> list[str]:
    """A part of the documents is encoded through `/v1/embed` by passages, before and after the job."""
    documents = [_varied(texts, i) for i in range(given.resumes)]
    postings = [
        {"id": f"p-{i}", **corpus.job(seed=2), "description": f"{corpus.job()['description']}\nTeam {i}."}
        for i in range(given.postings)
    ]
    sample = documents[: max(64, given.resumes // 20)]
    before, cpu_before = _embedded(server, sample)
    started, cpu = time.perf_counter(), _cpu(server)
    done = _finish(server, _create(server, postings, documents))
    took, cpu = time.perf_counter() - started, _cpu(server) - cpu
    after, cpu_after = _embedded(server, sample)
    count = given.resumes + given.postings
    seconds, cpu_seconds = (
        statistics.mean([before, after]) * count,
        statistics.mean([cpu_before, cpu_after]) * count,
    )
    return [
        f"| encoding {given.resumes + given.postings:,} documents (from {len(sample):,}) | {seconds:.0f} s |",
        f"| a job of {given.postings} postings and {given.resumes:,} resumes, "
        f"{done['counts']['decisions']:,} decisions | {took:.0f} s |",
        f"| job / encoding | {took / seconds:.2f} |",
        f"| job / encoding, CPU time | {cpu / cpu_seconds:.2f} |",
    ]


def memory(server: BenchServer, given: argparse.Namespace, texts: Sequence[str]) -> list[str]:
    """Short rows, so that it is about memory and not about the engine."""
    process = psutil.Process(server.process.pid)
    most, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.2):
            family = [process, *process.children(recursive=True)]
            most[0] = max(most[0], sum(one.memory_info().rss for one in family) / 2**20)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        rows = (f"{' '.join(texts[i % len(texts)].split()[:30])}\n{i}" for i in range(given.many))
        started = time.perf_counter()
        created = _create(server, [corpus.job()], rows)
        uploaded = time.perf_counter() - started
        done = _finish(server, created)
        took = time.perf_counter() - started
        lines = 0
        with httpx.stream("GET", f"{server.url}/v1/score/jobs/{created}/results", timeout=600) as answer:
            for _ in answer.iter_lines():
                lines += 1
    finally:
        stop.set()
        watching.join()
    assert lines == done["counts"]["completed"]
    return [
        f"| upload of {given.many:,} rows | {uploaded:.0f} s |",
        f"| until all are scored | {took:.0f} s |",
        f"| largest resident memory, all processes | {most[0]:.0f} MiB |",
    ]


def documents(server: BenchServer, given: argparse.Namespace, texts: Sequence[str]) -> list[str]:
    """Rounds in turn; the ratio is the time of a job of files to that of the two halves of its work."""
    contents, read = _readable(given.folder)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i, content in enumerate(contents):
            archive.writestr(f"{i}.pdf", content)
    request = json.dumps({"job": corpus.job()})
    parts: list[tuple[str, Any]] = [("request", (None, request)), ("files", ("all.zip", packed.getvalue()))]
    reader = DocumentReader(size=2)
    count = len(contents)
    reading, of_texts, of_files, cpu_files = [], [], [], []
    try:
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda data: reader.read(data, field="file"), contents[:4]))
            server.score(corpus.job(), read[:4])
            for _ in range(given.rounds):
                started = time.perf_counter()
                list(threads.map(lambda data: reader.read(data, field="file"), contents))
                reading.append(time.perf_counter() - started)
                started = time.perf_counter()
                _finish(server, _create(server, [corpus.job()], read))
                of_texts.append(time.perf_counter() - started)
                started, cpu = time.perf_counter(), _cpu(server)
                answer = httpx.post(f"{server.url}/v1/score/jobs", files=parts, timeout=600)
                answer.raise_for_status()
                _finish(server, str(answer.json()["id"]))
                of_files.append(time.perf_counter() - started)
                cpu_files.append(_cpu(server) - cpu)
    finally:
        reader.stop()
    ratios = [one / (a + b) for one, a, b in zip(of_files, of_texts, reading, strict=True)]
    return [
        f"| reading {count} PDF files, two processes | {count / statistics.median(reading):.1f} files/s |",
        f"| a job of their texts | {count / statistics.median(of_texts):.1f} files/s |",
        f"| a job of the files | {count / statistics.median(of_files):.1f} files/s |",
        f"| job of files / (reading + job of texts), in time | {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}) |",
        f"| CPU time of a job of the files | {1000 * statistics.median(cpu_files) / count:.0f} ms a file |",
    ]


def _readable(folder: Path) -> tuple[list[bytes], list[str]]:
    """Files that can be scored, and their texts."""
    contents, read = [], []
    for file in sorted(folder.glob("*.pdf")):
        content = file.read_bytes()
        try:
            text = parse_document(content, DocumentLimits()).text
        except DocumentError:
            continue
        if text:
            contents.append(content)
            read.append(text)
    return contents, read


def server_job(server: BenchServer, job_id: str) -> dict[str, Any]:
    """The job as the server tells it."""
    found: dict[str, Any] = httpx.get(f"{server.url}/v1/score/jobs/{job_id}", timeout=60).json()
    return found


def _create(server: BenchServer, postings: Sequence[object], rows: Sequence[str] | Iterator[str]) -> str:
    def lines() -> Iterator[bytes]:
        for posting in postings:
            yield json.dumps({"job": posting}).encode() + b"\n"
        for i, row in enumerate(rows):
            yield json.dumps({"id": str(i), "resume": row}).encode() + b"\n"

    url = f"{server.url}/v1/score/jobs"
    answer = httpx.post(url, content=lines(), headers=_LINES, timeout=600)
    answer.raise_for_status()
    return str(answer.json()["id"])


def _finish(server: BenchServer, job_id: str) -> dict[str, dict[str, int]]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        job = httpx.get(f"{server.url}/v1/score/jobs/{job_id}", timeout=60).json()
        if job["ended_at"] is not None:
            if job["status"] != "completed" or job["counts"]["failed"]:
                raise RuntimeError(f"the job ended as {job['status']}: {job['errors']}")
            found: dict[str, dict[str, int]] = job
            return found
        time.sleep(0.1)
    raise RuntimeError("the job did not end")


def _latencies(server: BenchServer, job: dict[str, str], texts: Sequence[str], seconds: float) -> list[float]:
    found, end, i = [], time.monotonic() + seconds, 0
    while time.monotonic() < end:
        started = time.perf_counter()
        server.score(job, [f"{texts[i % len(texts)]}\n{time.monotonic()}"])
        found.append(time.perf_counter() - started)
        time.sleep(max(0.0, 0.5 - found[-1]))
        i += 1
    return found


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _cpu(server: BenchServer) -> float:
    """Seconds of CPU time of the server and the processes that read for it."""
    process = psutil.Process(server.process.pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def _embedded(server: BenchServer, texts: Sequence[str]) -> tuple[float, float]:
    """Seconds, and seconds of CPU time, a document, read and encoded by passages."""
    with httpx.Client(base_url=server.url, timeout=600) as client:
        started, cpu = time.perf_counter(), _cpu(server)
        for start in range(0, len(texts), 32):
            body = {"inputs": list(texts[start : start + 32]), "passages": True}
            client.post("/v1/embed", json=body).raise_for_status()
        return (time.perf_counter() - started) / len(texts), (_cpu(server) - cpu) / len(texts)


def _varied(texts: Sequence[str], i: int) -> str:
    """A text of which no line is that of another one."""
    return "\n".join(f"{line} {i}" for line in texts[i % len(texts)].split("\n"))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
