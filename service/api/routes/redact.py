"""`POST /v1/redact`: a resume as the model would read it, for people to check."""

from __future__ import annotations

from fastapi import APIRouter

from service.api import paths
from service.api.answers import warnings_of
from service.api.bodies import BodyRoute
from service.api.dependencies import MetricsDep, PoolsDep, RuntimeDep
from service.api.disconnects import caller_disconnected
from service.api.schemas.redact import RedactionWarning, RedactRequest, RedactResponse
from service.core.documents import Document
from service.core.language import language_of
from service.core.redaction.redactor import Redacted

router = APIRouter(tags=["redact"], route_class=BodyRoute)


@router.post(paths.REDACT, summary="Redact a resume")
async def redact(
    body: RedactRequest,
    runtime: RuntimeDep,
    metrics: MetricsDep,
    pools: PoolsDep,
) -> RedactResponse:
    """Return the resume without names, contact data, schools and other clues, and what was hidden how often.

    Redacting the answer again changes nothing. No span is returned apart from its token, and none is logged.
    """
    matcher = runtime.matcher
    categories = frozenset(matcher.redactor.categories if body.categories is None else body.categories)

    def read() -> tuple[Document, Redacted, str]:
        found = matcher.read(
            body.resume, field="resume", categories=categories, cancelled=caller_disconnected
        )
        assert found.redacted is not None
        return found.document, found.redacted, language_of(found.document.text)

    document, redacted, language = await pools.for_text(body.resume).run(read)
    metrics.redacted(redacted.counts)
    warnings: list[RedactionWarning] = [*warnings_of(language, document.non_latin_script)]
    if "name" in categories and not redacted.has_own_name:
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
