"""Redaction and audits beside the score of one resume, in one process without an embedding cache."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from service.api.settings import Settings
from service.core.audit.plan import AuditOptions, AuditResume, plan_audit
from service.core.audit.report import summarise
from service.runtime.runtime import Runtime, load_runtime
from tests.service.core.redaction.corpus import samples


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
    runtime = load_runtime(Settings(data_dir=folder, threads=threads, cache_mib=0).runtime_options())
    runtime.start()
    try:
        return asyncio.run(
            _measure(runtime, job, [s.text for s in samples(2 * count, 5) if s.layout != "flat"][:count])
        )
    finally:
        runtime.stop(10)


async def _measure(runtime: Runtime, job: dict[str, str], texts: list[str]) -> AuditTimes:
    matcher = runtime.matcher
    matcher.tokenize_resume(texts[0])  # reads the word lists
    times: dict[str, list[float]] = {"redact": [], "score": [], "redacted": [], "bare": []}
    sizes: dict[str, int] = {}
    for text in texts:
        started = time.perf_counter()
        matcher.redactor.redact(text)
        times["redact"].append(time.perf_counter() - started)
        started = time.perf_counter()
        tokenized = matcher.tokenize_all(job["description"], job["title"], [text])
        await runtime.match(*tokenized)
        times["score"].append(time.perf_counter() - started)
        for name in ("redacted", "bare"):
            started = time.perf_counter()
            plan = plan_audit(
                matcher,
                job["description"],
                job["title"],
                [AuditResume("r", text)],
                AuditOptions(attributes=("name",), redact=name == "redacted"),
                max_resumes=1,
                max_characters=100_000,
            )
            summarise(plan, await runtime.audit(plan))
            times[name].append(time.perf_counter() - started)
            sizes[name] = len(plan.texts)
    median = {name: 1000 * statistics.median(values) for name, values in times.items()}
    return AuditTimes(
        median["redact"],
        median["score"],
        median["redacted"],
        median["bare"],
        sizes["redacted"],
        sizes["bare"],
    )
