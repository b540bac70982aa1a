"""`POST /v1/redact`: a resume as the model would read it, for people to check."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter

from service.api.dependencies import MetricsDep, RuntimeDep, SettingsDep
from service.api.routes.score import warnings_of
from service.api.schemas.redact import RedactionWarning, RedactRequest, RedactResponse
from service.core.documents import read_document
from service.core.language import language_of

router = APIRouter(tags=["redact"])


@router.post("/redact", summary="Redact a resume")
async def redact(
    body: RedactRequest, runtime: RuntimeDep, settings: SettingsDep, metrics: MetricsDep
) -> RedactResponse:
    """Return the resume without names, contact data, schools and other clues, and what was hidden how often.

    Redacting the answer again changes nothing. No span is returned apart from its token, and none is logged.
    """
    redactor = runtime.matcher.redactor
    if body.categories is not None:
        redactor = redactor.with_categories(body.categories)
    document = read_document(body.resume, field="resume", max_characters=settings.max_text_characters)
    redacted = await to_thread.run_sync(redactor.redact, document.text)
    language = await to_thread.run_sync(language_of, document.text)
    metrics.redacted(redacted.counts)
    warnings: list[RedactionWarning] = [*warnings_of(language, document.non_latin_script)]
    if "name" in redactor.categories and not redacted.has_own_name:
        warnings.append("no_name_found")
    if redacted.other_people:
        warnings.append("several_names")
    return RedactResponse(
        text=redacted.text,
        redactions=redacted.counts,
        policy_version=runtime.bundle.manifest.redaction.version,
        language=language,
        warnings=warnings,
    )
