"""`POST /v1/outcomes`: what became of decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from fastapi import APIRouter, Response
from sqlalchemy import Engine

from service.access.principal import Principal
from service.api import paths
from service.api.bodies import BodyRoute
from service.api.dependencies import DatabaseDep, MetricsDep, PoolsDep, PrincipalOf, SettingsDep
from service.api.errors import status_of
from service.api.idempotency import REPLAYED, Idempotency, IdempotencyDep
from service.api.schemas.outcomes import OutcomeIn, OutcomeItemOut, OutcomeOut, OutcomesIn, OutcomesOut
from service.core.errors import CountError
from service.metrics.registry import Metrics
from service.settings import Settings
from service.store.outcomes import Outcome, OutcomeResult, record_outcomes

router = APIRouter(tags=["fairness"], route_class=BodyRoute)


@router.post(paths.OUTCOMES, summary="Attach an outcome to a decision", responses={200: REPLAYED})
async def outcome(
    body: OutcomeIn,
    database: DatabaseDep,
    settings: SettingsDep,
    metrics: MetricsDep,
    pools: PoolsDep,
    principal: PrincipalOf,
    idempotency: IdempotencyDep,
) -> OutcomeOut:
    """Record what a person decided, or a later label. Safe to send again: the same outcome changes nothing.

    Another outcome of the same kind is refused with 409, unless it says `replace`; the history keeps both.
    """
    (result,) = await pools.writing.run(
        lambda: _record(body, [body], principal, database, settings, metrics, idempotency)
    )
    if result.error is not None:
        raise result.error
    assert result.event is not None
    return OutcomeOut(decision_id=body.decision_id, kind=body.kind, status=result.event)


@router.post(
    paths.OUTCOMES_BULK,
    summary="Attach outcomes to many decisions",
    responses={
        200: REPLAYED,
        207: {"model": OutcomesOut, "description": "Some were refused: see `results`", **REPLAYED},
    },
)
async def outcomes(
    body: OutcomesIn,
    response: Response,
    database: DatabaseDep,
    settings: SettingsDep,
    metrics: MetricsDep,
    pools: PoolsDep,
    principal: PrincipalOf,
    idempotency: IdempotencyDep,
) -> OutcomesOut:
    """Record each by itself: one erased decision must not keep a night's outcomes from being recorded.

    200 if all were taken, 207 if some were refused. Sending all of them again is safe.
    """
    given = body.outcomes
    CountError.check(given, "outcomes", settings.limits.max_outcomes)
    recorded = await pools.writing.run(
        lambda: _record(body, given, principal, database, settings, metrics, idempotency)
    )
    results = [_item(result) for result in recorded]
    counts = Counter(result.status for result in results)
    if counts["refused"]:
        response.status_code = HTTPStatus.MULTI_STATUS
    return OutcomesOut(
        recorded=counts["recorded"],
        replaced=counts["replaced"],
        unchanged=counts["unchanged"],
        refused=counts["refused"],
        results=results,
    )


def _record(
    body: OutcomeIn | OutcomesIn,
    given: Sequence[OutcomeIn],
    principal: Principal,
    database: Engine,
    settings: Settings,
    metrics: Metrics,
    idempotency: Idempotency,
) -> list[OutcomeResult]:
    results = record_outcomes(
        database,
        [
            Outcome(one.decision_id, one.outcome == "positive", one.kind, one.time, one.replace)
            for one in given
        ],
        now=datetime.now(UTC),
        skew=timedelta(seconds=settings.fairness.clock_skew_seconds),
        request=idempotency.request(body),
        tenant=principal.tenant,
    )
    if results[0].repeated:
        idempotency.replayed()
        return results
    for result in results:
        if result.event == "recorded" and result.outcome.kind == settings.fairness.ground_truth:
            assert result.groups is not None
            assert result.selected is not None
            metrics.outcome(
                settings.fairness.groups.fitting(result.groups),
                "selected" if result.selected else "not_selected",
                "positive" if result.outcome.positive else "negative",
                tenant=principal.tenant,
            )
    return results


def _item(result: OutcomeResult) -> OutcomeItemOut:
    error = result.error
    return OutcomeItemOut(
        decision_id=result.outcome.decision_id,
        kind=result.outcome.kind,
        status=result.event or "refused",
        http_status=HTTPStatus.OK if error is None else status_of(error),
        code=None if error is None else error.code,
        message=None if error is None else error.message,
    )
