"""What is found out about a chunk's rows, as it is kept with its decisions, and the records made of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.core.calibration import PriorShift
from service.core.copied_text import RunsOfPostings
from service.core.errors import AnswerErasedError
from service.core.matching import Match, TokenizedJob, TokenizedResume
from service.core.resume_warnings import needs_a_look
from service.core.vectors import Vectors
from service.files.documents.parsed import ParsedDocument
from service.jobs.chunk_requirements import Requirements, record_of_facts
from service.jobs.job_store import Job
from service.jobs.rows import Fault, Row
from service.store.decisions import Decision

Pairs = list[tuple[int, int, Match]]
"""Row, posting and match."""


@dataclass(frozen=True, slots=True)
class ReadPosting:
    """A posting as it is scored against, with its vectors, and its requirements if the job lists them."""

    id: str | None
    job: TokenizedJob
    vectors: Vectors
    requirements: Requirements = ()


@dataclass(frozen=True, slots=True)
class PreparedJob:
    """A job and its postings for all candidates, read and encoded once."""

    job: Job
    postings: list[ReadPosting]
    runs: RunsOfPostings


@dataclass(frozen=True, slots=True)
class ReadRow:
    """What is left of a row once its resume was read: its vectors, and what is said beside its scores."""

    resume: TokenizedResume
    repeats: dict[int, int]
    document: ParsedDocument | None


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """`records`: one a pair, rows in order, postings in order. `faults`: one a row that failed."""

    records: list[dict[str, Any]]
    faults: list[dict[str, Any]]
    completed: int
    errors: Mapping[str, int]


def pack(
    shift: PriorShift,
    rows: Sequence[Row],
    block: range,
    pairs: Pairs,
    decisions: Sequence[Decision],
    faults: Mapping[int, Fault],
    read: Mapping[int, ReadRow],
    *,
    with_cohort: bool,
    facts: Sequence[Sequence[Any]] | None,
) -> str:
    """What was found out about a block, as it is kept with its decisions for a day: no text.

    `facts`: of each pair (`chunk_requirements.kept_facts`), None if the job lists no requirements.
    """
    of_rows = {}
    for i in block:
        if one := read.get(i):
            document = one.document
            found = one.resume.read
            of_rows[i] = [
                found.language,
                list(found.warnings),
                dict(found.redactions or {}),
                None
                if document is None
                else [document.kind, document.pages, document.characters, dict(document.warnings)],
                {str(posting): words for posting, words in one.repeats.items()},
                dict(one.resume.read.warning_counts),
            ]
    packed = {
        "threshold": shift.threshold,
        "rows": of_rows,
        "pairs": [
            [
                i,
                posting,
                decision.decision_id,
                match.raw_score,
                shift.probability(match.calibrated_probability),
                int(decision.decision == "selected"),
                int(match.borderline),
                *((match.cohort_percentile,) if with_cohort else ()),
            ]
            for (i, posting, match), decision in zip(pairs, decisions, strict=True)
        ],
        "faults": [[i, of.code, of.message, of.field] for i in block if (of := faults.get(i))],
    }
    if facts is not None:
        packed["facts"] = facts
    return json.dumps(packed, separators=(",", ":"))


def kept_of(content: str, decision_ids: Collection[str]) -> list[dict[str, Any]]:
    """What a kept block says of these decisions, and of no other."""
    packed = json.loads(content)
    found = []
    for i, _, decision_id, raw, probability, selected, borderline, *of_cohort in packed["pairs"]:
        if decision_id not in decision_ids:
            continue
        language, warnings, redactions, document, repeats, counts = packed["rows"][str(i)]
        found.append(
            {
                "threshold": packed["threshold"],
                "decision_id": decision_id,
                "raw_score": raw,
                "calibrated_probability": probability,
                "decision": "selected" if selected else "not_selected",
                "borderline": bool(borderline),
                **({"cohort_percentile": of_cohort[0]} if of_cohort else {}),
                "language": language,
                "warnings": warnings,
                "warning_counts": counts,
                "redactions": redactions,
                "document": document,
                "words_repeated_from_postings": repeats,
            }
        )
    return found


def chunk_of(
    job: Job,
    prepared: PreparedJob,
    rows: Sequence[Row],
    blocks: Sequence[tuple[range, str]],
    required: Mapping[int, Requirements],
) -> ScoredChunk:
    """The chunk from the blocks of it as they were kept; an empty one was erased.

    `required`: requirements of the postings that are a row's own, if the job lists them.
    """
    records: list[dict[str, Any]] = []
    faults: list[dict[str, Any]] = []
    errors: dict[str, int] = {}
    completed = 0
    for block, content in blocks:
        packed = json.loads(content) if content else None
        if packed is None:  # erased after it was recorded, before it was kept
            gone = Fault(AnswerErasedError.code, "a person of this block was erased while the job ran")
            failed = [(i, gone) for i in block]
        else:
            failed = [(i, Fault(code, message, field)) for i, code, message, field in packed["faults"]]
            completed += len(packed["rows"])
            records += _records(prepared, rows, packed, required)
        for i, fault in failed:
            errors[fault.code] = errors.get(fault.code, 0) + 1
            faults.append(fault_record(rows[i], fault))
    return ScoredChunk(records, faults, completed, errors)


def _records(
    prepared: PreparedJob,
    rows: Sequence[Row],
    packed: Mapping[str, Any],
    required: Mapping[int, Requirements],
) -> Iterator[dict[str, Any]]:
    facts = packed.get("facts")
    for number, pair in enumerate(packed["pairs"]):
        i, posting, decision_id, raw, probability, selected, borderline, *of_cohort = pair
        row = rows[i]
        language, warnings, redactions, document, repeats, counts = packed["rows"][str(i)]
        if str(posting) in repeats:
            warnings = [*warnings, "repeats_posting"]
            counts = {**counts, "repeats_posting": repeats[str(posting)]}
        own = row.posting
        record = {
            "line": row.line,
            "candidate_id": row.id,
            "job_id": own.id if own is not None else prepared.postings[posting].id,
            "job_index": posting if own is None else None,
            "decision_id": decision_id,
            "raw_score": raw,
            "calibrated_probability": probability,
            "decision": "selected" if selected else "not_selected",
            "borderline": bool(borderline) or needs_a_look(warnings),
            "language": language,
            "warnings": warnings,
            "warning_counts": counts,
            "redactions": redactions,
        }
        if of_cohort:
            record["cohort_percentile"] = of_cohort[0]
        if facts is not None:
            asked = prepared.postings[posting].requirements if own is None else required.get(i, ())
            record |= record_of_facts(asked, facts[number])
        if row.unknown_groups:
            record["unknown_groups"] = list(row.unknown_groups)
        if row.file is not None:
            record["file"] = row.file.name
        if document is not None:
            kind, pages, characters, about = document
            record["document"] = {
                "type": kind,
                "pages": pages,
                "characters": characters,
                "warnings": about,
            }
        yield record


def fault_record(row: Row, fault: Fault) -> dict[str, Any]:
    """What is said of a row that failed."""
    record: dict[str, Any] = {
        "line": row.line,
        "candidate_id": row.id,
        "code": fault.code,
        "message": fault.message,
        "field": fault.field,
    }
    if row.file is not None:
        record["file"] = row.file.name
    return record
