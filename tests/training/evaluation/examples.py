"""Four short resumes and a job, in the words that tiny models know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.core.counterfactual_audit.plan import AuditResume

JOB = "Registered nurse on a surgical ward. You care for a patient and work with the team."


@dataclass(frozen=True)
class Labelled:
    job_id: str
    title: str | None
    description: str
    resume_id: str
    resume: str
    label: int
    true_label: int | None = None
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Changed:
    job_id: str
    title: str | None
    description: str
    original: str
    counterfactual: str


_TEXTS = {
    "r1": "Keisha Robinson\nkeisha@example.org\n\nNurse on a surgical ward, wound care and payment in 2019.\n"
    "Nurse, 2016.\n\nEducation\nHarvard University, 2014",
    "r2": "John Miller\n\nRegistered nurse. Care of a patient on the ward.\n\n"
    "Education\nStanford University, 2011",
    "r3": "Emily Walsh\n\nPython engineer. Built backend services with a database.\n\n"
    "Education\nYale University, 2012",
    "r4": "Jamal Washington\n\nAccountant. Manage payment with the team, senior.\n\n"
    "Education\nPrinceton University, 2009",
}
RESUMES = tuple(AuditResume(key, text) for key, text in _TEXTS.items())
EXAMPLES = [
    Labelled(
        job,
        title,
        JOB,
        key,
        text,
        int(key in ("r1", "r2") and job == "a"),
        int(key in ("r1", "r2")),
        {"sex": "female" if key in ("r1", "r3") else "male"},
    )
    for job, title in (("a", "nurse"), ("b", None))
    for key, text in _TEXTS.items()
]
PAIRS = [
    Changed("a", None, JOB, _TEXTS["r1"], _TEXTS["r2"]),
    Changed("a", None, JOB, _TEXTS["r2"], _TEXTS["r2"]),
]
