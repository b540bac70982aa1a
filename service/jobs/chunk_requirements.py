"""What the resumes of a chunk say to the requirements of its postings, as it is kept and as it is answered.

Kept is no text: of each requirement whether it was found and in which passages. Its words are the posting's
own, and are read again when the records are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from service.core.requirements.kinds import Kind, Requirement
from service.core.requirements.listing import RequirementResult, lists_of_requirements, reason_of
from service.jobs.job_store import Job
from service.store.tables import from_microseconds

Requirements = tuple[Requirement, ...]

MAX_POSTINGS = 50
"""Postings for all candidates of a job that lists requirements: each record holds a posting's own."""


def day_of(job: Job) -> date:
    """What "present" means in a job's resumes: the day (UTC) that it was made, however long it takes."""
    return from_microseconds(job.created).date()


def kept_facts(
    requirements: Sequence[Requirements],
    resume: str,
    passages: Sequence[str],
    *,
    require: Sequence[Kind],
    today: date,
) -> list[list[Any]]:
    """Of each posting's requirements the reason or None, and `[found, where]` of each of them.

    Args:
        requirements: those of each posting that the resume is scored against.
        resume: its text as the model reads it.
        passages: what it was cut into.
        require: kinds that decide.
        today: what "present" means.
    """
    found = lists_of_requirements(requirements, resume, passages, today)
    return [
        [reason_of(results, require), [[one.found, list(one.where)] for one in results]] for results in found
    ]


def record_of_facts(requirements: Requirements, facts: Sequence[Any]) -> dict[str, Any]:
    """What a record has of a pair's facts, as `kept_facts` gave them.

    No list if the posting's requirements are others by now: another version of the rules kept the facts.
    """
    reason, evidence = facts
    listed: list[dict[str, Any]] | None = None
    if len(evidence) == len(requirements):
        listed = [
            asdict(RequirementResult(one.text, one.kind, one.required, found, tuple(where)))
            for one, (found, where) in zip(requirements, evidence, strict=True)
        ]
    return {"reason": reason, "requirements": listed}
