"""`POST /v1/score`: one job, many candidates."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from anyio import to_thread
from fastapi import APIRouter

from service.api.dependencies import (
    MetricsDep,
    RecorderDep,
    RequestId,
    RuntimeDep,
    SettingsDep,
    ShadowDep,
)
from service.api.idempotency import REPLAYED, IdempotencyDep
from service.api.schemas.score import (
    CandidateIn,
    PassageOut,
    ScoreRequest,
    ScoreResponse,
    ScoreResult,
    ScoringModel,
    Warning,
)
from service.api.score_answers import pack, unpack
from service.core.errors import CountError, DuplicateIdError, ErrorCollector
from service.core.explaining import PassageContribution, explain
from service.core.groups import GroupSchema
from service.core.language import is_foreign
from service.core.matching import Match, TokenizedJob, TokenizedResume
from service.core.scoring import Vectors
from service.runtime.runtime import Runtime
from service.store.decision import Decision
from service.store.idempotency import with_answer

router = APIRouter(tags=["score"])


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A job and its candidates, with their vectors."""

    job: TokenizedJob
    job_vectors: Vectors
    resumes: list[TokenizedResume]
    vectors: list[Vectors]


@router.post("/score", summary="Score candidates against a job", responses={200: REPLAYED})
async def score(
    body: ScoreRequest,
    runtime: RuntimeDep,
    settings: SettingsDep,
    metrics: MetricsDep,
    recorder: RecorderDep,
    shadow: ShadowDep,
    request_id: RequestId,
    idempotency: IdempotencyDep,
) -> ScoreResponse:
    """Score every candidate against the job. Either all candidates are scored and recorded or none is.

    The scores do not depend on `groups`, on the order of candidates, or on who else is in the request.
    """
    check_candidates(body.candidates, settings.groups, settings.max_candidates)
    keyed = await idempotency.request_of_texts(body)
    earlier = None if keyed is None else await recorder.earlier(keyed)
    encoded = None
    if earlier is None:
        recorder.check()
        encoded = await _encode(body, runtime)
        matches = [
            runtime.matcher.match(encoded.job, encoded.job_vectors, vectors) for vectors in encoded.vectors
        ]
        decisions = decisions_of(body, matches, runtime, request_id)
        answer = _answer(body, runtime, encoded, matches, decisions)
        if keyed is not None:
            decisions = with_answer(decisions, keyed, pack(answer, runtime.bundle.digest))
        earlier = await recorder.record(decisions)
        if earlier is None:
            for decision, resume in zip(decisions, encoded.resumes, strict=True):
                metrics.decided(decision.groups, decision.calibrated_probability, decision.decision)
                metrics.redacted(resume.read.redactions)
            texts = [candidate.resume for candidate in body.candidates]
            shadow.offer(body.job.description, body.job.title, texts, redact=body.redact)
    explicable = True
    if earlier is not None:
        assert keyed is not None
        answer, bundle_digest = unpack(earlier.content_for(keyed), body)
        idempotency.replayed()
        # The passages of another model would not explain these scores.
        explicable = bundle_digest == runtime.bundle.digest
    if body.explain and explicable:
        _explain(answer, encoded or await _encode(body, runtime), runtime)
    return answer


async def _encode(body: ScoreRequest, runtime: Runtime) -> _Encoded:
    job, resumes = await to_thread.run_sync(
        lambda: runtime.matcher.tokenize_all(
            body.job.description,
            body.job.title,
            [candidate.resume for candidate in body.candidates],
            redact=body.redact,
        )
    )
    job_vectors, vectors = await runtime.encode(job, resumes)
    return _Encoded(job, job_vectors, resumes, vectors)


def _answer(
    body: ScoreRequest,
    runtime: Runtime,
    encoded: _Encoded,
    matches: Sequence[Match],
    decisions: Sequence[Decision],
) -> ScoreResponse:
    """What is answered, but for explanations."""
    return ScoreResponse(
        model=scoring_model(runtime),
        job_id=body.job.id,
        threshold=runtime.bundle.decision.threshold,
        redact=body.redact,
        warnings=warnings_of(encoded.job.language, encoded.job.non_latin_script),
        results=[
            ScoreResult(
                candidate_id=decision.candidate_id,
                decision_id=decision.decision_id,
                raw_score=decision.raw_score,
                calibrated_probability=decision.calibrated_probability,
                decision=decision.decision,
                borderline=match.borderline,
                truncated=False,
                language=resume.read.language,
                warnings=warnings_of(resume.read.language, resume.read.document.non_latin_script),
                redactions=dict(resume.read.redactions or {}),
            )
            for decision, match, resume in zip(decisions, matches, encoded.resumes, strict=True)
        ],
    )


def _explain(answer: ScoreResponse, encoded: _Encoded, runtime: Runtime) -> None:
    for result, resume, vectors in zip(answer.results, encoded.resumes, encoded.vectors, strict=True):
        result.explanation = passages_out(
            explain(runtime.matcher, encoded.job, encoded.job_vectors, resume, vectors)
        )


def check_candidates(candidates: Sequence[CandidateIn], groups: GroupSchema, most: int) -> None:
    """Raise `CountError`, or one error that holds every duplicate id and every unknown group."""
    if not 1 <= len(candidates) <= most:
        raise CountError(
            f"candidates has {len(candidates):,} items; 1 to {most:,} are allowed",
            field="candidates",
            limit=most if candidates else 1,
            actual=len(candidates),
        )
    errors = ErrorCollector()
    seen: dict[str, int] = {}
    for i, candidate in enumerate(candidates):
        first = seen.setdefault(candidate.id, i)
        with errors:
            if first != i:
                raise DuplicateIdError(
                    f"candidates[{i}].id is that of candidates[{first}]", field=f"candidates[{i}].id"
                )
        with errors:
            groups.validate_groups(candidate.groups, field=f"candidates[{i}].groups")
    errors.raise_any()


def decisions_of(
    body: ScoreRequest, matches: Sequence[Match], runtime: Runtime, request_id: str
) -> list[Decision]:
    """What is recorded of a request: nothing of any text."""
    now = datetime.now(UTC)
    return [
        Decision(
            decision_id=str(uuid.uuid4()),
            time=now,
            request_id=request_id,
            job_id=body.job.id,
            candidate_id=candidate.id,
            groups=candidate.groups,
            raw_score=match.raw_score,
            calibrated_probability=match.calibrated_probability,
            threshold=runtime.bundle.decision.threshold,
            decision="selected" if match.selected else "not_selected",
            redact=body.redact,
            bundle_digest=runtime.bundle.digest,
            engine=runtime.info.name,
        )
        for candidate, match in zip(body.candidates, matches, strict=True)
    ]


def scoring_model(runtime: Runtime) -> ScoringModel:
    """What scored, as answers name it."""
    manifest, info = runtime.bundle.manifest, runtime.info
    return ScoringModel(
        bundle=manifest.name, version=manifest.version, engine=info.name, precision=info.precision
    )


def warnings_of(language: str, non_latin_script: bool) -> list[Warning]:
    """What weakens scores and redaction: a script or a language that they were not made for."""
    warnings: list[Warning] = ["non_latin_script"] if non_latin_script else []
    return [*warnings, "not_english"] if is_foreign(language) else warnings


def passages_out(passages: Sequence[PassageContribution]) -> list[PassageOut]:
    """An explanation as it is sent."""
    return [
        PassageOut(
            text=passage.text,
            contribution=passage.contribution,
            job_passage=passage.job_passage,
            similarity=passage.similarity,
        )
        for passage in passages
    ]
