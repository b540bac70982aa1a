"""The requirements of a posting beside one resume, and what follows if the caller asks for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from service.core.documents import normalise
from service.core.redaction.json_resume import plain_text
from service.core.requirements.kinds import Found, Kind, Requirement
from service.core.requirements.posting import requirements_of
from service.core.requirements.resume import ResumeFacts, evidence_for, passages_of

Reason = Literal["requirement_not_found"]
"""Why a candidate is not selected though the threshold would have it."""


@dataclass(frozen=True, slots=True)
class RequirementResult:
    """`text`: the posting's own words. `where`: indices of the resume's passages that say so, in order."""

    text: str
    kind: Kind
    required: bool
    found: Found
    where: tuple[int, ...]


def read_requirements(posting: str) -> tuple[Requirement, ...]:
    """The requirements of a posting as it came."""
    return requirements_of(plain_text(normalise(posting)))


def list_requirements(
    requirements: Sequence[Requirement], resume: str, passages: Sequence[str], today: date
) -> tuple[RequirementResult, ...]:
    """What a resume says to each requirement.

    Args:
        requirements: those of the posting.
        resume: the resume's text as the model reads it: normalised and redacted.
        passages: the passages it was cut into.
        today: what "present" means in periods of work.
    """
    return lists_of_requirements([requirements], resume, passages, today)[0]


def lists_of_requirements(
    postings: Sequence[Sequence[Requirement]], resume: str, passages: Sequence[str], today: date
) -> list[tuple[RequirementResult, ...]]:
    """`list_requirements` of several postings; the resume is read once."""
    if not any(postings):
        return [() for _ in postings]
    text = plain_text(resume)
    facts = ResumeFacts(text, today)
    return [
        tuple(
            RequirementResult(
                one.text,
                one.kind,
                one.required,
                it.found,
                passages_of(it.places, text, passages) if it.places else (),
            )
            for one, it in zip(requirements, evidence_for(requirements, facts), strict=True)
        )
        for requirements in postings
    ]


def reason_of(results: Collection[RequirementResult], kinds: Collection[Kind]) -> Reason | None:
    """The reason if the resume lacks a required fact of one of `kinds`; "unknown" never is one."""
    lacks = any(one.found == "no" and one.required and one.kind in kinds for one in results)
    return "requirement_not_found" if lacks else None
