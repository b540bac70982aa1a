"""What several answers say in the same way, and how that of `/v1/score` is kept for an `Idempotency-Key`.

Kept is what the service found out: decision ids, scores, warnings, counts of redactions. What the caller gave
(ids) comes back from the repeated request; passages of resumes and postings are never kept, explanations and
lists of requirements made again.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from service.api.schemas.files import DocumentOut
from service.api.schemas.score import (
    PassageOut,
    ScorePartsOut,
    ScoreRequest,
    ScoreResponse,
    ScoreResult,
    ScoringModel,
)
from service.core.matching import Matcher, TokenizedJob, TokenizedResume, explain
from service.core.vectors import Vectors
from service.runtime.runtime import Runtime

_OF_RESULTS = (
    "decision_id",
    "raw_score",
    "calibrated_probability",
    "decision",
    "borderline",
    "language",
    "warnings",
    "warning_counts",
    "redactions",
)


_OF_COHORTS = ("cohort_percentile",)
"""Kept of answers that were normalised by a cohort."""


def scoring_model(runtime: Runtime) -> ScoringModel:
    """What scored, as answers name it."""
    manifest, info = runtime.bundle.manifest, runtime.info
    return ScoringModel(
        bundle=manifest.name,
        version=manifest.version,
        engine=info.name,
        precision=info.precision,
        cohort=runtime.cohort_digest,
    )


def explained(
    matcher: Matcher, job: TokenizedJob, job_vectors: Vectors, resume: TokenizedResume, vectors: Vectors
) -> list[PassageOut]:
    """The explanation of one resume as it is sent; for a thread, since long resumes take seconds."""
    return [
        PassageOut(
            text=passage.text,
            contribution=passage.contribution,
            job_passage=passage.job_passage,
            similarity=passage.similarity,
        )
        for passage in explain(matcher, job, job_vectors, resume, vectors)
    ]


def parts_of(matcher: Matcher, job: TokenizedJob, job_vectors: Vectors, vectors: Vectors) -> ScorePartsOut:
    """What a score is the sum of, as it is sent; for a thread, too."""
    parts = matcher.score_parts(job, job_vectors, vectors)
    return ScorePartsOut(
        late_interaction=parts.late_interaction,
        occupations=parts.occupations,
        posting_level=parts.posting_level,
        resume_level=parts.resume_level,
    )


def pack(answer: ScoreResponse, bundle_digest: str) -> str:
    """JSON, about 150 bytes a candidate, at most 550, and 90 to 250 more of a document.

    A later version must be able to read it for a day.
    """
    names = (*_OF_RESULTS, *(_OF_COHORTS if answer.model.cohort is not None else ()))
    kept: dict[str, Any] = {
        "bundle": bundle_digest,
        "model": answer.model.model_dump(exclude_none=True),
        "threshold": answer.threshold,
        "prevalence": answer.prevalence,
        "warnings": answer.warnings,
        "results": {name: [getattr(one, name) for one in answer.results] for name in names},
    }
    if any(one.reason is not None for one in answer.results):
        kept["reasons"] = [one.reason for one in answer.results]
    if answer.job_document is not None or any(one.document is not None for one in answer.results):
        kept["documents"] = [_document(one.document) for one in answer.results]
        kept["job_document"] = _document(answer.job_document)
    return json.dumps(kept, separators=(",", ":"))


def unpack(content: str, body: ScoreRequest) -> tuple[ScoreResponse, str]:
    """The answer, without explanations, to the request that is repeated; and the digest of its bundle."""
    kept = json.loads(content)
    names = [
        name for name in (*_OF_RESULTS, *_OF_COHORTS) if name in kept["results"]
    ]  # of an earlier version: not all
    columns = [kept["results"][name] for name in names]
    documents = kept.get("documents", [None] * len(body.candidates))
    reasons = kept.get("reasons", [None] * len(body.candidates))
    results = [
        ScoreResult(
            candidate_id=candidate.id,
            truncated=False,
            document=document,
            reason=reason,
            **dict(zip(names, values, strict=True)),
        )
        for candidate, document, reason, *values in zip(
            body.candidates, documents, reasons, *columns, strict=True
        )
    ]
    answer = ScoreResponse(
        model=ScoringModel(**kept["model"]),
        job_id=body.job.id,
        threshold=kept["threshold"],
        prevalence=kept.get("prevalence"),  # of an earlier version: not there
        redact=body.redact,
        warnings=kept["warnings"],
        job_document=kept.get("job_document"),
        results=results,
    )
    return answer, kept["bundle"]


def kept_of(content: str, decision_ids: Collection[str]) -> list[dict[str, Any]]:
    """What a kept answer says of these decisions, and of no other."""
    kept = json.loads(content)
    columns = {**kept["results"]}
    for name, column in (("reason", "reasons"), ("document", "documents")):
        if column in kept:
            columns[name] = kept[column]
    common = {name: kept.get(name) for name in ("bundle", "model", "threshold", "prevalence")}
    return [
        {**common, **{name: values[i] for name, values in columns.items()}}
        for i, decision_id in enumerate(kept["results"]["decision_id"])
        if decision_id in decision_ids
    ]


def _document(document: DocumentOut | None) -> dict[str, Any] | None:
    return None if document is None else document.model_dump()
