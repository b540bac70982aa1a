"""`make bench`: everything in docs/benchmarks.md, measured side by side in one run, as Markdown.

Rounds alternate between the things compared, and ratios are taken within a round, since a shared
machine is not equally fast from one minute to the next.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import audits, corpus, engines, noise, recording
from benchmarks.http import CLIENTS, INPUTS, BenchServer
from service.core.bundle import read_bundle
from service.core.documents import read_document
from service.runtime.devices import usable_cores
from service.settings import Settings


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--texts", type=int, default=128, help="texts a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=min(2, usable_cores()))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = _measure(Path(folder), given.texts, given.rounds, given.threads)
    sys.stdout.write("\n".join(lines) + "\n")


def _measure(folder: Path, count: int, rounds: int, threads: int) -> list[str]:
    bundle = read_bundle(Settings().model.bundle_path)
    loaded = engines.load(bundle, folder / "models", threads)
    info, engine, tokenizer = loaded.chosen.engine.info, loaded.chosen.engine, loaded.chosen.tokenizer
    texts = corpus.resumes(tokenizer, count)
    ids = tokenizer.encode_all(texts, "resume")
    peak = engines.peak_gflops(threads)
    BenchServer(folder, threads).stop()  # the first start converts the model
    server = BenchServer(folder, threads)
    starts = [server.start_seconds]
    try:
        server.embed(texts[:INPUTS])
        plain, raw, http, redacted = [], [], [], []
        for _ in range(rounds):
            plain.append(count / engines.seconds(lambda: loaded.plain_torch(ids)))
            raw.append(count / engines.seconds(lambda: engine.embed(ids)))
            http.append(count / engines.seconds(lambda: server.embed(texts)))
            redacted.append(count / engines.seconds(lambda: server.embed(texts, redact=True)))
        cosines = (loaded.plain_torch(ids) * engine.embed(ids)).sum(axis=1)
        single = [engines.seconds(lambda: server.embed(texts[:1])) for _ in range(20)]
        job, hundred = corpus.job(), texts[:100]
        before = server.encoded()
        scored = engines.seconds(lambda: server.score(job, hundred))
        encoded = server.encoded() - before
    finally:
        server.stop()
    for _ in range(2):
        again = BenchServer(folder, threads)
        starts.append(again.start_seconds)
        again.stop()
    document = read_document(job["description"], field="job")
    job_texts = 1 + len(tokenizer.passages(document, "job"))
    passages = sum(len(tokenizer.passages(read_document(t, field="r"), "resume")) for t in hundred)
    noises = noise.measure(bundle, loaded.chosen, job, texts[:24])
    audit = audits.measure(folder, threads, job)
    recorded = recording.measure(folder, threads, job, texts, rounds)
    gflop = engines.model_gflop(bundle, corpus.TOKENS)
    return [
        f"{_processor()}, {threads} cores; {info.name} {info.precision}; {rounds} rounds of {count} "
        f"resumes of {corpus.TOKENS} tokens; medians (lowest to highest).",
        "",
        "| figure | value |",
        "|---|---|",
        f"| plain torch fp32, batches of {engines.TORCH_BATCH} | {_spread(plain)} texts/s |",
        f"| raw engine | {_spread(raw)} texts/s |",
        f"| raw engine / plain torch | {_ratio(raw, plain)} |",
        f"| lowest cosine of the raw engine to plain torch | {float(np.min(cosines)):.7f} |",
        f"| `/v1/embed`, {CLIENTS} clients, {INPUTS} texts a request | {_spread(http)} texts/s |",
        f"| `/v1/embed` / raw engine | {_ratio(http, raw)} |",
        f"| `/v1/embed` with redaction / raw engine | {_ratio(redacted, raw)} |",
        f"| `/v1/embed`, one text, one client | {1000 * statistics.median(single):.0f} ms |",
        f"| `/v1/score`, one job, 100 resumes | {scored:.2f} s |",
        f"| texts encoded for it: {job_texts} of the job, {passages} of the resumes | {encoded} |",
        f"| redacting a resume of 133 words | {audit.redact:.1f} ms |",
        f"| scoring it against a job, redaction included | {audit.score:.0f} ms |",
        f"| auditing it, redacted: 8 x 5 names and the control arm, {audit.texts_redacted} distinct texts | "
        f"{audit.audit_redacted:.0f} ms ({audit.audit_redacted / audit.score:.1f} x its score) |",
        f"| auditing it, not redacted, {audit.texts_bare} distinct texts | {audit.audit_bare:.0f} ms |",
        f"| `/v1/score` neither counted nor recorded, {recording.CANDIDATES} resumes a request | "
        f"{_spread(recorded.off)} resumes/s |",
        f"| counted and recorded / neither | {_ratio(recorded.on, recorded.off, 3)} |",
        f"| the same, durable / neither | {_ratio(recorded.durable, recorded.off, 3)} |",
        *(f"| largest change of raw_score: {what} | {gap:.1e} |" for what, gap in noises.items()),
        f"| second start until ready | {_spread(starts, 2)} s |",
        f"| resident memory at rest | {server.rest_mib:.0f} MiB |",
        f"| fastest fp32 matrix product seen | {peak:.0f} GFLOP/s |",
        f"| the raw engine's arithmetic ({gflop:.2f} GFLOP a text) | "
        f"{gflop * statistics.median(raw):.0f} GFLOP/s |",
        f"| arithmetic of 2.2 x plain torch | {2.2 * gflop * statistics.median(plain):.0f} GFLOP/s |",
    ]


def _spread(values: Sequence[float], digits: int = 1) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _ratio(ones: Sequence[float], others: Sequence[float], digits: int = 2) -> str:
    return _spread([one / other for one, other in zip(ones, others, strict=True)], digits)


def _processor() -> str:
    name = platform.processor() or platform.machine()
    flags: set[str] = set()
    if os.path.exists("/proc/cpuinfo"):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
            if line.startswith("flags"):
                flags = set(line.split(":", 1)[1].split())
    has = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f in flags]
    return f"{name} ({', '.join(has)})" if has else name


if __name__ == "__main__":
    main()
