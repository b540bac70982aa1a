"""`GET /v1/fairness`: rates, ratios and differences of decisions; `/report`: as a document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from service.api import paths
from service.api.browsers import REPORT_POLICY
from service.api.dependencies import DatabaseDep, PoolsDep, PrincipalOf, SettingsDep
from service.api.schemas.fairness import (
    FairnessAttributeOut,
    FairnessOut,
    FairnessQuery,
    MethodOut,
    ReportQuery,
    ScoresOut,
    WindowOut,
)
from service.core.fairness.comparison import AttributeComparison
from service.core.fairness.counts import OutcomeCounts
from service.core.fairness.findings import SMALL_SHARE, FairnessOptions
from service.core.fairness.rates import FOUR_FIFTHS
from service.core.fairness.statistics import CONFIDENCE
from service.reports.bias_audit import CITATIONS, TITLE, BiasAudit, BiasAuditStatement
from service.reports.bias_audit_html import bias_audit_html
from service.reports.bias_audit_records import (
    attribute_record,
    bias_audit_csv,
    bias_audit_json,
    outcome_record,
)
from service.reports.stored_audit import StoredBiasAudit, StoredQuestion, bias_audit_of_store
from service.store.window_counts import window_asked

router = APIRouter(tags=["fairness"])

_REPORTS: dict[Literal["json", "csv", "html"], tuple[str, Callable[[BiasAudit], str]]] = {
    "json": ("application/json", bias_audit_json),
    "csv": ("text/csv; charset=utf-8", bias_audit_csv),
    "html": ("text/html; charset=utf-8", bias_audit_html),
}


@router.get(paths.FAIRNESS, summary="Do stored decisions fall equally on groups?")
async def fairness(
    query: Annotated[FairnessQuery, Query()],
    database: DatabaseDep,
    settings: SettingsDep,
    pools: PoolsDep,
    principal: PrincipalOf,
) -> FairnessOut:
    """Rates, impact ratios and parity differences with intervals. A measurement, not a verdict.

    What cannot be computed is null and says why. Windows are widened to full hours of UTC.
    """
    now = datetime.now(UTC)
    question = StoredQuestion(
        window_asked(query.window, query.start, query.end, now),
        query.ground_truth or settings.fairness.ground_truth,
        query.bundle,
        tuple(query.attribute),
        query.intersections,
        tenant=principal.tenant,
    )
    options = FairnessOptions(minimum=query.minimum)

    def answer() -> FairnessOut:
        found = bias_audit_of_store(
            database, settings.fairness.groups, question, BiasAuditStatement(), options, now
        )
        return _answer(found, question)

    return await pools.reading.run(answer)


@router.get(
    paths.FAIRNESS_REPORT,
    summary="The bias audit of stored decisions",
    response_class=Response,
    responses={
        200: {
            "content": {
                "application/json": {},
                "text/csv": {"schema": {"type": "string"}},
                "text/html": {"schema": {"type": "string"}},
            }
        }
    },
)
async def report(
    query: Annotated[ReportQuery, Query()],
    database: DatabaseDep,
    settings: SettingsDep,
    pools: PoolsDep,
    principal: PrincipalOf,
) -> Response:
    """Report as `evenmatch report` does, in the manner of New York City's Local Law 144."""
    now = datetime.now(UTC)
    question = StoredQuestion(
        window_asked(query.window, query.start, query.end, now),
        query.ground_truth or settings.fairness.ground_truth,
        query.bundle,
        tenant=principal.tenant,
    )
    statement = BiasAuditStatement(
        title=TITLE if query.title is None else query.title,
        source=query.source,
        explanation=query.explanation,
        distribution_date=query.distribution_date,
        justification=query.justification,
        citations=tuple(query.citation) or CITATIONS,
        limitations=tuple(query.limitation),
    )
    options = FairnessOptions(
        minimum=query.minimum,
        small_share=SMALL_SHARE if query.exclude_under is None else query.exclude_under,
        leave_out_small=query.exclude_under is not None,
    )
    media_type, write = _REPORTS[query.format]
    document = await pools.reading.run(
        lambda: write(
            bias_audit_of_store(database, settings.fairness.groups, question, statement, options, now).audit
        )
    )
    headers = {"Content-Type": media_type, "Content-Security-Policy": REPORT_POLICY}
    return Response(document, headers=headers)


def _answer(found: StoredBiasAudit, question: StoredQuestion) -> FairnessOut:
    audit = found.audit
    return FairnessOut(
        window=WindowOut(start=found.window.first, end=found.window.last, resolution_seconds=3_600),
        ground_truth=question.ground_truth,
        people=audit.data.people,
        first_day=audit.data.first_decision,
        last_day=audit.data.last_decision,
        bundles=dict(audit.data.bundles),
        outside_schema=found.outside_schema,
        scores=ScoresOut(
            scored=audit.data.scored,
            median=audit.data.median_score,
            exact=found.missing_scores == 0,
            missing=found.missing_scores,
        ),
        method=MethodOut(
            confidence=CONFIDENCE,
            alpha=audit.options.alpha,
            minimum=audit.options.minimum,
            four_fifths=float(FOUR_FIFTHS),
            small_share=audit.options.small_share,
        ),
        attributes=[_attribute(attribute, found) for attribute in audit.attributes],
        findings=audit.findings,
        notes=list(audit.data.notes),
    )


def _attribute(attribute: AttributeComparison, found: StoredBiasAudit) -> FairnessAttributeOut:
    counts = found.counts[attribute.attribute]
    record: dict[str, Any] = attribute_record(attribute)
    groups = [
        {**group, "outcomes": outcome_record(counts[size.group].outcomes or OutcomeCounts(0, 0, 0, 0))}
        for group, size in zip(record["groups"], attribute.groups, strict=True)
    ]
    return FairnessAttributeOut.model_validate({**record, "groups": groups})
