"""Redaction and audits beside the score of one resume, in one process; each on texts never seen before."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from service.core.counterfactual_audit.plan import AuditResume, CounterfactualOptions
from service.runtime.auditing import audit_resumes
from service.runtime.runtime import Runtime, load_runtime
from service.settings import Settings
from tests.support.resume_corpus import samples


@dataclass(frozen=True)
class AuditTimes:
    """Medians in milliseconds; `texts`: distinct ones that the audit scored."""

    redact: float
    score: float
    audit_redacted: float
    audit_bare: float
    texts_redacted: int
    texts_bare: int


def measure(folder: Path, threads: int, job: dict[str, str], count: int = 16) -> AuditTimes:
    """Each over `count` resumes of about 133 words, in turn; audits of 8 x 5 names and the control arm."""
    runtime = load_runtime(Settings(store={"data_dir": folder}, model={"threads": threads}).runtime)
    runtime.start()
    try:
        texts = [sample.text for sample in samples(5 * count, 5) if sample.layout != "flat"]
        return asyncio.run(_measure(runtime, job, texts[: 4 * count]))
    finally:
        runtime.stop(10)


async def _measure(runtime: Runtime, job: dict[str, str], texts: list[str]) -> AuditTimes:
    matcher = runtime.matcher
    matcher.tokenize_resume(texts[0])  # reads the word lists
    times: dict[str, list[float]] = {"redact": [], "score": [], "redacted": [], "bare": []}
    sizes: dict[str, int] = {}
    for i, (redacted, scored, *audited) in enumerate(zip(*[iter(texts)] * 4, strict=True)):
        started = time.perf_counter()
        matcher.redactor.redact(redacted)
        times["redact"].append(time.perf_counter() - started)
        started = time.perf_counter()
        tokenized_job = matcher.tokenize_job(f"{job['description']} {i}", job["title"])
        await runtime.match(tokenized_job, [matcher.tokenize_resume(scored)])
        times["score"].append(time.perf_counter() - started)
        for name, text in zip(("redacted", "bare"), audited, strict=True):
            options = CounterfactualOptions(attributes=("name",), redact=name == "redacted")
            resume = AuditResume("r", text)
            started = time.perf_counter()
            done = await audit_resumes(
                runtime, f"{job['description']} {i} {name}", job["title"], [resume], options
            )
            times[name].append(time.perf_counter() - started)
            sizes[name] = len(done.plan.texts)
    median = {name: 1000 * statistics.median(values) for name, values in times.items()}
    return AuditTimes(
        median["redact"],
        median["score"],
        median["redacted"],
        median["bare"],
        sizes["redacted"],
        sizes["bare"],
    )
