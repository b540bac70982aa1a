"""`POST /v1/score`: one job, many candidates."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial

from anyio import CancelScope
from fastapi import APIRouter
from starlette.responses import Response

from service.api import paths
from service.api.answers import explained, pack, parts_of, scoring_model, unpack
from service.api.dependencies import (
    DocumentsDep,
    GroupsDep,
    MetricsDep,
    PoolsDep,
    PrincipalOf,
    RecorderDep,
    RequestId,
    RuntimeDep,
    SettingsDep,
    ShadowDep,
    TrafficDep,
)
from service.api.disconnects import caller_disconnected
from service.api.documents import RequestDocuments
from service.api.forms import FilesRoute, form_of
from service.api.idempotency import REPLAYED, IdempotencyDep
from service.api.schemas.files import DocumentOut
from service.api.schemas.requirements import RequirementOut
from service.api.schemas.score import (
    CandidateIn,
    ScoreRequest,
    ScoreResponse,
    ScoreResult,
)
from service.api.thread_pools import ThreadPools
from service.core.errors import CountError, DuplicateIdError, ErrorCollector
from service.core.group_reading import GroupReader, ReadGroups
from service.core.matching import Match, TokenizedJob, TokenizedResume, posting_of
from service.core.requirements.kinds import Requirement
from service.core.requirements.listing import (
    Reason,
    RequirementResult,
    list_requirements,
    read_requirements,
    reason_of,
)
from service.core.resume_warnings import needs_a_look
from service.core.tenants import DEFAULT_TENANT
from service.core.vectors import Vectors
from service.files.documents.parsed import ParsedDocument, about_text
from service.runtime.cohort_traffic import CohortTraffic, may_be_collected
from service.runtime.reading import check_passages, match_all, tokenize_all
from service.runtime.runtime import Runtime
from service.settings import Settings
from service.store.decisions import Decision
from service.store.idempotency import with_answer

Lists = Sequence[Sequence[RequirementResult]]
"""What each candidate's resume says to the job's requirements."""

router = APIRouter(tags=["score"], route_class=FilesRoute)


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A job and its candidates, with their vectors."""

    job: TokenizedJob
    job_vectors: Vectors
    resumes: list[TokenizedResume]
    vectors: list[Vectors]
    job_document: ParsedDocument | None
    documents: list[ParsedDocument | None]


@router.post(
    paths.SCORE,
    summary="Score candidates against a job",
    response_model=ScoreResponse,
    responses={200: REPLAYED},
    openapi_extra=form_of("ScoreRequest", single=False),
)
async def score(
    body: ScoreRequest,
    runtime: RuntimeDep,
    settings: SettingsDep,
    metrics: MetricsDep,
    recorder: RecorderDep,
    shadow: ShadowDep,
    traffic: TrafficDep,
    pools: PoolsDep,
    documents: DocumentsDep,
    groups: GroupsDep,
    request_id: RequestId,
    principal: PrincipalOf,
    idempotency: IdempotencyDep,
) -> Response:
    """Score every candidate against the job. Either all candidates are scored and recorded or none is.

    A text may come as a document: in base64, or as `multipart/form-data` with the JSON in the part `request`,
    where `file` is the filename of a part `files`.

    The scores do not depend on `groups`, on the order of candidates, or on who else is in the request.
    """
    read_groups = check_candidates(body.candidates, groups, settings.limits.max_candidates)
    keyed = await idempotency.request_of_texts(body)
    earlier = None if keyed is None else await recorder.earlier(keyed)
    encoded = None
    lists: Lists | None = None
    encode_and_match = partial(_encode_and_match, body, runtime, settings, pools, documents, principal.tenant)
    if earlier is None:
        recorder.check()
        encoded, matches = await encode_and_match()
        now = datetime.now(UTC)
        lists = await _requirements(body, encoded, now.date(), pools)
        decisions = decisions_of(
            body, read_groups, matches, lists, runtime, request_id, now, principal.tenant
        )
        answer = _answer(body, runtime, encoded, matches, decisions, lists)
        if keyed is not None:
            decisions = with_answer(decisions, keyed, pack(answer, runtime.bundle.digest))
        with CancelScope(shield=True):  # who leaves from here on leaves decisions: stored, and counted too
            earlier = await recorder.record(decisions)
            if earlier is None:
                for decision, resume in zip(decisions, encoded.resumes, strict=True):
                    metrics.decided(
                        decision.groups,
                        decision.calibrated_probability,
                        decision.decision,
                        tenant=decision.tenant,
                    )
                    metrics.redacted(resume.read.redactions)
                    metrics.warned(resume.read.warnings)
                texts = [candidate.resume for candidate in body.candidates]
                shadow.offer(
                    body.job.description,
                    body.job.title,
                    texts,
                    redact=body.redact,
                    tenant=principal.tenant,
                )
                if traffic is not None and body.redact:
                    _collect(traffic, body, encoded, principal.tenant)
    explicable = True
    if earlier is not None:
        assert keyed is not None
        lists = None  # as of the day of the answer
        answer, bundle_digest = unpack(earlier.content_for(keyed), body)
        idempotency.replayed()
        # The passages of another model would not explain these scores.
        explicable = bundle_digest == runtime.bundle.digest
    if body.explain and explicable:
        if encoded is None:
            encoded, _ = await encode_and_match()
        await _explain(answer, encoded, runtime, pools)
    if lists is None and earlier is not None and explicable and _asks_for_requirements(body):
        if encoded is None:
            encoded, _ = await encode_and_match()
        lists = await _requirements(body, encoded, earlier.time.date(), pools)
    if lists is not None:
        for result, listed in zip(answer.results, lists, strict=True):
            result.requirements = [
                RequirementOut(
                    text=one.text,
                    kind=one.kind,
                    required=one.required,
                    found=one.found,
                    where=list(one.where),
                )
                for one in listed
            ]
    for result, candidate, of_candidate in zip(answer.results, body.candidates, read_groups, strict=True):
        result.unknown_groups = list(of_candidate.unknown)
        result.metadata = candidate.metadata
    content = await pools.text.run(lambda: answer.model_dump_json().encode())
    return Response(content, media_type="application/json", headers=idempotency.headers)


async def _encode_and_match(
    body: ScoreRequest,
    runtime: Runtime,
    settings: Settings,
    pools: ThreadPools,
    documents: RequestDocuments,
    tenant: str,
) -> tuple[_Encoded, list[Match]]:
    places = [("job", body.job), *((f"candidates[{i}]", one) for i, one in enumerate(body.candidates))]
    job_document, *resume_documents = await documents.fill(places)
    texts = [candidate.resume for candidate in body.candidates]
    async with runtime.turn([body.job.description, *texts]) as turn:
        job, resumes = await tokenize_all(
            runtime.matcher,
            body.job.description,
            body.job.title,
            texts,
            redact=body.redact,
            job_field=f"job.{body.job.source}",
            fields=[f"candidates[{i}].{one.source}" for i, one in enumerate(body.candidates)],
            run=pools.text.run,
            run_long=pools.long_text.run,
            cancelled=caller_disconnected,
        )
        resumes = [
            replace(one, read=one.read.with_more(about_text(document)))
            for one, document in zip(resumes, resume_documents, strict=True)
        ]
        if body.explain:
            check_passages(sum(len(resume.passages) for resume in resumes), settings.limits.max_passages)
        turn.texts_read()
        job_vectors, vectors = await runtime.encode(job, resumes, tenant=tenant)
        matches = await match_all(runtime.matcher, job, job_vectors, vectors, run=pools.text.run)
    return _Encoded(job, job_vectors, resumes, vectors, job_document, resume_documents), matches


def _collect(traffic: CohortTraffic, body: ScoreRequest, encoded: _Encoded, tenant: str) -> None:
    """Offer the vectors of a request's texts to the tenant's sample that a cohort may be built of."""
    if not encoded.job.is_little:
        traffic.offer_posting(posting_of(encoded.job, encoded.job_vectors), tenant)
    for candidate, resume, vectors in zip(body.candidates, encoded.resumes, encoded.vectors, strict=True):
        if may_be_collected(resume.read.warnings):
            traffic.offer_resume(vectors, candidate.id, tenant)


def _answer(
    body: ScoreRequest,
    runtime: Runtime,
    encoded: _Encoded,
    matches: Sequence[Match],
    decisions: Sequence[Decision],
    lists: Lists | None,
) -> ScoreResponse:
    """What is answered, but for explanations and lists of requirements."""
    reasons: list[Reason | None] = [None] * len(decisions)
    if lists is not None:
        reasons = [reason_of(listed, body.require) for listed in lists]
    shift = runtime.prior_shift(body.prevalence)
    reported = [match.reported(shift) for match in matches]
    return ScoreResponse(
        model=scoring_model(runtime),
        job_id=body.job.id,
        threshold=shift.threshold,
        prevalence=shift.to,
        redact=body.redact,
        warnings=list(runtime.matcher.warnings_of(encoded.job, encoded.job_vectors)),
        job_document=DocumentOut.of_any(encoded.job_document),
        results=list(map(_result, decisions, reported, encoded.resumes, encoded.documents, reasons)),
    )


def _asks_for_requirements(body: ScoreRequest) -> bool:
    return body.requirements or bool(body.require)


async def _requirements(
    body: ScoreRequest, encoded: _Encoded, today: date, pools: ThreadPools
) -> Lists | None:
    """What each resume says to the job's requirements; None if nobody asks."""
    if not _asks_for_requirements(body):
        return None
    required: tuple[Requirement, ...] = await pools.text.run(partial(read_requirements, body.job.description))
    return [
        await pools.text.run(
            partial(
                list_requirements,
                required,
                resume.read.document.text,
                [passage.text for passage in resume.passages],
                today,
            )
        )
        for resume in encoded.resumes
    ]


async def _explain(answer: ScoreResponse, encoded: _Encoded, runtime: Runtime, pools: ThreadPools) -> None:
    for result, resume, vectors in zip(answer.results, encoded.resumes, encoded.vectors, strict=True):
        result.explanation = await pools.text.run(
            partial(explained, runtime.matcher, encoded.job, encoded.job_vectors, resume, vectors)
        )
        result.parts = await pools.text.run(
            partial(parts_of, runtime.matcher, encoded.job, encoded.job_vectors, vectors)
        )


def check_candidates(candidates: Sequence[CandidateIn], groups: GroupReader, most: int) -> list[ReadGroups]:
    """The groups of each. Raises `CountError`, or one error of every duplicate id and every unknown group."""
    CountError.check(candidates, "candidates", most)
    errors = ErrorCollector()
    found: list[ReadGroups] = []
    seen: dict[str, int] = {}
    for i, candidate in enumerate(candidates):
        first = seen.setdefault(candidate.id, i)
        with errors:
            if first != i:
                raise DuplicateIdError(
                    f"candidates[{i}].id is that of candidates[{first}]", field=f"candidates[{i}].id"
                )
        with errors:
            found.append(groups.read(candidate.groups, field=f"candidates[{i}].groups"))
    errors.raise_any()
    return found


def decisions_of(
    body: ScoreRequest,
    groups: Sequence[ReadGroups],
    matches: Sequence[Match],
    lists: Lists | None,
    runtime: Runtime,
    request_id: str,
    now: datetime,
    tenant: str = DEFAULT_TENANT,
) -> list[Decision]:
    """What is recorded of a request: nothing of any text. The decision is the one that is answered.

    Probabilities are at the bundle's prevalence.
    """
    selected = [match.selected for match in matches]
    if lists is not None:
        selected = [
            one and reason_of(listed, body.require) is None
            for one, listed in zip(selected, lists, strict=True)
        ]
    return [
        Decision(
            decision_id=str(uuid.uuid4()),
            time=now,
            request_id=request_id,
            job_id=body.job.id,
            candidate_id=candidate.id,
            groups=of_candidate.groups,
            raw_score=match.raw_score,
            calibrated_probability=match.calibrated_probability,
            threshold=runtime.bundle.decision.threshold,
            decision="selected" if is_selected else "not_selected",
            redact=body.redact,
            bundle_digest=runtime.bundle.digest,
            engine=runtime.info.name,
            cohort_digest=runtime.cohort_digest,
            tenant=tenant,
        )
        for candidate, of_candidate, match, is_selected in zip(
            body.candidates, groups, matches, selected, strict=True
        )
    ]


def _result(
    decision: Decision,
    match: Match,
    resume: TokenizedResume,
    document: ParsedDocument | None,
    reason: Reason | None,
) -> ScoreResult:
    return ScoreResult(
        candidate_id=decision.candidate_id,
        decision_id=decision.decision_id,
        raw_score=decision.raw_score,
        calibrated_probability=match.calibrated_probability,
        decision=decision.decision,
        reason=reason,
        borderline=match.borderline or needs_a_look(resume.read.warnings),
        cohort_percentile=match.cohort_percentile,
        truncated=False,
        language=resume.read.language,
        warnings=list(resume.read.warnings),
        warning_counts=dict(resume.read.warning_counts),
        redactions=dict(resume.read.redactions or {}),
        document=DocumentOut.of_any(document),
    )
