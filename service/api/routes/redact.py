"""`POST /v1/redact`: a resume as the model would read it, for people to check."""

from __future__ import annotations

from fastapi import APIRouter

from service.api.bodies import BodyRoute
from service.api.dependencies import LanesDep, MetricsDep, RuntimeDep, SettingsDep
from service.api.routes.score import warnings_of
from service.api.schemas.redact import RedactionWarning, RedactRequest, RedactResponse
from service.core.documents import Document, read_document
from service.core.language import language_of
from service.core.redaction.redactor import Redacted

router = APIRouter(tags=["redact"], route_class=BodyRoute)


@router.post("/redact", summary="Redact a resume")
async def redact(
    body: RedactRequest, runtime: RuntimeDep, settings: SettingsDep, metrics: MetricsDep, lanes: LanesDep
) -> RedactResponse:
    """Return the resume without names, contact data, schools and other clues, and what was hidden how often.

    Redacting the answer again changes nothing. No span is returned apart from its token, and none is logged.
    """
    redactor = runtime.matcher.redactor
    if body.categories is not None:
        redactor = redactor.with_categories(body.categories)

    def read() -> tuple[Document, Redacted, str]:
        document = read_document(body.resume, field="resume", max_characters=settings.max_text_characters)
        return document, redactor.redact(document.text), language_of(document.text)

    document, redacted, language = await lanes.text.run(read)
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
