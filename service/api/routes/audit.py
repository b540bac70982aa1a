"""`POST /v1/audit/counterfactual`: would these people have been scored differently under another name?"""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from starlette.responses import Response

from service.api import paths
from service.api.answers import explained, scoring_model
from service.api.dependencies import (
    DocumentsDep,
    MetricsDep,
    PoolsDep,
    PrincipalOf,
    RuntimeDep,
    SettingsDep,
)
from service.api.forms import FilesRoute, form_of
from service.api.schemas.audit import AuditReportOut, AuditRequest, AuditResponse, ExplanationOut
from service.api.schemas.files import DocumentOut
from service.api.schemas.spans import given_spans
from service.api.thread_pools import ThreadPools
from service.core.counterfactual_audit.plan import AuditResume, CounterfactualOptions, CounterfactualPlan
from service.core.counterfactual_audit.summary import arms_of_report
from service.core.errors import AuditOptionsError, CountError
from service.files.documents.parsed import about_text
from service.runtime.auditing import audit_resumes
from service.runtime.reading import check_passages
from service.runtime.request_scheduler import count_words
from service.runtime.runtime import Runtime
from service.settings import Settings

router = APIRouter(tags=["audit"], route_class=FilesRoute)


@router.post(
    paths.AUDIT,
    summary="Audit scores by counterfactual variants",
    response_model=AuditResponse,
    openapi_extra=form_of("AuditRequest", single=False),
)
async def audit(
    body: AuditRequest,
    runtime: RuntimeDep,
    metrics: MetricsDep,
    settings: SettingsDep,
    pools: PoolsDep,
    documents: DocumentsDep,
    principal: PrincipalOf,
) -> Response:
    """Change one attribute of each resume at a time and compare the scores with those of benign edits.

    Texts may come as documents, as in `/v1/score`. Nothing is decided and nothing is stored.

    Costs about one scored resume for each changed passage.
    """
    if body.explain and not body.redact:
        raise AuditOptionsError(
            "explain shows passages, and an audit never returns text that was not redacted: set redact",
            field="explain",
        )
    options = CounterfactualOptions(
        attributes=tuple(body.attributes),
        names_per_group=body.names_per_group,
        controls=body.controls,
        redact=body.redact,
        seed=body.seed,
    )
    CountError.check(body.resumes, "resumes", settings.limits.max_candidates)
    places = [("job", body.job), *((f"resumes[{i}]", one) for i, one in enumerate(body.resumes))]
    job_document, *of_resumes = await documents.fill(places)
    runtime.scheduler.check(count_words([body.job.description, *(resume.resume for resume in body.resumes)]))
    async with pools.audits.place():
        done = await audit_resumes(
            runtime,
            body.job.description,
            body.job.title,
            [
                AuditResume(
                    one.id,
                    one.resume,
                    given_spans(one.spans, f"resumes[{i}].spans"),
                    about_text(document),
                    one.source,
                )
                for i, (one, document) in enumerate(zip(body.resumes, of_resumes, strict=True))
            ],
            options,
            tenant=principal.tenant,
        )
        report = done.report
        explanations = None
        if body.explain:
            explanations = await _explanations(runtime, done.plan, settings, pools, principal.tenant)
    metrics.audited(arms_of_report(report), redact=report.redact, source="requested")
    answer = AuditResponse(
        **dict(AuditReportOut.model_validate(report)),
        model=scoring_model(runtime),
        job_id=body.job.id,
        threshold=runtime.bundle.decision.threshold,
        job_document=DocumentOut.of_any(job_document),
        documents={
            one.id: DocumentOut.of(document)
            for one, document in zip(body.resumes, of_resumes, strict=True)
            if document is not None
        },
        explanations=explanations,
    )
    rendered = await pools.text.run(lambda: answer.model_dump_json().encode())
    return Response(rendered, media_type="application/json")


async def _explanations(
    runtime: Runtime, plan: CounterfactualPlan, settings: Settings, pools: ThreadPools, tenant: str
) -> list[ExplanationOut]:
    originals = [plan.texts[plan.rows[resume.variants.original]] for resume in plan.resumes]
    check_passages(sum(len(original.passages) for original in originals), settings.limits.max_passages)
    job_vectors, vectors = await runtime.encode(plan.job, originals, tenant=tenant)
    return [
        ExplanationOut(
            resume_id=resume.id,
            passages=await pools.text.run(
                partial(explained, runtime.matcher, plan.job, job_vectors, original, of_resume)
            ),
        )
        for resume, original, of_resume in zip(plan.resumes, originals, vectors, strict=True)
    ]
