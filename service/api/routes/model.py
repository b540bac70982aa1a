"""`GET /v1/model`: what is being served, on what, and within which limits."""

from __future__ import annotations

from fastapi import APIRouter

from service.api import paths
from service.api.dependencies import RuntimeDep, SettingsDep
from service.api.schemas.model import (
    BaseModelOut,
    BundleOut,
    CohortOut,
    CohortTextsOut,
    DecisionOut,
    EngineOut,
    LimitsOut,
    ModelResponse,
    RedactionOut,
)
from service.core.matching import MAX_TITLE_CHARACTERS
from service.core.redaction.policy import CATEGORIES
from service.runtime.runtime import Runtime

router = APIRouter(tags=["model"])


@router.get(paths.MODEL, summary="Describe the model being served")
async def model(runtime: RuntimeDep, settings: SettingsDep) -> ModelResponse:
    """Describe the bundle, its hashes, the threshold, the engine and why it was chosen, and all limits."""
    bundle, info = runtime.bundle, runtime.info
    manifest, base = bundle.manifest, bundle.manifest.base_model
    shift, (low, high) = runtime.prior_shift(None), bundle.decision.borderline
    return ModelResponse(
        bundle=BundleOut(
            name=manifest.name,
            version=manifest.version,
            digest=bundle.digest,
            adapter=manifest.has_adapter,
            eraser_directions=bundle.eraser.directions if bundle.eraser else 0,
        ),
        base_model=BaseModelOut(
            id=base.id,
            revision=base.revision,
            weights_sha256=base.weights_sha256,
            pooling=manifest.pooling,
            max_tokens=manifest.max_tokens,
            dimensions=base.dimensions,
        ),
        engine=EngineOut(
            name=info.name,
            device=info.device,
            precision=info.precision,
            threads=info.threads,
            batch_invariant=info.batch_invariant,
            reason=runtime.choice.reason,
        ),
        decision=DecisionOut(
            threshold=shift.threshold,
            borderline=(shift.probability(low), shift.probability(high)),
            rule=bundle.decision.rule,
            constraint=bundle.decision.constraint,
            calibration_prevalence=shift.of,
            prevalence=shift.to,
        ),
        redaction=RedactionOut(
            version=manifest.redaction.version,
            categories=[c for c in CATEGORIES if c in runtime.matcher.redactor.categories],
            bundle_categories=list(manifest.redaction.categories),
        ),
        cohort=_cohort(runtime),
        limits=LimitsOut(
            **settings.limits.model_dump(include=set(LimitsOut.model_fields)),
            max_title_characters=MAX_TITLE_CHARACTERS,
            max_request_tokens=settings.model.queue_tokens,
        ),
        groups=settings.fairness.groups.attributes,
    )


def _cohort(runtime: Runtime) -> CohortOut | None:
    if runtime.cohort is None:
        return None
    made = runtime.cohort.manifest
    return CohortOut(
        digest=runtime.cohort.cohort.digest,
        created=made.created,
        expires=made.expires,
        resumes=CohortTextsOut(used=made.resumes.used, passages=made.resumes.passages),
        postings=CohortTextsOut(used=made.postings.used, passages=made.postings.passages),
        policy=made.policy,
        warnings=made.warnings,
    )
