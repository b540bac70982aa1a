"""What is decided of a chunk's rows once they are read and encoded: their pairs, facts and decisions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from service.core.vectors import Vectors
from service.jobs.chunk_records import Pairs, PreparedJob, ReadPosting, ReadRow
from service.jobs.chunk_requirements import day_of, kept_facts
from service.jobs.rows import Row
from service.runtime.runtime import Runtime
from service.store.decisions import Decision


def match_pairs(
    runtime: Runtime,
    prepared: PreparedJob,
    wanted: Sequence[int],
    vectors: Mapping[int, Vectors],
    own: Mapping[int, ReadPosting],
) -> Pairs:
    """Each row with its own posting, or with all postings of the job; pairs of a row stand together."""
    pairs: Pairs = []
    shared = [i for i in wanted if i not in own]
    jobs = [(posting.job, posting.vectors) for posting in prepared.postings]
    matches = runtime.matcher.match_all(jobs, [vectors[i] for i in shared]) if jobs and shared else []
    by_row = dict(zip(shared, matches, strict=True))
    for i in wanted:
        if i in own:
            match = runtime.matcher.match(own[i].job, own[i].vectors, vectors[i])
            pairs.append((i, 0, match))
        else:
            pairs += [(i, posting, match) for posting, match in enumerate(by_row[i])]
    return pairs


def decisions_of(
    runtime: Runtime,
    prepared: PreparedJob,
    rows: Sequence[Row],
    pairs: Pairs,
    own: Mapping[int, ReadPosting],
    first: int,
    facts: Sequence[Sequence[Any]] | None,
) -> list[Decision]:
    """A decision a pair, with an id made of job, posting and row: the same however often it is scored.

    `first`: index in the job of the chunk's first row. `facts`: of `facts_of`; None if none are asked for.
    """
    reasons = [None] * len(pairs) if facts is None else [reason for reason, _ in facts]
    now, job = datetime.now(UTC), prepared.job
    namespace = uuid.UUID(job.id)
    threshold, digest, engine = runtime.bundle.decision.threshold, runtime.bundle.digest, runtime.info.name
    return [
        Decision(
            decision_id=str(uuid.uuid5(namespace, f"{first + i}/{'own' if i in own else posting}")),
            time=now,
            request_id=f"job.{job.id}",
            job_id=own[i].id if i in own else prepared.postings[posting].id,
            candidate_id=rows[i].id or "",
            groups=rows[i].groups,
            raw_score=match.raw_score,
            calibrated_probability=match.calibrated_probability,
            threshold=threshold,
            decision="selected" if match.selected and reason is None else "not_selected",
            redact=job.redact,
            bundle_digest=digest,
            engine=engine,
            cohort_digest=runtime.cohort_digest,
            tenant=job.tenant,
        )
        for (i, posting, match), reason in zip(pairs, reasons, strict=True)
    ]


def facts_of(
    prepared: PreparedJob,
    pairs: Pairs,
    read: Mapping[int, ReadRow],
    own: Mapping[int, ReadPosting],
) -> list[list[Any]]:
    """What each pair's resume says to its posting's requirements; rows stand together in `pairs`."""
    shared = [posting.requirements for posting in prepared.postings]
    found: list[list[Any]] = []
    for i in dict.fromkeys(i for i, _, _ in pairs):
        resume = read[i].resume
        found += kept_facts(
            [own[i].requirements] if i in own else shared,
            resume.read.document.text,
            [passage.text for passage in resume.passages],
            require=prepared.job.require,
            today=day_of(prepared.job),
        )
    return found
